// A page that stays open for days is not signed out: its token is renewed before it ends, while the server does that.

import { callTime, type HttpApi, type Session } from "sip-proxy-client";
import { save } from "./signedIn";

const RENEW_BEFORE_EXPIRY_MS = 60_000;

/** Whether it is time to renew this token (JWT, RFC 7519). `now`: the server's time, Unix milliseconds. Pure. */
export function expiresSoon(token: string | null, now: number): boolean {
  try {
    const [, payload = ""] = (token ?? "").split(".");
    const { exp } = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as { exp?: unknown };
    return typeof exp === "number" && exp * 1000 - now < RENEW_BEFORE_EXPIRY_MS;
  } catch {
    return false; // another kind of token: the server reports its end
  }
}

/** The new token, also stored for a reload; null if there is none: the old one is valid until it expires. */
export async function renewToken(http: HttpApi): Promise<string | null> {
  const renewed = await http.post<Session & { token: string }>("/session/renew", {}).catch(() => null);
  if (!renewed) return null;
  save(renewed);
  return renewed.token;
}

/** To be called now and then: renews the token of `http` shortly before it expires. */
export async function keepSignedIn(http: HttpApi): Promise<void> {
  const before = http.token;
  if (!expiresSoon(before, callTime() - http.clock.toPage(0))) return;
  const token = await renewToken(http);
  if (token && http.token === before) http.token = token;
}
