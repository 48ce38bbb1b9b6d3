// Tells the other pages of this browser which calls this one looks after.

import { HeldLock } from "../signaling/webLocks.js";

export const callLock = (callId: string): string => `sip-proxy.call.${callId}`;

export class CallLocks {
  readonly #held = new Map<string, HeldLock>();

  /** These calls from now on, and no others. */
  set(ids: readonly string[]): void {
    for (const [id, lock] of this.#held) {
      if (ids.includes(id)) continue;
      lock.set(null);
      this.#held.delete(id);
    }
    for (const id of ids) {
      if (this.#held.has(id)) continue;
      const lock = new HeldLock();
      lock.set(callLock(id));
      this.#held.set(id, lock);
    }
  }
}
