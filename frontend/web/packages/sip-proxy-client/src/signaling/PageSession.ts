// The page's session: what its calls belong to, and what outlives its socket and its reload.
//
// It is stored for the tab. A duplicated tab has a copy of it, and two pages with one session would keep cutting off each
// other's connection: each session has a lock, and a page that does not get the lock starts a new session.

import { newId } from "../ids.js";
import { acquireLock, type ReleaseLock } from "./webLocks.js";

const KEY = "sip-proxy.page";

/** How long a page that reloads may keep the lock from the page that comes after it, in milliseconds. */
const HANDOVER_TIMEOUT_MS = 500;

interface Stored {
  page: string; // names the lock
  token: string | null;
}

export class PageSession {
  private constructor(
    private readonly scope: string,
    private readonly stored: Stored,
    readonly isReload: boolean, // this tab had it before: the page was reloaded, or crashed
    private readonly release: ReleaseLock | null,
  ) {}

  /** The tab's session of this user and server (`scope`), or a new one. */
  static async claim(scope: string): Promise<PageSession> {
    const stored = load(scope);
    const release = stored ? await acquireLock(lockOf(stored.page), HANDOVER_TIMEOUT_MS) : null;
    if (stored && release) return new PageSession(scope, stored, stored.token !== null, release);
    const page = newId();
    return new PageSession(scope, { page, token: null }, false, await acquireLock(lockOf(page), HANDOVER_TIMEOUT_MS));
  }

  /** What to resume with; null before the server gave one. */
  get token(): string | null {
    return this.stored.token;
  }

  set token(token: string | null) {
    this.stored.token = token;
    try {
      sessionStorage.setItem(keyOf(this.scope), JSON.stringify(this.stored));
    } catch {
      // Storage is forbidden: the session lasts as long as the page.
    }
  }

  /** After a sign-out: the next session is a new one. */
  end(): void {
    this.release?.();
    try {
      sessionStorage.removeItem(keyOf(this.scope));
    } catch {
      return;
    }
  }
}

const keyOf = (scope: string): string => `${KEY}.${scope}`;

const lockOf = (page: string): string => `${KEY}.${page}`;

function load(scope: string): Stored | null {
  try {
    const value = JSON.parse(sessionStorage.getItem(keyOf(scope)) ?? "null") as Stored | null;
    return typeof value?.page === "string" ? value : null;
  } catch {
    return null;
  }
}
