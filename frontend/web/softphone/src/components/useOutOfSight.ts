// What tells of a call while the page is not looked at: title, icon, notification, headset keys, wake lock.

import { useEffect } from "react";
import call from "../icons/call.svg";
import idle from "../icons/idle.svg";
import ring from "../icons/ring.svg";
import { facing, type LiveCall } from "sip-proxy-client";
import { STATE_WORDS, missedOf } from "../texts";

/** From the key to the reload, in milliseconds. */
const RELOADS_WITHIN_MS = 1000;

export interface OutOfSightActions {
  accept(id: string): void;
  hangup(): void;
  decline(id: string): void;
}

/**
 * `current`: the call that matters now; who rings comes before who talks. `talking`: whether a call would end with the
 * page. `missed`: parties that called in vain, and nobody has looked. `aloud`: this page rings, not another one of the same browser.
 */
export function useOutOfSight(current: LiveCall | null, talking: boolean, aloud: boolean, missed: number, actions: OutOfSightActions): void {
  const live = current !== null;
  const id = current?.id ?? "";
  const phase = current?.phase ?? "idle";
  const { name, number } = current ? facing(current) : { name: "", number: "" };
  const party = name || number;

  useEffect(() => {
    document.title = live ? `${STATE_WORDS[phase]}: ${party}` : missed > 0 ? `(${missedOf(missed)}) Softphone` : "Softphone";
    document.getElementById("favicon")?.setAttribute("href", phase === "incoming" ? ring : live ? call : idle);
  }, [live, phase, party, missed]);

  useEffect(() => {
    if (phase !== "incoming" || !aloud || !document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
    const note = new Notification(`${party} is calling`, { tag: "incoming-call", requireInteraction: true, icon: ring });
    note.onclick = () => {
      window.focus();
      actions.accept(id);
    };
    return () => note.close();
  }, [id, phase, party, aloud]);

  useEffect(() => {
    if (!live) return;
    // A closed tab ends its call, though only after the grace; a reload does not: the call comes back. Browsers do not
    // tell which of the two it is. So a reload that we see coming is not asked about, and all else is. A call that only
    // rings does not end with the page.
    let reloads = 0;
    const pressed = ({ key, ctrlKey, metaKey }: KeyboardEvent): void => {
      if (key === "F5" || (key.toLowerCase() === "r" && (ctrlKey || metaKey))) reloads = Date.now();
    };
    const ask = (event: BeforeUnloadEvent): void => {
      if (talking && Date.now() - reloads > RELOADS_WITHIN_MS) event.preventDefault();
    };
    addEventListener("keydown", pressed, true);
    addEventListener("beforeunload", ask);
    const lock = navigator.wakeLock?.request("screen").catch(() => null);
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
      void lock?.then((held) => held?.release());
      handle(null);
    };
  }, [live, id, phase, talking]);
}
