// What tells of a call while the page is not looked at: title, icon, notification, headset keys, wake lock.

import { useEffect } from "react";
import call from "../icons/call.svg";
import idle from "../icons/idle.svg";
import ring from "../icons/ring.svg";
import { isLive, type Call } from "../phone/call";
import { STATE_WORDS } from "../texts";

export interface OutOfSightActions {
  accept(): void;
  hangup(): void;
  decline(): void;
}

export function useOutOfSight(current: Call | null, actions: OutOfSightActions): void {
  const live = isLive(current);
  const phase = live ? current.phase : "idle";
  const party = live ? current.name || current.number : "";

  useEffect(() => {
    document.title = live ? `${STATE_WORDS[phase]}: ${party}` : "Softphone";
    document.getElementById("favicon")?.setAttribute("href", phase === "incoming" ? ring : live ? call : idle);
  }, [live, phase, party]);

  useEffect(() => {
    if (phase !== "incoming" || !document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
    const note = new Notification(`${party} is calling`, { tag: "incoming-call", requireInteraction: true, icon: ring });
    note.onclick = () => {
      window.focus();
      actions.accept();
    };
    return () => note.close();
  }, [phase, party]);

  useEffect(() => {
    if (!live) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", ask);
    const lock = navigator.wakeLock?.request("screen").catch(() => null);
    const session = navigator.mediaSession;
    const end = (): void => (phase === "incoming" ? actions.decline() : actions.hangup());
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
      removeEventListener("beforeunload", ask);
      void lock?.then((held) => held?.release());
      handle(null);
    };
  }, [live, phase]);
}
