// The connection to the server: the only file that touches WebSocket.
// It connects, notices a dead line by pings, reconnects with backoff for ever, and passes typed messages.

import { Elapsed } from "../clock.js";
import type { ClientMessage, ServerMessage } from "../protocol/messages.js";
import { LONGEST_IN_CALL_MS, backoff } from "./backoff.js";
import { begin, check, heard, isDoubtful, tick, type Heartbeat } from "./heartbeat.js";

export interface SocketOptions {
  url: string;
  inCall(): boolean; // pings are closer together then
  onMessage(message: ServerMessage): void; // the server speaks first
  onLost(code: number | null): void; // an open connection, or a try; with the close code where the server closed
}

const TICK_MS = 500;
const OPEN_WITHIN_MS = 5000;

export class ReconnectingWebSocket {
  #socket: WebSocket | null = null;
  #next: WebSocket | null = null; // is made to take the place of `socket`
  #attempt = 0;
  #retry: number | undefined;
  #deadline: number | undefined; // of a try to connect, or of the answer to a check
  #ticking: number | undefined;
  readonly #clock = new Elapsed();
  #beat: Heartbeat = begin(0);
  #pings = 0;
  #closed = false;
  readonly #options: SocketOptions;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Sends at once; false where there is no connection (the message is not kept). */
  send(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** The server serves us: the next loss is a new one, and is not waited for long. */
  serves(): void {
    this.#attempt = 0;
  }

  /** Something hints at a loss: asks at once whether the connection stands, and waits no longer where it does not. */
  check(within?: number): void {
    if (this.#closed) return;
    if (!this.#socket) this.#connect();
    else if (this.#socket.readyState === WebSocket.OPEN) {
      const now = this.#clock.read();
      if (this.#beat.deadline !== null && now - this.#beat.pingedAt < TICK_MS) return; // hints come in swarms
      this.#beat = check(this.#beat, now, within);
      this.#ping();
      clearTimeout(this.#deadline);
      this.#deadline = window.setTimeout(this.#tick, (this.#beat.deadline ?? now) - now + 1);
    }
  }

  /** Whether what is sent now may well not arrive. */
  get doubtful(): boolean {
    return isDoubtful(this.#beat, this.#clock.read());
  }

  /** Leaves a connection that is known to end, once there is another one in its place. */
  renew(): void {
    if (this.#closed || this.#socket?.readyState !== WebSocket.OPEN || this.#next) return; // else it is renewed already
    const next = new WebSocket(this.#options.url);
    this.#next = next;
    next.onopen = () => {
      this.#next = null;
      this.#drop();
      this.#options.onLost(null);
      this.#serve(next);
    };
    next.onclose = () => {
      this.#next = null;
      this.#retry = window.setTimeout(() => this.renew(), backoff(1, Math.random()));
    };
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #connect(): void {
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    this.#deadline = window.setTimeout(() => this.#lost(null), OPEN_WITHIN_MS);
    socket.onopen = () => this.#serve(socket);
    socket.onclose = () => this.#lost(null);
  }

  #serve(socket: WebSocket): void {
    clearTimeout(this.#deadline);
    this.#socket = socket;
    this.#beat = begin(this.#clock.read());
    this.#ticking = window.setInterval(this.#tick, TICK_MS);
    socket.onclose = (event) => this.#lost(event.code);
    socket.onmessage = (event) => {
      this.#beat = heard(this.#beat);
      const message = parse(event.data);
      if (message && message.type !== "pong") this.#options.onMessage(message);
    };
  }

  readonly #tick = (): void => {
    const { beat, act } = tick(this.#beat, this.#clock.read(), this.#options.inCall());
    this.#beat = beat;
    if (act === "lost") this.#lost(null);
    else if (act === "ping") this.#ping();
  };

  #ping(): void {
    this.send({ type: "ping", id: ++this.#pings });
  }

  #lost(code: number | null): void {
    if (this.#closed) return;
    this.#drop();
    const wait = backoff(this.#attempt++, Math.random(), this.#options.inCall() ? LONGEST_IN_CALL_MS : undefined);
    this.#retry = window.setTimeout(() => this.#connect(), wait);
    this.#options.onLost(code);
  }

  /** Lets go of what there is without hearing of it again. */
  #drop(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#deadline);
    clearInterval(this.#ticking);
    for (const socket of [this.#socket, this.#next]) {
      if (!socket) continue;
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.#socket = this.#next = null;
  }
}

function parse(data: unknown): ServerMessage | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null && "type" in value ? (value as ServerMessage) : null;
  } catch {
    return null;
  }
}

/** The address of the WebSocket beside this page. */
export function socketUrl(page: { protocol: string; host: string }): string {
  return `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}/ws`;
}
