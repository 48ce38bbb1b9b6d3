// The client's sign-in: gets a token for a name and a password, renews it before it expires, and gets another one when the server
// rejects it. A program that brings its own token is asked for a new one before that expires.

import { callTime, MAX_TIMER_MS } from "./clock.js";
import { type Identity, identityFromToken } from "./credentials.js";
import { SIPProxyError } from "./errors.js";
import type { HttpApi } from "./http/HttpApi.js";
import { signIn } from "./signIn.js";

export interface TokenManagerOptions {
  http: HttpApi; // sends the token with its requests
  onToken(): void; // there is a token, or none is needed
  onError(error: SIPProxyError, repeated: boolean): void; // signing in has failed; `repeated`: the previous attempt failed as well
  onExpiring(seconds: number): void; // the program has to bring another token
}

/** A token is replaced this long before it expires; one that lasts less than twice as long, halfway. */
const RENEW_BEFORE_EXPIRY_MS = 60_000;
/** Between two attempts to get a token. */
const SIGN_IN_INTERVAL_MS = 5000;

export class TokenManager {
  /** Resolves once there is a token, or none is needed. */
  readonly ready: Promise<void>;
  /** Why there is none, or why the server rejects it. */
  error: SIPProxyError | null = null;
  isSigningIn = false;
  #setReady: () => void = () => undefined;
  #identity: Identity;
  #isUntested = false; // the token is new, and the server has not accepted it yet
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
    this.#identity = { ...identityFromToken(token, this.user), password: null };
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

  /** The server does not accept the token. With a password, another one is requested once. */
  onRejected(reason: string): void {
    if (this.#identity.password !== null && !this.#isUntested) {
      this.#isUntested = true;
      return void this.signIn();
    }
    if (!this.error?.fatal) this.error = new SIPProxyError("unauthorized", reason, true); // else it has been reported
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #onToken(): void {
    this.error = null;
    this.#setReady();
    this.#options.onToken();
    this.#scheduleRenewal();
  }

  #scheduleRenewal(): void {
    clearTimeout(this.#timer);
    const { expiresAt, password } = this.#identity;
    if (expiresAt === null) return;
    const lasts = this.#options.http.clock.toPage(expiresAt) - callTime();
    const wait = Math.max(
      lasts - Math.min(RENEW_BEFORE_EXPIRY_MS, lasts / 2),
      password === null ? 0 : SIGN_IN_INTERVAL_MS,
    );
    this.#timer = setTimeout(
      () => {
        if (wait > MAX_TIMER_MS) this.#scheduleRenewal();
        else if (password !== null) void this.signIn();
        else this.#options.onExpiring(Math.max(0, Math.round((lasts - wait) / 1000)));
      },
      Math.min(wait, MAX_TIMER_MS),
    );
  }
}
