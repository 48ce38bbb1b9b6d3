// A server for tests of a whole client: it signs in, registers, and answers offers. All else a test says by itself.

import { vi } from "vitest";
import type { CallSummary, ClientMessage, ClientState, ServerMessage, State } from "../protocol/messages.js";
import { FakeSocket, settled } from "./fakes.js";

type Reply = (message: never) => ServerMessage[];

export class FakeProxy {
  authentication = false;
  passwords: Record<string, string> = { 1001: "secret" };
  required = ""; // the code of what a right password does not suffice for
  tokens = new Set<string>(); // that it takes
  tokenSeconds = 3600;
  refreshToken: string | null = null; // that it takes next; null: it has none; "a cookie": the browser has it
  refreshes: { refreshToken?: string; session?: string; attempt: string }[] = [];
  lostResponses = 0; // of the next refreshes
  reachable = true;
  status = 0; // of all HTTP answers, where it is not 0
  calls: CallSummary[] = []; // that stand, as its lists have them
  /** Every message that came, by any connection; pings are left out. */
  heard: ClientMessage[] = [];
  requests: string[] = [];
  /** What a message is answered with; none: nothing. */
  replies: Partial<Record<ClientMessage["type"], Reply>> = {
    resume: ({ session }: { session: string }) => [
      { type: "resumed", session },
      { type: "calls", calls: this.calls.filter(({ here }) => here) },
    ],
    unregister: () => [{ type: "unregistered" }],
    offer: ({ callId, target }: { callId: string; target?: string }) => [
      { type: "answer", callId, sdp: `answer ${++this.answers}` },
      ...(target ? [state(callId, "trying")] : [state(callId, "accepted", { direction: "inbound" })]),
    ],
  };
  private answers = 0;
  private issued = 0;
  private sessions = 0;

  constructor() {
    const proxy = this;
    vi.stubGlobal(
      "WebSocket",
      class extends FakeSocket {
        constructor(url: string) {
          super(url);
          queueMicrotask(() => proxy.connected(this));
        }
        override send(data: string): void {
          super.send(data);
          proxy.hear(this, this.sent.at(-1)!);
        }
      },
    );
    vi.stubGlobal("fetch", (url: string, init?: RequestInit) => this.fetch(url, init));
  }

  get socket(): FakeSocket {
    return FakeSocket.last;
  }

  say(...messages: ServerMessage[]): void {
    this.socket.say(...messages);
  }

  /** A call rings for this user. */
  ring(callId: string): void {
    this.say({ type: "incoming-call", callId, caller: "7001", callerName: "Desk", target: "1001" });
  }

  /** The server goes, or the network: all that was open is lost. */
  async vanish(): Promise<void> {
    this.reachable = false;
    this.socket.end();
    await settled();
  }

  /** What came of this type. */
  of<Type extends ClientMessage["type"]>(type: Type): Extract<ClientMessage, { type: Type }>[] {
    return this.heard.filter((message): message is Extract<ClientMessage, { type: Type }> => message.type === type);
  }

  private connected(socket: FakeSocket): void {
    if (socket.closed) return;
    if (!this.reachable) return socket.end();
    socket.open();
    socket.say({ type: "welcome", version: "1", authentication: this.authentication, session: `s${++this.sessions}` });
  }

  private hear(socket: FakeSocket, message: ClientMessage): void {
    if (message.type !== "ping") this.heard.push(message);
    const replies = this.replyTo(message);
    void turns(6).then(() => socket.closed || socket.say(...replies)); // never as soon as it was sent
  }

  private replyTo(message: ClientMessage): ServerMessage[] {
    if (message.type === "ping") return [{ type: "pong", id: message.id ?? 0 }];
    if (message.type === "register" && this.authentication && !this.tokens.has(message.token ?? "")) {
      return [{ type: "error", code: "unauthorized", message: "The token is not valid.", field: "token" }];
    }
    if (message.type === "authenticate")
      return this.tokens.has(message.token)
        ? [{ type: "authenticated" }]
        : [{ type: "error", code: "unauthorized", message: "The token is not valid.", field: "token" }];
    if (message.type === "register")
      return [
        { type: "registered", user: message.user },
        { type: "calls", calls: this.calls },
      ];
    return this.replies[message.type]?.(message as never) ?? [];
  }

  private async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const path = new URL(url).pathname;
    this.requests.push(`${init.method ?? "GET"} ${path}`);
    if (!this.reachable) throw new TypeError("fetch failed");
    if (this.status !== 0) return problem(this.status, `http_${this.status}`);
    if (path === "/config") return Response.json({ version: "1", authentication: this.authentication, phoneBook: [] });
    if (path === "/session/refresh") return this.refresh(init);
    if (path === "/tokens") return this.makeToken(init);
    if (path !== "/session") return problem(404, "unknown_call");
    if (init.method === "DELETE") return new Response(null, { status: 204 });
    const { user, password } = JSON.parse(String(init.body)) as { user: string; password: string };
    if (this.passwords[user] !== password) return problem(401, "unauthorized");
    if (this.required) return problem(401, this.required, { challenge: "a challenge" });
    return this.issue(user);
  }

  private refresh(init: RequestInit): Response {
    const by = JSON.parse(String(init.body)) as { refreshToken?: string; session?: string };
    this.refreshes.push({ ...by, attempt: new Headers(init.headers).get("Idempotency-Key") ?? "" });
    if (this.lostResponses-- > 0) throw new TypeError("the connection was reset");
    return (by.refreshToken ?? by.session) === this.refreshToken ? this.issue("1001") : problem(401, "unauthorized");
  }

  private issue(user: string): Response {
    const token = `token ${++this.issued}`;
    this.tokens.add(token);
    if (this.refreshToken !== null && this.refreshToken !== "a cookie") this.refreshToken = `refresh ${this.issued}`;
    const refreshToken = this.refreshToken === "a cookie" ? null : this.refreshToken;
    return Response.json({ user, token, refreshToken, expiresAt: Date.now() / 1000 + this.tokenSeconds });
  }

  /** For an API key, which is among the passwords as a whole. */
  private makeToken(init: RequestInit): Response {
    const key = new Headers(init.headers).get("Authorization")?.replace("Bearer ", "") ?? "";
    if (!(key in this.passwords)) return problem(401, "unauthorized");
    const { user } = JSON.parse(String(init.body)) as { user: string };
    const token = `token ${++this.issued}`;
    this.tokens.add(token);
    return Response.json({ user, token, grants: ["dial"], expiresAt: Date.now() / 1000 + this.tokenSeconds });
  }
}

async function turns(count: number): Promise<void> {
  while (count-- > 0) await Promise.resolve();
}

export const state = (callId: string, to: ClientState, more: Partial<State> = {}): State => ({
  type: "state",
  callId,
  state: to,
  direction: "outbound",
  target: "600",
  caller: "1001",
  at: Date.now() / 1000,
  ...more,
});

export const summary = (callId: string, more: Partial<CallSummary> = {}): CallSummary => ({
  callId,
  direction: "outbound",
  state: "accepted",
  target: "600",
  caller: "1001",
  callerName: "",
  createdAt: 1,
  answeredAt: 2,
  heldByFar: false,
  here: true,
  attached: true,
  ...more,
});

/** A token as the server makes them (RFC 7519); nobody checks its signature here. */
export function jwt(claims: object): string {
  const part = (value: object): string =>
    btoa(JSON.stringify(value)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return `${part({ alg: "HS256" })}.${part(claims)}.signature`;
}

const problem = (status: number, code: string, more: object = {}): Response =>
  Response.json({ code, detail: `It says ${status}.`, ...more }, { status });
