// Web Locks: what only one page of this browser may have at a time. A lock is released with its page, also if that crashes.
// PageSession.ts needs one, to recognise a duplicated tab.
// Without them (on an insecure page, which cannot call anyway) each page gets every lock.

export type ReleaseLock = () => void;

const locks = (): LockManager | undefined => (typeof navigator === "undefined" ? undefined : navigator.locks);

/** Acquires a lock within `waitMs` milliseconds; null if another page holds it. */
export async function acquireLock(name: string, waitMs: number): Promise<ReleaseLock | null> {
  const manager = locks();
  if (!manager) return () => undefined;
  return new Promise((resolve) => {
    manager
      .request(
        name,
        { signal: AbortSignal.timeout(waitMs) },
        () => new Promise<void>((release) => resolve(() => release())),
      )
      .catch((error: unknown) =>
        resolve(error instanceof DOMException && error.name === "SecurityError" ? () => undefined : null),
      ); // forbidden: each page has all
  });
}

/** Whether no page of this browser holds the lock. */
export async function isLockFree(name: string): Promise<boolean> {
  return (
    (await locks()
      ?.request(name, { ifAvailable: true }, (lock) => lock !== null)
      .catch(() => null)) ?? true
  ); // forbidden: as without Web Locks
}

/** A lock that can be replaced by another one, e.g. that of the call. */
export class SwitchableLock {
  #name: string | null = null;
  #release: Promise<ReleaseLock | null> = Promise.resolve(null);

  /** Releases the previous lock; null acquires none. */
  set(name: string | null): void {
    if (name === this.#name) return;
    this.#name = name;
    void this.#release.then((release) => release?.());
    this.#release = name === null ? Promise.resolve(null) : acquireLock(name, 5000);
  }
}
