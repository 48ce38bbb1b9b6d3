// The connection to the server: the only file that touches WebSocket.
// It connects, notices a dead line by ping, reconnects with backoff for ever, and passes typed messages.

import type { ClientMessage, ServerMessage } from "../messages";
import { backoff } from "./backoff";

export type LinkStatus = "connecting" | "open" | "lost";

export interface SocketOptions {
  url: string;
  onMessage(message: ServerMessage): void;
  onStatus(status: LinkStatus): void;
}

const PING_EVERY_MS = 15_000;
const PONG_WITHIN_MS = 8_000;

export class Socket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private retry: number | undefined;
  private pingTimer: number | undefined;
  private pongTimer: number | undefined;
  private pings = 0;
  private closed = false;

  constructor(private readonly options: SocketOptions) {
    addEventListener("online", this.connectNow);
    addEventListener("offline", this.lost);
    this.connect();
  }

  /** Sends at once; false where there is no connection (the message is not kept). */
  send(message: ClientMessage): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close(): void {
    this.closed = true;
    removeEventListener("online", this.connectNow);
    removeEventListener("offline", this.lost);
    clearTimeout(this.retry);
    this.drop();
  }

  private connect(): void {
    this.options.onStatus("connecting");
    const socket = new WebSocket(this.options.url);
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.options.onStatus("open");
      this.pingTimer = window.setInterval(this.ping, PING_EVERY_MS);
    };
    socket.onmessage = (event) => {
      clearTimeout(this.pongTimer);
      const message = parse(event.data);
      if (message && message.type !== "pong") this.options.onMessage(message);
    };
    socket.onclose = this.lost;
  }

  private readonly ping = (): void => {
    this.send({ type: "ping", id: ++this.pings });
    clearTimeout(this.pongTimer);
    this.pongTimer = window.setTimeout(this.lost, PONG_WITHIN_MS);
  };

  private readonly lost = (): void => {
    if (this.closed) return;
    this.drop();
    this.options.onStatus("lost");
    clearTimeout(this.retry);
    this.retry = window.setTimeout(() => this.connect(), backoff(this.attempt++, Math.random()));
  };

  private readonly connectNow = (): void => {
    if (this.closed || this.socket) return;
    clearTimeout(this.retry);
    this.connect();
  };

  /** Lets go of the present socket without hearing of it again. */
  private drop(): void {
    clearInterval(this.pingTimer);
    clearTimeout(this.pongTimer);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
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
