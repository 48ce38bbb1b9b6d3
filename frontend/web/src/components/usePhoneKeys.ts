// The keyboard of the phone page. Keys typed into a field are the field's.

import { useEffect, useRef } from "react";
import type { PhoneActions } from "./PhoneScreen";

export interface PhoneKeys {
  live: boolean;
  incoming: boolean;
  muted: boolean;
  actions: PhoneActions;
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
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (handle(event, latest.current)) event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

function handle(event: KeyboardEvent, keys: PhoneKeys): boolean {
  const { key } = event;
  const target = event.target as HTMLElement;
  const typing = target.matches("input, select, textarea");
  if (key === "Escape") {
    if (keys.incoming) keys.actions.decline();
    else if (keys.live) keys.actions.hangup();
    else if (typing) target.blur();
    return keys.live;
  }
  if (typing) return false;
  if (key === "Enter" && !target.matches("button, a")) {
    if (keys.incoming) keys.actions.accept();
    else if (!keys.live) keys.dial();
    return true;
  }
  if (/^[0-9*#+]$/.test(key) && !keys.incoming) {
    keys.write(key);
    return true;
  }
  if (key === "?") keys.help();
  else if (key.toLowerCase() === "m" && keys.live) keys.actions.setMuted(!keys.muted);
  else if (key === "/") {
    keys.search();
    const fields = [...document.querySelectorAll<HTMLInputElement>("input[type=search]")];
    requestAnimationFrame(() => fields.find((field) => field.offsetParent)?.focus());
  } else return false;
  return true;
}
