// What a page remembers of its call beyond its own end, in this tab only: a reload shows the call at once, still muted.

import { isLive, type Call } from "./call";

const KEY = "ari-bridge.call";
const KEEP_RELEASED = 20;

export interface Memory {
  call: Call | null; // that lived when the page ended
  released: string[]; // calls that a person ended; the server may not have heard of it
}

export function recall(): Memory {
  try {
    const value = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Partial<Memory> | null;
    const call = value?.call && typeof value.call.id === "string" && isLive(value.call) ? value.call : null;
    const released = Array.isArray(value?.released) ? value.released.filter((id) => typeof id === "string") : [];
    return { call: call && { ...call, media: "returning", problem: null }, released };
  } catch {
    return { call: null, released: [] };
  }
}

/** A call that only rings is not kept: the server tells of it again. */
export function keep(call: Call | null, released: ReadonlySet<string>): void {
  const kept: Memory = { call: isLive(call) && call.phase !== "incoming" ? call : null, released: [...released].slice(-KEEP_RELEASED) };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Storage is full or forbidden: the server's list is enough, but for mute and digits.
  }
}

/** Of another tab, or of another user: nothing of it is true here. */
export function forget(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    return;
  }
}
