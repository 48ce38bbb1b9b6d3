// Who a client is: a name and a password, an API key of the server, a token from elsewhere, or a guest.

import type { RefreshBy } from "./http/HttpApi.js";
import { newId } from "./ids.js";

export type Credentials =
  | { apiKey: string; secret: string; user?: string } // `ab_...`: an API key of the server, in a page one made for pages; else a user and the password
  | { user: string; password: string } // the same in other words
  | { token: string; user?: string; refreshToken?: string; cookie?: boolean }; // what `POST /session` gave

export interface Identity {
  user: string;
  password: string | null; // to sign in with, and again when the token runs out
  apiKey?: string; // whose secret the password is; undefined: it is the user's
  token: string | null;
  expiresAt: number | null; // of the token, Unix seconds; null if it does not expire
  refreshBy: RefreshBy | null; // what gets the next token
  cookie: boolean; // that is a cookie of this browser
}

/** `user`: the name on a server without sign-in; default: a guest, the same until the tab is closed. */
export function identityOf(credentials: Credentials | null | undefined, user = ""): Identity {
  const {
    apiKey = "",
    secret,
    token,
    refreshToken,
    user: given,
    password = secret,
    cookie,
  }: Partial<Record<string, string>> & { cookie?: boolean } = (credentials ?? {}) as object; // in plain JavaScript any of them may be missing
  const isKey = apiKey.startsWith("ab_");
  const name = (!isKey && apiKey) || given || user;
  if (token) return identityFromToken(token, name, refreshToken, cookie);
  const identity = { ...NO_TOKEN, password: password ?? null };
  if (!isKey) return { ...identity, user: name || guestName() };
  const isPage = "document" in globalThis;
  if (isPage) console.warn(`Every visitor of this page can use its API key, ${apiKey}: docs/SDK.md has a better way.`);
  return { ...identity, user: name || (isPage ? guestName(apiKey.slice(3)) : apiKey), apiKey };
}

/** The user's name; "" for a guest. */
export function userOf(credentials: Credentials | null | undefined): string {
  if (!credentials) return "";
  if ("apiKey" in credentials) return credentials.user ?? credentials.apiKey;
  return credentials.user || ("token" in credentials && claimsOf(credentials.token).sub) || "";
}

/** A token is a JWT (RFC 7519) with the user's name and its expiry. Only the server can verify it. */
export function identityFromToken(token: string, user = "", refreshToken?: string | null, cookie = false): Identity {
  const { sub, exp, sid } = claimsOf(token);
  const refreshBy = refreshToken ? { refreshToken } : cookie && sid ? { session: sid } : null;
  return { user: user || sub || guestName(), password: null, token, expiresAt: exp ?? null, refreshBy, cookie };
}

export const NO_TOKEN = { token: null, expiresAt: null, refreshBy: null, cookie: false };

function claimsOf(token: string): { sub?: string; exp?: number; sid?: string } {
  try {
    const [, payload = ""] = token.split(".");
    const text = atob(payload.replace(/-/g, "+").replace(/_/g, "/"));
    const { sub, exp, sid } = JSON.parse(
      new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))),
    ) as Record<string, unknown>;
    return {
      ...(typeof sub === "string" ? { sub } : {}),
      ...(typeof exp === "number" ? { exp } : {}),
      ...(typeof sid === "string" ? { sid } : {}),
    };
  } catch {
    return {};
  }
}

const GUEST_KEY = "sip-proxy.guest";

/** `key`: the id of an API key, without `ab_`; then what is random keeps others from being the same guest. */
function guestName(key = ""): string {
  const fresh = `guest-${key ? `${key}-${newId()}` : newId().slice(0, 6)}`;
  try {
    const known = sessionStorage.getItem(GUEST_KEY + key);
    if (!known) sessionStorage.setItem(GUEST_KEY + key, fresh);
    return known ?? fresh;
  } catch {
    return fresh; // no storage: another guest after each reload
  }
}
