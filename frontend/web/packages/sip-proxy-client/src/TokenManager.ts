// The client's sign-in: gets a token for a name and a password, refreshes it before it expires, and gets another one when the
// server rejects it. A program that brings its own token, without anything to refresh it by, is asked for a new one in time.

import { callTime } from "./clock.js";
import { type Identity, identityFromToken } from "./credentials.js";
import { SIPProxyError } from "./errors.js";
import { type HttpApi, HttpError } from "./http/HttpApi.js";
import { newId } from "./ids.js";
import type { SessionData } from "./protocol/api.js";
import { signIn } from "./signIn.js";

export interface TokenManagerOptions {
  http: HttpApi; // sends the token with its requests
  onToken(): void; // there is a token, or none is needed
  onRefreshed(session: SessionData): void; // the token was exchanged: for who stores it
  onError(error: SIPProxyError, repeated: boolean): void; // signing in has failed; `repeated`: the previous attempt failed as well
  onRefused(error: SIPProxyError): void; // the server has rejected the token, and does not refresh it
  onExpiring(seconds: number): void; // the program has to bring another token
}

/** A token is replaced this long before it expires; one that lasts less than twice as long, halfway. */
const RENEW_BEFORE_EXPIRY_MS = 60_000;
/** By up to this share of its lifetime earlier: many pages do not come at once. */
const JITTER = 0.05;
/** Between two attempts to get a token. */
const SIGN_IN_INTERVAL_MS = 5000;
/** Timers stop while the machine sleeps: the clock is read that often. */
const CLOCK_INTERVAL_MS = 30_000;

export class TokenManager {
  /** Resolves once there is a token, or none is needed. */
  readonly ready: Promise<void>;
  /** Why there is none, or why the server rejects it. */
  error: SIPProxyError | null = null;
  isSigningIn = false;
  #setReady: () => void = () => undefined;
  #identity: Identity;
  #isUntested = false; // the token is new, and the server has not accepted it yet
  #rejection: string | null = null; // why the server has rejected the token that is being replaced
  #attempt: string | null = null; // names a refresh until its response has come
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  readonly #options: TokenManagerOptions;

  constructor(identity: Identity, options: TokenManagerOptions) {
    this.#identity = identity;
    this.#options = options;
    options.http.token = identity.token;
    this.ready = new Promise((resolve) => (this.#setReady = resolve));
  }

  get user(): string {
    return this.#identity.user;
  }

  start(): void {
    if (this.#identity.password === null) this.#onToken();
    else void this.signIn();
  }

  /** Another token of the same user. */
  setToken(token: string): void {
    this.#identity = identityFromToken(token, this.user, null, this.#identity.cookie);
    this.#options.http.token = token;
    this.#onToken();
  }

  /** Requests a token, until there is one or the server refuses. */
  async signIn(): Promise<void> {
    const { http, onError } = this.#options;
    if (this.#identity.password === null || this.isSigningIn) return;
    clearTimeout(this.#timer);
    const repeated = this.error !== null && !this.error.fatal;
    this.error = null;
    this.isSigningIn = true;
    const result = await signIn(http, this.#identity);
    this.isSigningIn = false;
    if (this.#closed || this.#identity.password === null) return;
    if (!(result instanceof SIPProxyError)) {
      this.#identity = { ...this.#identity, ...result };
      http.token = result.token;
      return this.#onToken();
    }
    this.error = result;
    if (!result.fatal) this.#timer = setTimeout(() => void this.signIn(), SIGN_IN_INTERVAL_MS);
    onError(result, repeated);
  }

  onAccepted(): void {
    this.#isUntested = false;
  }

  /** The server does not accept the token. It is refreshed, or another one is requested with the password: once. */
  onRejected(reason: string): void {
    const { refreshBy, password } = this.#identity;
    if ((refreshBy || password !== null) && !this.#isUntested) {
      this.#isUntested = true;
      this.#rejection = reason;
      return void (refreshBy ? this.#refresh() : this.signIn());
    }
    if (!this.error?.fatal) this.error = new SIPProxyError("unauthorized", reason, true); // else it has been reported
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #onToken(): void {
    this.error = null;
    this.#rejection = null;
    this.#setReady();
    this.#options.onToken();
    this.#scheduleRenewal();
  }

  #scheduleRenewal(): void {
    clearTimeout(this.#timer);
    const { expiresAt, password, refreshBy } = this.#identity;
    if (expiresAt === null) return;
    const isOurs = password !== null || refreshBy !== null; // else the program's, which is told the exact time
    const lasts = this.#options.http.clock.toPage(expiresAt) - callTime();
    const before = Math.min(RENEW_BEFORE_EXPIRY_MS, lasts / 2) + (isOurs ? lasts * JITTER * Math.random() : 0);
    const at = callTime() + Math.max(lasts - before, isOurs ? SIGN_IN_INTERVAL_MS : 0);
    const wait = (): void => {
      const left = at - callTime();
      if (left > 0) this.#timer = setTimeout(wait, Math.min(left, CLOCK_INTERVAL_MS));
      else if (refreshBy) void this.#refresh();
      else if (password !== null) void this.signIn();
      else this.#options.onExpiring(Math.max(0, Math.round(before / 1000)));
    };
    wait();
  }

  async #refresh(): Promise<void> {
    const { http, onRefreshed, onRefused, onExpiring } = this.#options;
    const identity = this.#identity;
    const { refreshBy, expiresAt, password, user, cookie } = identity;
    if (!refreshBy || this.isSigningIn) return;
    clearTimeout(this.#timer);
    this.isSigningIn = true;
    this.#attempt ??= newId();
    const result = await http.refresh(refreshBy, this.#attempt).catch((error: unknown) => error as Error);
    this.isSigningIn = false;
    if (this.#closed || identity !== this.#identity) return;
    if (!(result instanceof Error)) {
      this.#attempt = null;
      const { token, refreshToken } = result;
      this.#identity = {
        ...identityFromToken(token, user, refreshToken, cookie),
        expiresAt: result.expiresAt,
        password,
      };
      http.token = token;
      onRefreshed(result);
      return this.#onToken();
    }
    if (!(result instanceof HttpError && result.status === 401))
      return void (this.#timer = setTimeout(() => void this.#refresh(), SIGN_IN_INTERVAL_MS));
    this.#identity = { ...identity, refreshBy: null };
    if (password !== null) return void this.signIn();
    if (this.#rejection === null)
      return onExpiring(Math.max(0, Math.round((http.clock.toPage(expiresAt ?? 0) - callTime()) / 1000)));
    this.error = new SIPProxyError("unauthorized", this.#rejection, true);
    onRefused(this.error);
  }
}
