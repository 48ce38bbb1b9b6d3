// A browser's parts for tests in Node: sockets that a test speaks through, storage, and locks of several pages.

import { vi } from "vitest";
import type { ClientMessage, ServerMessage } from "../protocol/messages.js";

/** The far end of each WebSocket that was opened, the newest last. */
export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.all.at(-1)!;
  }

  readyState = 0;
  sent: ClientMessage[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as ClientMessage);
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(...messages: ServerMessage[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The server closes, or refuses. */
  end(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  /** What was sent, but for pings. */
  get told(): ClientMessage[] {
    return this.sent.filter((message) => message.type !== "ping");
  }
}

export class FakeStorage {
  private readonly items: Map<string, string>;

  constructor(from?: FakeStorage) {
    this.items = new Map(from?.items);
  }

  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.items.set(key, value);
  removeItem = (key: string): void => void this.items.delete(key);
}

interface LockOptions {
  ifAvailable?: boolean;
  steal?: boolean;
  signal?: AbortSignal;
}

interface Held {
  free: Promise<void>;
  stolen(): void;
}

/** Locks as all pages of a browser share them. */
export class FakeLocks {
  private readonly held = new Map<string, Held>();

  async request(name: string, options: LockOptions | Work, work: Work = options as Work): Promise<unknown> {
    const { ifAvailable, steal, signal } = options as LockOptions;
    const aborted = new Promise<void>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    aborted.catch(() => undefined);
    if (steal) this.held.get(name)?.stolen();
    while (!steal && this.held.has(name)) {
      if (ifAvailable) return work(null);
      await Promise.race([this.held.get(name)?.free, aborted]);
      signal?.throwIfAborted();
    }
    let free = (): void => undefined;
    let stolen = (): void => undefined;
    const taken = new Promise<never>((_, reject) => (stolen = () => reject(new DOMException("stolen", "AbortError"))));
    taken.catch(() => undefined);
    const held: Held = { free: new Promise((resolve) => (free = resolve)), stolen: () => stolen() };
    this.held.set(name, held);
    try {
      return await Promise.race([work({}), taken]);
    } finally {
      if (this.held.get(name) === held) this.held.delete(name);
      free();
    }
  }
}

type Work = (lock: object | null) => unknown;

/** Puts the fakes in the place of the browser's. */
export function fakeBrowser(): { locks: FakeLocks } {
  FakeSocket.all = [];
  const locks = new FakeLocks();
  const target = new EventTarget();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("sessionStorage", new FakeStorage());
  vi.stubGlobal("navigator", { locks });
  vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
  vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
  vi.stubGlobal("dispatchEvent", target.dispatchEvent.bind(target));
  return { locks };
}

/** Lets all promises that are ready be done, also under fake timers. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
