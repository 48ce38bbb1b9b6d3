// What a page stores of its calls, in this tab only, for the time after a reload: they are shown at once, muted and held
// as they were.

import { type Call, isLive, type LiveCall, type PhoneState, type ReleaseMode } from "../state/model.js";

const KEY = "sip-proxy.calls";

/** `scope`: the user and the server that they belong to. */
const keyOf = (scope: string): string => `${KEY}.${scope}`;

const MAX_RELEASED = 20;

export interface StoredCalls {
  calls: LiveCall[]; // that lived when the page ended; the active one first
  released: [id: string, how: ReleaseMode][]; // ended here; the server may not know it yet
}

const isCall = (value: Partial<Call> | null): boolean => typeof value?.id === "string" && Array.isArray(value.parties);

export function loadCalls(scope: string): StoredCalls {
  try {
    const value = JSON.parse(sessionStorage.getItem(keyOf(scope)) ?? "null") as Partial<StoredCalls> | null;
    const calls = (Array.isArray(value?.calls) ? value.calls : []).filter((call) => isCall(call) && isLive(call));
    const released = (Array.isArray(value?.released) ? value.released : []).filter(
      (one) => Array.isArray(one) && typeof one[0] === "string",
    );
    return { calls: calls.map((call) => ({ ...call, media: "returning", problem: null })), released };
  } catch {
    return { calls: [], released: [] };
  }
}

/** A ringing call is not stored: the server reports it again. */
export function saveCalls(
  scope: string,
  { calls, activeId }: Pick<PhoneState, "calls" | "activeId">,
  released: ReadonlyMap<string, ReleaseMode>,
): void {
  const accepted = calls.filter(({ phase }) => phase !== "incoming");
  const stored: StoredCalls = {
    calls: [...accepted.filter(({ id }) => id === activeId), ...accepted.filter(({ id }) => id !== activeId)],
    released: [...released].slice(-MAX_RELEASED),
  };
  try {
    sessionStorage.setItem(keyOf(scope), JSON.stringify(stored));
  } catch {
    // Storage is full or forbidden: the server's list is enough, but for mute and digits.
  }
}

/** They belong to another tab, or to another user. */
export function clearCalls(scope: string): void {
  try {
    sessionStorage.removeItem(keyOf(scope));
  } catch {
    return;
  }
}
