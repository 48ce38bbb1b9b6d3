// Indicates calls while the page is hidden: title, icon, notification, headset keys, wake lock. Asks before the page is
// closed during a call.

import { useEffect } from "react";
import { connectedParty, type LiveCall } from "sip-proxy-client";
import call from "../icons/call.svg";
import idle from "../icons/idle.svg";
import ring from "../icons/ring.svg";
import { callingNow, missedOf, STATE_LABELS } from "../texts";
import { notificationState, notify } from "./notifications";
import { expectReload, isReloading } from "./reload";

export interface BackgroundActions {
  accept(id: string): void;
  hangup(): void;
  decline(id: string): void;
}

/**
 * `current`: the most important call; a ringing one comes before an accepted one. `talking`: whether a call would end with the
 * page. `missed`: parties with missed calls that have not been seen. `ringsHere`: this page rings, not another one of the browser.
 */
export function useBackgroundIndicators(
  current: LiveCall | null,
  talking: boolean,
  ringsHere: boolean,
  missed: number,
  actions: BackgroundActions,
): void {
  const live = current !== null;
  const id = current?.id ?? "";
  const phase = current?.phase ?? "idle";
  const { name, number } = current ? connectedParty(current) : { name: "", number: "" };
  const party = name || number;

  useEffect(() => {
    document.title = live
      ? `${STATE_LABELS[phase]}: ${party}`
      : missed > 0
        ? `(${missedOf(missed)}) Softphone`
        : "Softphone";
    document.getElementById("favicon")?.setAttribute("href", phase === "incoming" ? ring : live ? call : idle);
  }, [live, phase, party, missed]);

  // Also if the page is hidden while the call rings.
  useEffect(() => {
    if (phase !== "incoming" || !ringsHere) return;
    let close = (): void => undefined;
    const look = (): void => {
      close();
      const shown = document.hidden && notificationState() === "allowed";
      close = shown
        ? notify(callingNow(party), { tag: "incoming-call", requireInteraction: true, icon: ring }, () =>
            actions.accept(id),
          )
        : () => undefined;
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      close();
    };
  }, [id, phase, party, ringsHere]);

  useEffect(() => {
    if (!live) return;
    // A closed tab ends its call, though only after the grace; a reload does not: the call comes back. Browsers do not
    // tell which of the two it is. So the page does not ask before a reload that it has noticed, but before any other. A call that only
    // rings does not end with the page.
    const pressed = ({ key, ctrlKey, metaKey }: KeyboardEvent): void => {
      if (key === "F5" || (key.toLowerCase() === "r" && (ctrlKey || metaKey))) expectReload();
    };
    const ask = (event: BeforeUnloadEvent): void => {
      if (talking && !isReloading()) event.preventDefault();
    };
    addEventListener("keydown", pressed, true);
    addEventListener("beforeunload", ask);
    const session = navigator.mediaSession;
    const end = (): void => (phase === "incoming" ? actions.decline(id) : actions.hangup());
    // "hangup" is not known to every browser, and an unknown name throws.
    const handle = (handler: (() => void) | null): void => {
      try {
        session?.setActionHandler("hangup" as MediaSessionAction, handler);
      } catch {
        return;
      }
    };
    handle(end);
    return () => {
      removeEventListener("keydown", pressed, true);
      removeEventListener("beforeunload", ask);
      handle(null);
    };
  }, [live, id, phase, talking]);

  useEffect(() => (live ? keepScreenOn() : undefined), [live]);
}

/** Keeps the screen on. Browsers release the lock whenever the page is hidden: it is requested again. */
function keepScreenOn(): () => void {
  let isCancelled = false;
  let lock: WakeLockSentinel | null = null;
  const release = (held: WakeLockSentinel | null): void => void held?.release().catch(() => undefined);
  const hold = async (): Promise<void> => {
    if (document.hidden || (lock && !lock.released)) return;
    try {
      lock = (await navigator.wakeLock?.request("screen")) ?? null;
    } catch {
      lock = null; // the battery is low, or the page may not
    }
    if (isCancelled) release(lock);
  };
  const look = (): void => void hold();
  look();
  document.addEventListener("visibilitychange", look);
  return () => {
    isCancelled = true;
    document.removeEventListener("visibilitychange", look);
    release(lock);
  };
}
