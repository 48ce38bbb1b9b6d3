// API keys as the page shows and makes them. Pure.

import type { Api } from "sip-proxy-client";

export type KeyState = "revoked" | "expired" | "valid";

/** `now`: Unix milliseconds. */
export function stateOf(key: Api.KeyData, now: number): KeyState {
  if (key.revokedAt !== null) return "revoked";
  return key.expiresAt !== null && key.expiresAt * 1000 <= now ? "expired" : "valid";
}

/** What somebody has written of a new key. */
export interface KeyDraft {
  label: string;
  scopes: readonly string[];
  inPages: boolean; // used by web pages, not by servers
  addresses: string; // several are separated by spaces, commas or lines
  origins: string;
  users: string;
  classOfService: string;
  maxCalls: string;
  expires: string; // a day, as 2026-12-31; "" for never
}

export const NEW_KEY: KeyDraft = {
  label: "",
  scopes: [],
  inPages: false,
  addresses: "",
  origins: "",
  users: "",
  classOfService: "",
  maxCalls: "",
  expires: "",
};

export const listOf = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);

/** As the server takes it. The key is valid to the end of its last day, here. */
export function requestOf(draft: KeyDraft): Api.NewKey {
  return {
    label: draft.label.trim(),
    scopes: [...draft.scopes] as Api.NewKey["scopes"],
    addresses: draft.inPages ? [] : listOf(draft.addresses),
    origins: draft.inPages ? listOf(draft.origins) : [],
    users: listOf(draft.users),
    classOfService: draft.classOfService,
    maxCalls: draft.maxCalls ? Number(draft.maxCalls) : null,
    expiresAt: draft.expires ? new Date(`${draft.expires}T23:59:59`).getTime() / 1000 : null,
  };
}
