// The last calls: as the server has them for all devices, stored here for the time until it has answered. Pure, but for the storage.

import type { CallInfo as Call, Direction, Outcome, PastCall, Person } from "sip-proxy-client";
import { readNumber } from "./number";

export interface HistoryEntry {
  id?: string; // of the call; older entries have none
  number: string; // as dialled, or who called
  name: string;
  connected?: Person | null; // who was connected, if that is another party, or has a name
  direction: Direction;
  at: number; // Unix milliseconds of its start
  seconds: number | null; // talked; null if it was not answered
  outcome: Outcome | null;
  rang?: boolean; // false: no page rang, as with Do not disturb, or with none open
}

/** All calls with one party, the newest first. */
export interface RecentParty {
  number: string;
  name: string;
  last: HistoryEntry;
  count: number;
  ids: readonly string[]; // of its calls, the newest first
  missed: boolean; // the last call came in and was not taken
}

/** Saved for the next visit. */
const MAX_SAVED_CALLS = 100;
/** A call that has just ended may be missing in the server's records for this time, in milliseconds. */
const RECORD_DELAY_MS = 60_000;

/** A call that has ended on this page; null if the server does not know it, or another page has it. */
export function entryOf(call: Call): HistoryEntry | null {
  const { id, number, name, connected, direction, startedAt: at, acceptedAt, endedAt, outcome } = call;
  if (outcome === null) return null;
  const seconds = acceptedAt === null ? null : Math.max(0, Math.round(((endedAt ?? acceptedAt) - acceptedAt) / 1000));
  return { id, number, name, connected, direction, at, seconds, outcome, rang: true };
}

/** `toPage`: the server's seconds in the page's milliseconds. */
export function entryOfRecord(
  call: PastCall,
  toPage: (seconds: number) => number,
  nameOf: (number: string) => string,
): HistoryEntry {
  const {
    callId: id,
    direction,
    caller,
    callerName,
    target,
    connectedNumber,
    connectedName,
    createdAt,
    ringingAt,
    answeredAt,
    talkSeconds,
    outcome,
  } = call;
  const inbound = direction === "inbound";
  const number = inbound ? caller : target;
  return {
    id,
    number,
    direction,
    outcome,
    at: toPage(createdAt),
    name: (inbound && callerName) || nameOf(number),
    connected: connectedNumber ? { number: connectedNumber, name: connectedName || nameOf(connectedNumber) } : null,
    seconds: answeredAt === null ? null : Math.round(talkSeconds),
    rang: ringingAt !== null,
  };
}

const newestFirst = (one: HistoryEntry, other: HistoryEntry): number => other.at - one.at;

/** A call is reported by its page and by the server: it is listed once, as reported last. */
export function withEntry(history: readonly HistoryEntry[], entry: HistoryEntry): HistoryEntry[] {
  return [entry, ...history.filter((known) => known.id === undefined || known.id !== entry.id)].sort(newestFirst);
}

/** The server's list; calls that have only just ended are kept. */
export function withLatestPage(
  history: readonly HistoryEntry[],
  page: readonly HistoryEntry[],
  now: number,
): HistoryEntry[] {
  const listed = new Set(page.map(({ id }) => id));
  const unwritten = history.filter(
    ({ id, at, seconds }) => id !== undefined && !listed.has(id) && now - at - (seconds ?? 0) * 1000 < RECORD_DELAY_MS,
  );
  return [...unwritten, ...page].sort(newestFirst);
}

/** With an older page of the list. */
export function withOlderPage(history: readonly HistoryEntry[], older: readonly HistoryEntry[]): HistoryEntry[] {
  const listed = new Set(history.map(({ id }) => id));
  return [...history, ...older.filter(({ id }) => !listed.has(id))];
}

/** Not answered, unless it was declined here, answered by somebody else, or forwarded as configured. */
export function isMissed({ direction, seconds, outcome, rang = true }: HistoryEntry): boolean {
  if (direction === "outbound" || seconds !== null) return false;
  return outcome === "rejected" ? !rang : outcome !== "answered_elsewhere" && outcome !== "transferred";
}

/** How many have called in vain since then, and were not talked to after that. */
export const missedSince = (history: readonly HistoryEntry[], since: number): number =>
  byParty(history).filter(({ missed, last }) => missed && last.at > since).length;

export function byParty(history: readonly HistoryEntry[]): RecentParty[] {
  const parties = new Map<string, RecentParty>();
  for (const entry of history) {
    const name = entry.name || (entry.connected?.number === entry.number ? entry.connected.name : "");
    const party = parties.get(entry.number);
    if (party) {
      party.count++;
      if (entry.id !== undefined) party.ids = [...party.ids, entry.id];
      party.name ||= name;
    } else {
      parties.set(entry.number, {
        number: entry.number,
        name,
        last: entry,
        count: 1,
        ids: entry.id === undefined ? [] : [entry.id],
        missed: isMissed(entry),
      });
    }
  }
  return [...parties.values()];
}

/** Whether a search finds this party: by a part of the name, or of the number in any notation. */
export function matches(search: string, number: string, name: string): boolean {
  const term = search.trim().toLowerCase();
  if (number.toLowerCase().includes(term) || name.toLowerCase().includes(term)) return true;
  const read = readNumber(search);
  return typeof read === "string" && number.includes(read);
}

const historyKey = (user: string): string => `ari-bridge.history.${user}`;

export function loadHistory(user: string): HistoryEntry[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(historyKey(user)) ?? "[]");
    return Array.isArray(value) ? (value as HistoryEntry[]).filter((entry) => typeof entry?.number === "string") : [];
  } catch {
    return [];
  }
}

export function saveHistory(user: string, history: readonly HistoryEntry[]): void {
  try {
    localStorage.setItem(historyKey(user), JSON.stringify(history.slice(0, MAX_SAVED_CALLS)));
  } catch {
    // Storage is full or forbidden: the calls since the page was loaded are still listed.
  }
}

const seenKey = (user: string): string => `ari-bridge.history-seen.${user}`;

/** Whoever opens this browser next finds no calls of the user's in it: the server has them. */
export function forgetHistory(user: string): void {
  try {
    localStorage.removeItem(historyKey(user));
    localStorage.removeItem(seenKey(user));
  } catch {
    // Storage is forbidden: nothing was kept.
  }
}

/** Until when the missed calls were seen in this browser, in Unix milliseconds. */
export function loadSeenAt(user: string): number {
  try {
    return Number(localStorage.getItem(seenKey(user))) || 0;
  } catch {
    return 0;
  }
}

export function saveSeenAt(user: string, at: number): void {
  try {
    localStorage.setItem(seenKey(user), String(at));
  } catch {
    // They are counted again at the next visit.
  }
}
