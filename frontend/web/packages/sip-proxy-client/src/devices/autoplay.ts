// Whether the browser lets this page play sound: most block it after a load until the user has interacted with the page.

/** What browsers take for a press (HTML, "activation triggering input event"): a finger counts when it is lifted. */
const ACTIVATION_EVENTS = ["keydown", "mousedown", "pointerdown", "pointerup", "touchend"];

/** Calls `listener` upon each interaction, before all other listeners. Returns a function that stops it. */
export function onUserActivation(listener: () => void): () => void {
  if (typeof addEventListener === "undefined") return () => undefined; // not in a browser
  for (const press of ACTIVATION_EVENTS) addEventListener(press, listener, true);
  return () => {
    for (const press of ACTIVATION_EVENTS) removeEventListener(press, listener, true);
  };
}

/** An AudioContext; null if the browser has none, or allows no more of them. */
export function audioContext(): AudioContext | null {
  try {
    return new AudioContext();
  } catch {
    return null;
  }
}

/** Starts a context that the browser has blocked. Chromium does not start it by itself after an interaction. */
export function resume(context: AudioContext | null): void {
  if (context && context.state !== "running" && context.state !== "closed") context.resume().catch(() => undefined);
}

/** A context that is allowed starts within this time; later it counts as blocked. */
const START_TIMEOUT_MS = 1000;

/** Checks whether the page may play sound, from its load until it may. */
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

  /** After an interaction, or once a sound has played: from now on all sounds are allowed. */
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

  /** Firefox has an API for it; its contexts run only if there is a loudspeaker. */
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
