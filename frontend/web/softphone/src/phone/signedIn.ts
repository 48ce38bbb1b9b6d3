// Who is signed in, in this tab only: a closed tab is a sign-out.

import type { Session } from "sip-proxy-client";

const KEY = "softphone.session";

export function load(): Session | null {
  try {
    const value = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
    return value && typeof value.user === "string" ? { user: value.user, token: value.token ?? null } : null;
  } catch {
    return null;
  }
}

export function save({ user, token }: Session): void {
  sessionStorage.setItem(KEY, JSON.stringify({ user, token }));
}

export function clear(): void {
  sessionStorage.removeItem(KEY);
}
