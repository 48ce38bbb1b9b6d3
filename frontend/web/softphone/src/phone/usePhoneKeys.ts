// The keyboard of the phone page. Keys that are typed into a field or a popover are left to it.

import { useEffect, useRef } from "react";
import { flushSync } from "react-dom";
import { isConference, type LiveCall } from "sip-proxy-client";
import type { PhoneActions } from "../components/actions";
import type { FormKind } from "../components/TransferForm";

export interface PhoneKeys {
  active: LiveCall | null;
  waiting: LiveCall | null;
  otherCalls: readonly LiveCall[];
  isFormOpen: boolean; // for a number to transfer to, or to add
  canOpenForm: boolean;
  actions: PhoneActions;
  openForm(what: FormKind | null): void;
  dial(): void;
  write(key: string): void;
  help(): void;
  search(): void;
}

export function usePhoneKeys(keys: PhoneKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      // A key that is held down counts once: the second Escape would end another call.
      if (
        event.defaultPrevented ||
        event.repeat ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        document.querySelector("dialog[open]")
      )
        return;
      if (handle(event, latest.current)) event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

function handle(event: KeyboardEvent, keys: PhoneKeys): boolean {
  const { key } = event;
  const { active, waiting, actions } = keys;
  const target = event.target as HTMLElement;
  const typing = target.matches("input, select, textarea") || target.closest("[role=dialog]") !== null;
  if (key === "Escape") {
    if (keys.isFormOpen) keys.openForm(null);
    else if (typing)
      target.blur(); // a call is not ended from within a search
    else if (active?.phase === "incoming") actions.decline();
    else if (active?.transferring) actions.cancelTransfer();
    else if (active) actions.hangup();
    return active !== null;
  }
  if (typing) return false;
  if (key === "Enter" && !target.matches("button, a")) {
    if (active?.phase === "incoming") actions.accept();
    else if (waiting) actions.accept(waiting.id);
    else if (!active) keys.dial();
    return true;
  }
  if (/^[0-9*#+]$/.test(key) && active?.phase !== "incoming") {
    keys.write(key);
    return true;
  }
  const act = CALL_KEYS[key.toLowerCase()];
  if (key === "?") keys.help();
  else if (act && active && active.phase !== "incoming") act(active, keys);
  else if (key === "/") {
    flushSync(keys.search); // what is typed right after it is searched for
    [...document.querySelectorAll<HTMLInputElement>("input[type=search]")].find((field) => field.offsetParent)?.focus();
  } else return false;
  return true;
}

const CALL_KEYS: Record<string, (call: LiveCall, keys: PhoneKeys) => void> = {
  m: (call, { actions }) => actions.setMuted(!call.muted),
  h: (call, { actions }) => call.transferring === null && actions.hold(call.id, !call.held),
  s: (_, { actions, otherCalls }) => otherCalls[0] && actions.switchTo(otherCalls[0].id),
  t: (call, { canOpenForm, openForm }) => canOpenForm && !isConference(call) && openForm("transfer"),
  a: (_, { canOpenForm, openForm }) => canOpenForm && openForm("add"),
};
