// Who a client is: a name and a password, a token that somebody else got for it, or nobody in particular.

import { newId } from "./ids.js";

export type Credentials =
  | { apiKey: string; secret: string } // a user of the server, and its password
  | { user: string; password: string } // the same in other words
  | { token: string; user?: string }; // what `POST /session` gave

export interface Identity {
  user: string;
  password: string | null; // to sign in with, and again when the token runs out
  token: string | null;
  expiresAt: number | null; // of the token, Unix seconds; null where it does not say
}

/** `user`: who to be where the server wants no sign-in; nobody: a guest, the same until the tab is closed. */
export function identityOf(credentials: Credentials | null | undefined, user = ""): Identity {
  const {
    apiKey,
    secret,
    token,
    user: name = apiKey,
    password = secret,
  }: Partial<Record<string, string>> = credentials ?? {}; // plain JavaScript leaves any of them out
  if (token) return identityFromToken(token, name || user);
  return { user: name || user || guestName(), password: password ?? null, token: null, expiresAt: null };
}

/** Whose they are; "" where that is nobody in particular. */
export function userOf(credentials: Credentials | null | undefined): string {
  if (!credentials) return "";
  if ("apiKey" in credentials) return credentials.apiKey;
  return credentials.user || ("token" in credentials && claimsOf(credentials.token).sub) || "";
}

/** A token is a JWT (RFC 7519): it says whose it is and how long it holds. It is the server that checks it. */
export function identityFromToken(token: string, user = ""): Identity {
  const { sub, exp } = claimsOf(token);
  return { user: user || sub || guestName(), password: null, token, expiresAt: exp ?? null };
}

function claimsOf(token: string): { sub?: string; exp?: number } {
  try {
    const [, payload = ""] = token.split(".");
    const text = atob(payload.replace(/-/g, "+").replace(/_/g, "/"));
    const { sub, exp } = JSON.parse(
      new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))),
    ) as { sub?: unknown; exp?: unknown };
    return { ...(typeof sub === "string" ? { sub } : {}), ...(typeof exp === "number" ? { exp } : {}) };
  } catch {
    return {};
  }
}

const GUEST_KEY = "sip-proxy.guest";

function guestName(): string {
  const fresh = `guest-${newId().slice(0, 6)}`;
  try {
    const known = sessionStorage.getItem(GUEST_KEY);
    if (!known) sessionStorage.setItem(GUEST_KEY, fresh);
    return known ?? fresh;
  } catch {
    return fresh; // no storage: a reload is somebody else
  }
}
