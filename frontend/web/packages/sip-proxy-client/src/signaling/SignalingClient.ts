// Our standing with the server: each new connection takes up the page's session and registers its user again.

import type { CallSummary, ClientMessage, IceServers, ServerMessage } from "../protocol/messages.js";
import type { PageSession } from "./PageSession.js";
import { ReconnectingWebSocket } from "./ReconnectingWebSocket.js";

export type LinkStatus = "connecting" | "open" | "lost";

/** A list of calls: the first of a connection, which has what happened while there was none, or one after a change. */
export type ListTime = "first" | "later";

export interface LinkOptions {
  url: string;
  user: string;
  token(): string | null; // of the sign-in; null with authentication off
  session: Promise<PageSession>;
  inCall(): boolean;
  onMessage(message: ServerMessage): void; // all but what is told otherwise here
  onCalls(calls: CallSummary[], when: ListTime): void;
  onIceServers?(message: IceServers): void;
  onChange(): void; // of any of the fields below
  onRefused(reason: string): void; // the sign-in is worth nothing any more
}

/** The server's close code: our session goes on in another connection. */
const SUPERSEDED = 4001;

/** How long an announced change of server may take before people are told of it, in milliseconds. */
const QUIET_MS = 2000;

export class SignalingClient {
  /** As people should see it: an announced change of server is not shown unless it takes long. */
  status: LinkStatus = "connecting";
  registered = false;
  /** Whether messages reach the server now. */
  ready = false;
  /** Counts the connections: what was sent on an earlier one may not have arrived. */
  connection = 0;

  readonly #socket: ReconnectingWebSocket;
  #takesCalls = true; // as it is wanted
  #listed = false; // there was a list on this connection
  #introduced = false; // it was told who we are on this connection
  #resumed: CallSummary[] | null = null; // our session goes on in this connection, with these calls
  #offered: string | null = null; // a new session, should the server not know ours
  #announced = false; // that the server goes
  #going: number | undefined;
  #quiet: number | undefined; // while a loss is not shown
  readonly #waiting = new Set<(ready: boolean) => void>();
  readonly #options: LinkOptions;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#socket = new ReconnectingWebSocket({
      url: options.url,
      inCall: options.inCall,
      onMessage: this.#heard,
      onLost: this.#lost,
    });
  }

  /** False where there is no connection: the message is not kept. */
  send(message: ClientMessage): boolean {
    return this.ready && this.#socket.send(message);
  }

  /** Whether messages reach the server within so many milliseconds. Waits only where a connection is expected. */
  async whenReady(ms: number): Promise<boolean> {
    if (this.ready || this.status === "lost") return this.ready;
    return new Promise((resolve) => {
      const done = (ready: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve(ready);
      };
      const timer = setTimeout(() => done(false), ms);
      this.#waiting.add(done);
    });
  }

  /** Something hints at a loss: looks at once. `within`: milliseconds for the answer. */
  check(within?: number): void {
    this.#socket.check(within);
  }

  /** Whether messages may well not arrive, though nobody knows yet. */
  get doubtful(): boolean {
    return this.#socket.doubtful;
  }

  /** Whether calls ring here. Those that stand go on. */
  takeCalls(wanted: boolean): void {
    if (wanted === this.#takesCalls) return;
    this.#takesCalls = wanted;
    if (!this.ready) return;
    if (wanted) this.register();
    else this.send({ type: "unregister" });
  }

  /** Tells who we are anew: there is another token. */
  register(): void {
    if (this.#introduced) this.#introduce(); // else it is told with the connection
  }

  #introduce(): void {
    const { user } = this.#options;
    this.#introduced = true;
    const token = this.#options.token();
    this.#socket.send({ type: "register", user, ...(token ? { token } : {}) });
  }

  close(): void {
    clearTimeout(this.#going);
    clearTimeout(this.#quiet);
    this.ready = false;
    this.#socket.close();
    for (const done of [...this.#waiting]) done(false);
  }

  readonly #heard = (message: ServerMessage): void => {
    switch (message.type) {
      case "welcome":
        return void this.#greet(message.session);
      case "resumed":
        this.#resumed = [];
        return void this.#keep(message.session);
      case "registered":
        this.#stands();
        if (!this.#takesCalls) this.send({ type: "unregister" });
        return;
      case "unregistered":
        return this.#change(this.status, false, this.ready);
      case "calls":
        // One that comes with `resumed` knows only the session's calls, not yet the user's: the next has both.
        if (!this.ready) return void (this.#resumed &&= message.calls);
        this.#options.onCalls(message.calls, this.#listed ? "later" : "first");
        this.#listed = true;
        return;
      case "ice-servers":
        return this.#options.onIceServers?.(message);
      case "reconnect":
        this.#announced = true;
        clearTimeout(this.#going);
        this.#going = window.setTimeout(() => this.#socket.renew(), Math.random() * message.within * 1000);
        return;
      case "error":
        if (message.code !== "unauthorized") break;
        // The session is forgotten there, e.g. after a long sleep. Its calls are still found by their user.
        if (message.field === "session") return void this.#keep(this.#offered);
        if (message.callId) this.#options.onMessage(message); // what was asked for came to nothing
        this.#options.onRefused(message.message);
        return this.#goesOn();
    }
    this.#options.onMessage(message);
  };

  async #greet(offered: string): Promise<void> {
    const connection = ++this.connection;
    this.#offered = offered;
    const session = await this.#options.session;
    if (connection !== this.connection) return; // lost in the meantime
    if (session.token) this.#socket.send({ type: "resume", session: session.token });
    else session.token = offered;
    this.#introduce();
  }

  async #keep(token: string | null): Promise<void> {
    (await this.#options.session).token = token;
  }

  /** Without a sign-in nothing rings here, and nobody is called. But our calls are our session's: they do as they are told. */
  #goesOn(): void {
    if (this.ready || !this.#resumed) return;
    const calls = this.#resumed;
    this.#stands(false);
    this.#options.onCalls(calls, "first");
    this.#listed = true;
  }

  #stands(registered = this.#takesCalls): void {
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
    this.#announced = false;
    this.#listed = false;
    this.#socket.serves();
    this.#change("open", registered, true);
    for (const done of [...this.#waiting]) done(true);
  }

  readonly #lost = (code: number | null): void => {
    if (code === SUPERSEDED) void this.#keep(null); // two pages with one session would go on doing this to each other
    this.connection++;
    this.#introduced = false;
    this.#resumed = null;
    clearTimeout(this.#going);
    if (this.#announced) {
      this.#announced = false;
      this.#quiet = window.setTimeout(this.#quietEnds, QUIET_MS);
    }
    if (this.#quiet === undefined) this.#change("lost", false, false);
    else this.#change(this.status, this.registered, false);
  };

  readonly #quietEnds = (): void => {
    this.#quiet = undefined;
    this.#change("lost", false, false);
  };

  #change(status: LinkStatus, registered: boolean, ready: boolean): void {
    this.status = status;
    this.registered = registered;
    this.ready = ready;
    this.#options.onChange();
  }
}
