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
    return false; // another kind of token: the server says when it has ended
  }
}

/** The new token, which is kept for a reload; null where there is none, and the old one holds until its end. */
export async function renewToken(http: HttpApi): Promise<string | null> {
  const renewed = await http.post<Session & { token: string }>("/session/renew", {}).catch(() => null);
  if (!renewed) return null;
  save(renewed);
  return renewed.token;
}

/** To be called now and then: renews the token that `http` sends, where it is time. */
export async function keepSignedIn(http: HttpApi): Promise<void> {
  const before = http.token;
  if (!expiresSoon(before, callTime() - http.clock.toPage(0))) return;
  const token = await renewToken(http);
  if (token && http.token === before) http.token = token;
}
