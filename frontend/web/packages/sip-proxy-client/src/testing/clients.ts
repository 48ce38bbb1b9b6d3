// Clients for tests, and what they and their calls tell.

import { vi } from "vitest";
import type { ClientEvents } from "../ClientEvents.js";
import { SIPProxyError } from "../errors.js";
import type { CallEvents, SIPProxyCall } from "../SIPProxyCall.js";
import { SIPProxyClient, type SIPProxyClientOptions } from "../SIPProxyClient.js";
import { FakeSocket, settled } from "./fakes.js";
import { type FakePage, fakePage } from "./page.js";
import { FakeProxy } from "./proxy.js";

const OF_CALLS: (keyof CallEvents)[] = [
  "ringing",
  "accepted",
  "connected",
  "hold",
  "mute",
  "party",
  "recording",
  "transferring",
  "transferred",
  "transferFailed",
  "reconnecting",
  "reconnected",
  "error",
  "ended",
  "failed",
  "disconnected",
  "dtmf",
  "warning",
  "warning-cleared",
];
const OF_CLIENTS: (keyof ClientEvents)[] = [
  "registering",
  "registered",
  "unregistered",
  "incoming",
  "resumed",
  "tokenWillExpire",
  "soundBlocked",
  "error",
];

const words = (value: unknown): string =>
  value instanceof SIPProxyError ? value.code : typeof value === "object" ? held(value) : String(value);

const held = (value: unknown): string => {
  const { held, by } = (value ?? {}) as { held?: boolean; by?: string };
  return by === undefined ? "" : `${held} ${by}`;
};

/** The names of what it tells from now on, with what is short to say of it: all but `stateChanged` and `sample`. */
export function told(by: SIPProxyCall | SIPProxyClient): string[] {
  const all: string[] = [];
  const note =
    (name: string) =>
    (...values: unknown[]): void =>
      void all.push([name, ...values.map(words)].join(" ").trim());
  if (by instanceof SIPProxyClient) for (const name of OF_CLIENTS) by.on(name, note(name));
  else for (const name of OF_CALLS) by.on(name, note(name));
  return all;
}

/** What a promise came to, at last: "" while it has not. */
export function fate(promise: Promise<unknown>): () => string {
  let came = "";
  promise.then(
    () => (came = "done"),
    (error: unknown) => (came = error instanceof SIPProxyError ? error.code : String(error)),
  );
  return () => came;
}

export interface World {
  page: FakePage;
  proxy: FakeProxy;
  clients: SIPProxyClient[]; // of this page
  unhandled: unknown[]; // rejections that nobody took
  client(options?: SIPProxyClientOptions): SIPProxyClient;
  /** A call that talks. */
  talking(client: SIPProxyClient, target?: string): Promise<SIPProxyCall>;
  reload(): void;
  end(): Promise<void>;
}

export const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** A page and a server, under fake timers. At its `end` nothing may be left of the clients that were closed. */
export function fakeWorld(): World {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  vi.spyOn(Math, "random").mockReturnValue(1);
  const clients: SIPProxyClient[] = [];
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", note);
  const world: World = {
    page: fakePage(),
    proxy: new FakeProxy(),
    clients,
    unhandled,
    client(options = {}) {
      const client = new SIPProxyClient({ proxyUrl: "https://pbx.example", user: "1001", ...options });
      clients.push(client);
      return client;
    },
    async talking(client, target = "600") {
      const call = client.call(target);
      await settled();
      world.proxy.say({
        type: "state",
        callId: call.id,
        state: "accepted",
        direction: "outbound",
        target,
        caller: "1001",
        at: Date.now() / 1000,
      });
      await pass(100);
      return call;
    },
    reload() {
      for (const socket of FakeSocket.all) socket.onclose = socket.onmessage = null; // nobody is there to hear it
      vi.clearAllTimers();
      clients.length = 0;
      const { proxy } = world;
      world.page = fakePage(true);
      world.proxy = Object.assign(new FakeProxy(), {
        authentication: proxy.authentication,
        tokens: proxy.tokens,
        calls: proxy.calls,
      });
    },
    async end() {
      for (const client of clients) client.close();
      await settled();
      vi.useRealTimers();
      await new Promise((resolve) => setImmediate(resolve)); // for what nobody has taken
      process.off("unhandledRejection", note);
      vi.restoreAllMocks();
      vi.unstubAllGlobals();
    },
  };
  return world;
}
