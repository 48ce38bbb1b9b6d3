// The sign-in, stored in this tab only: closing the tab signs out.

import type { Session } from "sip-proxy-client";
import { read, write } from "./storage";

const KEY = "softphone.session";

export function load(): Session | null {
  try {
    const value = JSON.parse(read("sessionStorage", KEY) ?? "null") as Session | null;
    return value && typeof value.user === "string" ? { user: value.user, token: value.token ?? null } : null;
  } catch {
    return null;
  }
}

export const save = ({ user, token }: Session): void => write("sessionStorage", KEY, JSON.stringify({ user, token }));

export const clear = (): void => write("sessionStorage", KEY, null);
