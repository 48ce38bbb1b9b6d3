// A page without a client, the dashboard, refreshes its token itself; the refresh token is in a cookie.

import { callTime, type HttpApi, HttpError } from "sip-proxy-client";
import { save } from "./signedIn";

const REFRESH_BEFORE_EXPIRY_MS = 60_000;

/** The session that is to be refreshed now; null: none. `now`: the server's time, Unix milliseconds. Pure. */
export function dueSession(token: string | null, now: number): string | null {
  try {
    const [, payload = ""] = (token ?? "").split(".");
    const { exp, sid } = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as Record<string, unknown>;
    return typeof exp === "number" && typeof sid === "string" && exp * 1000 - now < REFRESH_BEFORE_EXPIRY_MS
      ? sid
      : null;
  } catch {
    return null; // another kind of token: the server reports its end
  }
}

let attempt: string | null = null;

/**
 * To be called now and then, and when the server rejects the token: refreshes it shortly before it expires, also for a
 * reload. Whether the sign-in goes on, as far as is known.
 */
export async function keepSignedIn(http: HttpApi): Promise<boolean> {
  const before = http.token;
  const session = dueSession(before, callTime() - http.clock.toPage(0));
  if (!session) return false;
  attempt ??= crypto.getRandomValues(new Uint32Array(4)).join("-"); // the same one until there is a response
  try {
    const refreshed = await http.refresh({ session }, attempt);
    attempt = null;
    if (http.token === before) http.token = refreshed.token;
    save(refreshed);
    return true;
  } catch (error) {
    return !(error instanceof HttpError && error.status === 401);
  }
}
