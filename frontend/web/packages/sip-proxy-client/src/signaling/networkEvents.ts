// What hints that the connection may be gone, before anybody can know: the network changed, or the page was asleep.

/** Returns a function that stops it. */
export function onNetworkChange(listener: () => void): () => void {
  const shown = (event: PageTransitionEvent): void => {
    if (event.persisted) listener(); // out of the back/forward cache
  };
  const connection = (navigator as { connection?: EventTarget }).connection; // not in every browser
  addEventListener("online", listener);
  addEventListener("offline", listener);
  addEventListener("pageshow", shown);
  document.addEventListener("resume", listener); // Page Lifecycle: no longer frozen
  connection?.addEventListener("change", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
    removeEventListener("pageshow", shown);
    document.removeEventListener("resume", listener);
    connection?.removeEventListener("change", listener);
  };
}
