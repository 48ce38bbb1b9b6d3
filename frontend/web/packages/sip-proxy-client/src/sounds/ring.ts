// Of all pages of a user in this browser one rings: the one that had the focus last.

/** `onChange` is called with whether it is this page. Returns a function that stops it. */
export function electRingingPage(user: string, onChange: (rings: boolean) => void): () => void {
  if (typeof navigator === "undefined" || !navigator.locks) {
    onChange(true);
    return () => undefined;
  }
  const name = `sip-proxy.ring.${user}`;
  let isStopped = false;
  let release: (() => void) | null = null; // while this page rings
  let waiting = new AbortController();

  const hold = (): Promise<void> =>
    new Promise((resolve) => {
      release = resolve;
      if (isStopped) return resolve();
      onChange(true);
    });
  const lost = (): void => {
    release = null;
    if (isStopped) return;
    onChange(false);
    wait(); // should the other page be closed
  };
  /** Locks are forbidden here, as storage is: better two pages that ring than none. */
  const alone = (): void => {
    if (!isStopped) onChange(true);
  };
  const wait = (): void => {
    waiting = new AbortController();
    const { signal } = waiting;
    navigator.locks
      .request(name, { signal }, hold)
      .catch((error: unknown) => signal.aborted || (isTaken(error) ? lost() : alone()));
  };
  const takeIt = (): void => {
    if (release || isStopped || document.hidden) return;
    waiting.abort();
    navigator.locks.request(name, { steal: true }, hold).catch((error: unknown) => (isTaken(error) ? lost() : alone()));
  };

  wait();
  if (document.hasFocus()) takeIt();
  addEventListener("focus", takeIt);
  document.addEventListener("visibilitychange", takeIt);
  return () => {
    isStopped = true;
    waiting.abort();
    removeEventListener("focus", takeIt);
    document.removeEventListener("visibilitychange", takeIt);
    release?.();
  };
}

/** Another page has taken the lock from this one. */
const isTaken = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
