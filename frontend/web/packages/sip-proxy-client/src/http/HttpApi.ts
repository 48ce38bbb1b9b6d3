// One server's HTTP API: its address, the token that is sent with requests, and the server's clock.

import { callTime } from "../clock.js";
import type { ConfigData, Problem, SessionData } from "../protocol/api.js";
import { ServerClock } from "../signaling/serverClock.js";

export type { ConfigData as ServerConfig, PhoneBookEntry } from "../protocol/api.js";

/** Who is signed in: the response of `POST /session`, or a name on a server without sign-in. */
export interface Session {
  user: string;
  token: string | null; // null with authentication off
  expiresAt?: number; // Unix seconds; undefined: it does not expire
}

export interface SignInOptions {
  apiKey?: string | undefined;
  cookie?: boolean;
}

export type SignedIn = Pick<SessionData, "user" | "token" | "expiresAt" | "refreshToken">;

/** What gets the next token: the refresh token, or the session (`sid` of the token) whose cookie this browser has. */
export type RefreshBy = { refreshToken: string } | { session: string };

/** The server answered no. `code` is its own (docs/API.md), or "http_STATUS"; `details` are all that it says, if it does. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Partial<Problem> = {},
  ) {
    super(message);
  }
}

/** Timeouts of responses; to a password the server may take 15 s. */
const CONFIG_TIMEOUT_MS = 10_000;
const SIGN_IN_TIMEOUT_MS = 20_000;

export class HttpApi {
  readonly clock = new ServerClock();
  token: string | null = null;

  /** `base`: the API's address without a trailing slash; "": that of this page. */
  constructor(readonly base: string) {}

  /** The response's JSON. Throws `HttpError`; `TypeError` or `DOMException` if the server cannot be reached. */
  async request<T>(path: string, init: RequestInit = {}): Promise<T> {
    return (await (await this.fetch(path, init)).json()) as T;
  }

  /** Sends `body` as JSON. Throws as `request`. */
  post<T>(path: string, body: object, init: RequestInit = {}): Promise<T> {
    return this.request<T>(path, {
      ...init,
      method: "POST",
      headers: { "Content-Type": "application/json", ...init.headers },
      body: JSON.stringify(body),
    });
  }

  /** Any answer that is not an error. Throws as `request`. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.token && !headers.has("Authorization")) headers.set("Authorization", `Bearer ${this.token}`);
    const sent = callTime();
    const response = await fetch(this.base + path, { cache: "no-store", ...init, headers });
    this.clock.onHttpDate(response.headers.get("Date"), sent, callTime());
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  config(): Promise<ConfigData> {
    return this.request<ConfigData>("/config", { signal: AbortSignal.timeout(CONFIG_TIMEOUT_MS) });
  }

  /**
   * Throws `HttpError` (401: wrong name or password, or API key).
   *
   * `apiKey`: whose secret the password is. `cookie`: for pages of the server itself; no script sees the refresh token.
   */
  signIn(user: string, password: string, { apiKey, cookie }: SignInOptions = {}): Promise<SignedIn> {
    const signal = AbortSignal.timeout(SIGN_IN_TIMEOUT_MS);
    return apiKey
      ? this.post("/tokens", { user }, { signal, headers: { Authorization: `Bearer ${apiKey}_${password}` } })
      : this.post("/session", { user, password, ...(cookie ? { cookie } : {}) }, { signal });
  }

  /**
   * Another token. A repetition of the same `attempt`, after a lost response, is not taken for a second use.
   * Throws `HttpError` (401: sign in again).
   */
  refresh(by: RefreshBy, attempt: string): Promise<SessionData> {
    return this.post<SessionData>("/session/refresh", by, {
      headers: { "Idempotency-Key": attempt },
      signal: AbortSignal.timeout(CONFIG_TIMEOUT_MS),
    });
  }

  /** Ends the session: its tokens, and the connections of all pages that use it. */
  async signOut(): Promise<void> {
    if (this.token) await this.fetch("/session", { method: "DELETE", keepalive: true });
  }
}

/** An error's body is a problem (RFC 9457) with a `code`. */
async function errorOf(response: Response): Promise<HttpError> {
  const details = ((await response.json().catch(() => null)) ?? {}) as Partial<Problem>;
  const { code = `http_${response.status}`, detail = response.statusText } = details;
  return new HttpError(response.status, code, detail, details);
}
