// Our standing with the server: each new connection takes up the page's session and registers its user again.

import type { CallSummary, ClientMessage, IceServers, ServerMessage } from "../protocol/messages.js";
import type { PageSession } from "./PageSession.js";
import { ReconnectingWebSocket } from "./ReconnectingWebSocket.js";

export type LinkStatus = "connecting" | "open" | "lost";

/** A list of calls: the first of a connection, with what happened before it, or one after a change. */
export type ListKind = "first" | "later";

export interface SignalingClientOptions {
  url: string;
  user: string;
  token(): string | null; // of the sign-in; null with authentication off
  session: Promise<PageSession>;
  isInCall(): boolean;
  onMessage(message: ServerMessage): void; // except those that have a callback of their own
  onCalls(calls: CallSummary[], when: ListKind): void;
  onIceServers?(message: IceServers): void;
  onChange(): void; // of any of the fields below
  onUnauthorized(reason: string): void; // the server does not accept the sign-in any more
}

/** The server's close code: another connection has taken over our session. */
const CLOSE_SUPERSEDED = 4001;

/** A change of server that was announced is hidden for this time. */
const QUIET_RECONNECT_MS = 2000;

export class SignalingClient {
  /** As users should see it: an announced change of server is hidden unless it takes long. */
  status: LinkStatus = "connecting";
  registered = false;
  /** Whether messages reach the server now. */
  ready = false;
  /** Counts the connections: what was sent on an earlier one may not have arrived. */
  connection = 0;

  readonly #socket: ReconnectingWebSocket;
  #shouldRegister = true; // what is wanted
  #hasList = false; // there was a list on this connection
  #registerSent = false; // on this connection
  #isAccepted = false; // on this connection, so that a new token only has to be shown
  #resumedCalls: CallSummary[] | null = null; // our session has been resumed on this connection, with these calls
  #newToken: string | null = null; // a new session, should the server not know ours
  #reconnectAnnounced = false; // that the server goes
  #renewTimer: number | undefined;
  #quietTimer: number | undefined; // while a loss is not shown
  readonly #waiting = new Set<(ready: boolean) => void>();
  readonly #options: SignalingClientOptions;

  constructor(options: SignalingClientOptions) {
    this.#options = options;
    this.#socket = new ReconnectingWebSocket({
      url: options.url,
      isInCall: options.isInCall,
      onMessage: this.#onMessage,
      onLost: this.#onLost,
    });
  }

  /** False without a connection: the message is not kept. */
  send(message: ClientMessage): boolean {
    return this.ready && this.#socket.send(message);
  }

  /** Whether messages reach the server within `ms` milliseconds. Waits only if a connection is expected. */
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

  /** Whether the connection is suspected to be lost. */
  get isDoubtful(): boolean {
    return this.#socket.isDoubtful;
  }

  /** Whether calls ring here. Existing calls continue. */
  setRegistered(registered: boolean): void {
    if (registered === this.#shouldRegister) return;
    this.#shouldRegister = registered;
    if (!this.ready) return;
    if (registered) this.#sendRegister();
    else this.send({ type: "unregister" });
  }

  /** Goes on with a new token. */
  authenticate(): void {
    const token = this.#options.token();
    if (this.#isAccepted && token) this.#socket.send({ type: "authenticate", token });
    else if (this.#registerSent) this.#sendRegister(); // else it is sent with the next connection
  }

  #sendRegister(): void {
    const { user } = this.#options;
    this.#registerSent = true;
    this.#socket.send({ type: "register", user, token: this.#options.token() || undefined });
  }

  close(): void {
    clearTimeout(this.#renewTimer);
    clearTimeout(this.#quietTimer);
    this.ready = false;
    this.#socket.close();
    for (const done of [...this.#waiting]) done(false);
  }

  readonly #onMessage = (message: ServerMessage): void => {
    switch (message.type) {
      case "welcome":
        return void this.#onWelcome(message.session);
      case "resumed":
        this.#resumedCalls = [];
        return void this.#storeToken(message.session);
      case "authenticated":
        return void (message.session && this.#storeToken(message.session));
      case "registered":
        this.#isAccepted = true;
        if (message.session) void this.#storeToken(message.session);
        this.#becomeReady();
        if (!this.#shouldRegister) this.send({ type: "unregister" });
        return;
      case "unregistered":
        return this.#setStatus(this.status, false, this.ready);
      case "calls":
        // One that comes with `resumed` knows only the session's calls, not yet the user's: the next has both.
        if (!this.ready) return void (this.#resumedCalls &&= message.calls);
        this.#options.onCalls(message.calls, this.#hasList ? "later" : "first");
        this.#hasList = true;
        return;
      case "ice-servers":
        return this.#options.onIceServers?.(message);
      case "reconnect":
        this.#reconnectAnnounced = true;
        clearTimeout(this.#renewTimer);
        this.#renewTimer = window.setTimeout(() => this.#socket.renew(), Math.random() * message.within * 1000);
        return;
      case "error":
        if (message.code !== "unauthorized") break;
        // The session is forgotten there, e.g. after a long sleep. Its calls are still found by their user.
        if (message.field === "session") return void this.#storeToken(this.#newToken);
        this.#isAccepted = false;
        if (message.callId) this.#options.onMessage(message); // a request has failed
        this.#options.onUnauthorized(message.message);
        return this.#continueUnregistered();
    }
    this.#options.onMessage(message);
  };

  async #onWelcome(offered: string): Promise<void> {
    const connection = ++this.connection;
    this.#newToken = offered;
    const session = await this.#options.session;
    if (connection !== this.connection) return; // lost in the meantime
    if (session.token)
      this.#socket.send({ type: "resume", session: session.token, token: this.#options.token() || undefined });
    else session.token = offered;
    this.#sendRegister();
  }

  async #storeToken(token: string | null): Promise<void> {
    (await this.#options.session).token = token;
  }

  /** Without a sign-in nothing rings here, and no calls can be made. But our session still owns its calls and may command them. */
  #continueUnregistered(): void {
    if (this.ready || !this.#resumedCalls) return;
    const calls = this.#resumedCalls;
    this.#becomeReady(false);
    this.#options.onCalls(calls, "first");
    this.#hasList = true;
  }

  #becomeReady(registered = this.#shouldRegister): void {
    clearTimeout(this.#quietTimer);
    this.#quietTimer = undefined;
    this.#reconnectAnnounced = false;
    this.#hasList = false;
    this.#socket.resetBackoff();
    this.#setStatus("open", registered, true);
    for (const done of [...this.#waiting]) done(true);
  }

  readonly #onLost = (code: number | null): void => {
    if (code === CLOSE_SUPERSEDED) void this.#storeToken(null); // two pages with one session would cut each other off for ever
    this.connection++;
    this.#registerSent = this.#isAccepted = false;
    this.#resumedCalls = null;
    clearTimeout(this.#renewTimer);
    if (this.#reconnectAnnounced) {
      this.#reconnectAnnounced = false;
      this.#quietTimer = window.setTimeout(this.#onQuietEnd, QUIET_RECONNECT_MS);
    }
    if (this.#quietTimer === undefined) this.#setStatus("lost", false, false);
    else this.#setStatus(this.status, this.registered, false);
  };

  readonly #onQuietEnd = (): void => {
    this.#quietTimer = undefined;
    this.#setStatus("lost", false, false);
  };

  #setStatus(status: LinkStatus, registered: boolean, ready: boolean): void {
    this.status = status;
    this.registered = registered;
    this.ready = ready;
    this.#options.onChange();
  }
}
