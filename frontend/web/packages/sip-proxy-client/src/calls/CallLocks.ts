// One lock for each call of this page, by which the other pages of this browser know that it is in use.

import { SwitchableLock } from "../signaling/webLocks.js";

export const callLock = (callId: string): string => `sip-proxy.call.${callId}`;

export class CallLocks {
  readonly #locks = new Map<string, SwitchableLock>();

  /** These calls from now on, and no others. */
  set(ids: readonly string[]): void {
    for (const [id, lock] of this.#locks) {
      if (ids.includes(id)) continue;
      lock.set(null);
      this.#locks.delete(id);
    }
    for (const id of ids) {
      if (this.#locks.has(id)) continue;
      const lock = new SwitchableLock();
      lock.set(callLock(id));
      this.#locks.set(id, lock);
    }
  }
}
