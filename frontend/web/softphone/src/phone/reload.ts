// A reload that the page has noticed in advance: it ends no call, so the page does not ask.

/** From the key, or the press, to the reload, in milliseconds. */
const RELOAD_TIMEOUT_MS = 1000;

let expectedAt = 0;

export const expectReload = (): void => void (expectedAt = Date.now());

export const isReloading = (): boolean => Date.now() - expectedAt < RELOAD_TIMEOUT_MS;

export function reloadPage(): void {
  expectReload();
  location.reload();
}
