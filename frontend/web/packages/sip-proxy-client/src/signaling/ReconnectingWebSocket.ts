// The connection to the server: the only file that touches WebSocket.
// It connects, detects a dead line by pings, reconnects with backoff, and passes typed messages.

import { Elapsed } from "../clock.js";
import type { ClientMessage, ServerMessage } from "../protocol/messages.js";
import { backoff, MAX_DELAY_IN_CALL_MS } from "./backoff.js";
import { check, type Heartbeat, isDoubtful, onReceived, startHeartbeat, tick } from "./heartbeat.js";

export interface ReconnectingWebSocketOptions {
  url: string;
  isInCall(): boolean; // pings are closer together then
  onMessage(message: ServerMessage): void; // the server speaks first
  onLost(code: number | null): void; // an open connection, or an attempt; with the close code if the server closed it
}

const TICK_INTERVAL_MS = 500;
const CONNECT_TIMEOUT_MS = 5000;

export class ReconnectingWebSocket {
  #socket: WebSocket | null = null;
  #next: WebSocket | null = null; // is made to take the place of `socket`
  #attempt = 0;
  #retryTimer: number | undefined;
  #deadlineTimer: number | undefined; // of an attempt to connect, or of the response to a check
  #tickTimer: number | undefined;
  readonly #clock = new Elapsed();
  #heartbeat: Heartbeat = startHeartbeat(0);
  #pingCount = 0;
  #closed = false;
  readonly #options: ReconnectingWebSocketOptions;

  constructor(options: ReconnectingWebSocketOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Sends at once; false without a connection (the message is not kept). */
  send(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** The server serves us: the next loss is a new one, and is not waited for long. */
  resetBackoff(): void {
    this.#attempt = 0;
  }

  /** The connection may be lost: pings at once, and reconnects at once if there is none. */
  check(within?: number): void {
    if (this.#closed) return;
    if (!this.#socket) this.#connect();
    else if (this.#socket.readyState === WebSocket.OPEN) {
      const now = this.#clock.read();
      if (this.#heartbeat.deadline !== null && now - this.#heartbeat.pingedAt < TICK_INTERVAL_MS) return; // hints come in swarms
      this.#heartbeat = check(this.#heartbeat, now, within);
      this.#ping();
      clearTimeout(this.#deadlineTimer);
      this.#deadlineTimer = window.setTimeout(this.#tick, (this.#heartbeat.deadline ?? now) - now + 1);
    }
  }

  /** Whether what is sent now may well not arrive. */
  get isDoubtful(): boolean {
    return isDoubtful(this.#heartbeat, this.#clock.read());
  }

  /** Leaves a connection that is known to end, once there is another one in its place. */
  renew(): void {
    if (this.#closed || this.#socket?.readyState !== WebSocket.OPEN || this.#next) return; // else it is renewed already
    const next = new WebSocket(this.#options.url);
    this.#next = next;
    next.onopen = () => {
      this.#next = null;
      this.#closeSockets();
      this.#options.onLost(null);
      this.#adopt(next);
    };
    next.onclose = () => {
      this.#next = null;
      this.#retryTimer = window.setTimeout(() => this.renew(), backoff(1, Math.random()));
    };
  }

  close(): void {
    this.#closed = true;
    this.#closeSockets();
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    this.#deadlineTimer = window.setTimeout(() => this.#onLost(null), CONNECT_TIMEOUT_MS);
    socket.onopen = () => this.#adopt(socket);
    socket.onclose = () => this.#onLost(null);
  }

  #adopt(socket: WebSocket): void {
    clearTimeout(this.#deadlineTimer);
    this.#socket = socket;
    this.#heartbeat = startHeartbeat(this.#clock.read());
    this.#tickTimer = window.setInterval(this.#tick, TICK_INTERVAL_MS);
    socket.onclose = (event) => this.#onLost(event.code);
    socket.onmessage = (event) => {
      this.#heartbeat = onReceived(this.#heartbeat);
      const message = parse(event.data);
      if (message && message.type !== "pong") this.#options.onMessage(message);
    };
  }

  readonly #tick = (): void => {
    const { beat, act } = tick(this.#heartbeat, this.#clock.read(), this.#options.isInCall());
    this.#heartbeat = beat;
    if (act === "lost") this.#onLost(null);
    else if (act === "ping") this.#ping();
  };

  #ping(): void {
    this.send({ type: "ping", id: ++this.#pingCount });
  }

  #onLost(code: number | null): void {
    if (this.#closed) return;
    this.#closeSockets();
    const wait = backoff(this.#attempt++, Math.random(), this.#options.isInCall() ? MAX_DELAY_IN_CALL_MS : undefined);
    this.#retryTimer = window.setTimeout(() => this.#connect(), wait);
    this.#options.onLost(code);
  }

  /** Closes the sockets without any further callback. */
  #closeSockets(): void {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#deadlineTimer);
    clearInterval(this.#tickTimer);
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
