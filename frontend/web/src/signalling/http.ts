// The HTTP API beside the WebSocket: configuration, sign-in, snapshots for the dashboard.

import type { ConfigData, PhoneBookEntry, Problem } from "../api";
import { serverClock } from "./clock";

export type { PhoneBookEntry };
export type Config = ConfigData;

export interface Session {
  user: string;
  token: string | null; // null with authentication off
}

/** The server answered no. `code` is its own (docs/HTTP.md), or "http_STATUS". */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export async function request<T>(path: string, token: string | null = null, init: RequestInit = {}): Promise<T> {
  const sent = Date.now();
  const response = await fetch(path, { cache: "no-store", ...init, headers: headers(token, init.headers) });
  serverClock.date(response.headers.get("Date"), sent, Date.now());
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

export function headers(token: string | null, more?: HeadersInit): Headers {
  const all = new Headers(more);
  if (token) all.set("Authorization", `Bearer ${token}`);
  return all;
}

export async function refusal(response: Response): Promise<Refused> {
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null; // RFC 9457
  const { code, detail } = problem ?? {};
  return new Refused(response.status, code ?? `http_${response.status}`, detail ?? response.statusText);
}

export const getConfig = (): Promise<Config> => request<Config>("/config");

/** Signs in with a password. Throws `Refused` (401: wrong name or password). */
export async function signIn(user: string, password: string): Promise<Session> {
  return request<Session>("/session", null, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user, password }),
  });
}

const KEY = "ari-bridge.session";

/** Who is signed in, in this tab only: a closed tab is a sign-out. */
export const session = {
  load(): Session | null {
    try {
      const value = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
      return value && typeof value.user === "string" ? { user: value.user, token: value.token ?? null } : null;
    } catch {
      return null;
    }
  },
  save(value: Session): void {
    sessionStorage.setItem(KEY, JSON.stringify({ user: value.user, token: value.token }));
  },
  clear(): void {
    sessionStorage.removeItem(KEY);
  },
};
