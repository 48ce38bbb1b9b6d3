// Web Locks: what only one page of this browser may have at a time. A lock goes with its page, also when that crashes.
// Where there are none (an insecure page, which cannot call anyway), each page has all.

export type ReleaseLock = () => void;

const locks = (): LockManager | undefined => (typeof navigator === "undefined" ? undefined : navigator.locks);

/** Takes a lock, for which it waits so many milliseconds; null where another page keeps it. */
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
  ); // forbidden: as where there are none
}

/** The one lock that a page wants at a time, e.g. that of its call. */
export class SwitchableLock {
  #name: string | null = null;
  #release: Promise<ReleaseLock | null> = Promise.resolve(null);

  /** Lets go of the one before; null wants none. */
  set(name: string | null): void {
    if (name === this.#name) return;
    this.#name = name;
    void this.#release.then((release) => release?.());
    this.#release = name === null ? Promise.resolve(null) : acquireLock(name, 5000);
  }
}
