// Whether the browser lets this page be heard: most keep all sound back after a load until somebody has pressed something.

/** What browsers take for a press (HTML, "activation triggering input event"): a finger counts when it is lifted. */
const ACTIVATION_EVENTS = ["keydown", "mousedown", "pointerdown", "pointerup", "touchend"];

/** Hears of each press on the page, before anybody else. The function that it gives stops it. */
export function onUserActivation(listener: () => void): () => void {
  if (typeof addEventListener === "undefined") return () => undefined; // not in a browser
  for (const press of ACTIVATION_EVENTS) addEventListener(press, listener, true);
  return () => {
    for (const press of ACTIVATION_EVENTS) removeEventListener(press, listener, true);
  };
}

/** An AudioContext; null where the browser has none, or gives no more. */
export function audioContext(): AudioContext | null {
  try {
    return new AudioContext();
  } catch {
    return null;
  }
}

/** Starts what the browser kept back. Chromium starts nothing by itself that was refused before a press. */
export function resume(context: AudioContext | null): void {
  if (context && context.state !== "running" && context.state !== "closed") context.resume().catch(() => undefined);
}

/** A context that may run begins to within that time, in milliseconds: longer, and it is kept back. */
const START_TIMEOUT_MS = 1000;

/** Tries whether the page may be heard, from its load on until it may. */
export class Autoplay {
  blocked = false;
  #probe = audioContext();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.check();
    if (!this.#probe) return;
    this.#probe.onstatechange = () => this.check();
    this.#timer = setTimeout(() => (this.check(), this.#setBlocked(this.#probe !== null)), START_TIMEOUT_MS);
  }

  /** Somebody has pressed something, or was heard: from here on everything may be. */
  allow(): void {
    clearTimeout(this.#timer);
    if (this.#probe) {
      this.#probe.onstatechange = null;
      void this.#probe.close().catch(() => undefined);
    }
    this.#probe = null;
    this.#setBlocked(false);
  }

  /** Whether it may be by now, e.g. after a press. */
  check(): void {
    if (this.#probe && this.#isAllowed()) this.allow();
  }

  /** Firefox says it; a context of its runs only where there is a loudspeaker too. */
  #isAllowed(): boolean {
    const { userActivation, getAutoplayPolicy } = navigator as Navigator & { getAutoplayPolicy?(of: string): string };
    if (userActivation?.hasBeenActive || this.#probe?.state === "running") return true;
    return getAutoplayPolicy?.call(navigator, "audiocontext") === "allowed";
  }

  #setBlocked(blocked: boolean): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.#onChange();
  }
}
