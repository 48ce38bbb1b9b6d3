// The last calls: what is kept, grouped and searched. Pure, but for `load`, `save` and `tell`.

import type { CallInfo as Call, Direction, Outcome } from "sip-proxy-client";
import { readNumber } from "./number";

export interface HistoryEntry {
  id?: string; // of the call; older entries have none
  number: string;
  name: string;
  direction: Direction;
  at: number; // Unix milliseconds of its start
  seconds: number | null; // talked; null where nobody answered
  outcome: Outcome | null;
}

/** All calls with one party, the newest first. */
export interface Party {
  number: string;
  name: string;
  last: HistoryEntry;
  count: number;
  ids: readonly string[]; // of its calls, the newest first
  missed: boolean; // the last call came in and was not taken
}

const KEEP = 100;

export function entryOf(call: Call): HistoryEntry {
  const { id, number, name, direction, startedAt: at, acceptedAt, endedAt, outcome } = call;
  const seconds = acceptedAt === null ? null : Math.max(0, Math.round(((endedAt ?? acceptedAt) - acceptedAt) / 1000));
  return { id, number, name, direction, at, seconds, outcome };
}

/** Ended here only: the page that has it tells of it. */
const ELSEWHERE: ReadonlySet<Call["problem"]> = new Set<Call["problem"]>(["accepted_elsewhere", "held_elsewhere"]);

/** The last calls with this one, which has ended. They are saved. */
export function tell(user: string, call: Call): HistoryEntry[] {
  const known = load(user);
  if (ELSEWHERE.has(call.problem)) return known;
  const history = remember(known, entryOf(call));
  save(user, history);
  return history;
}

/** Several pages may tell of one call, e.g. of one that nobody took: it is listed once. */
export function remember(history: readonly HistoryEntry[], entry: HistoryEntry): HistoryEntry[] {
  return [entry, ...history.filter((known) => known.id === undefined || known.id !== entry.id)].slice(0, KEEP);
}

/** Nobody took these, and somebody wanted it so, or somebody else took them. */
const NOT_MISSED: ReadonlySet<HistoryEntry["outcome"]> = new Set<HistoryEntry["outcome"]>(["rejected", "answered_elsewhere"]);

export function isMissed(entry: HistoryEntry): boolean {
  return entry.direction === "inbound" && entry.seconds === null && !NOT_MISSED.has(entry.outcome);
}

export function byParty(history: readonly HistoryEntry[]): Party[] {
  const parties = new Map<string, Party>();
  for (const entry of history) {
    const party = parties.get(entry.number);
    if (party) {
      party.count++;
      if (entry.id !== undefined) party.ids = [...party.ids, entry.id];
      party.name ||= entry.name;
    } else {
      parties.set(entry.number, { number: entry.number, name: entry.name, last: entry, count: 1, ids: entry.id === undefined ? [] : [entry.id], missed: isMissed(entry) });
    }
  }
  return [...parties.values()];
}

/** Whether a search finds this party: by a part of the name, or of the number, as people write and paste it. */
export function matches(search: string, number: string, name: string): boolean {
  const wanted = search.trim().toLowerCase();
  if (number.toLowerCase().includes(wanted) || name.toLowerCase().includes(wanted)) return true;
  const read = readNumber(search);
  return typeof read === "string" && number.includes(read);
}

const key = (user: string): string => `ari-bridge.history.${user}`;

export function load(user: string): HistoryEntry[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key(user)) ?? "[]");
    return Array.isArray(value) ? (value as HistoryEntry[]).filter((entry) => typeof entry?.number === "string") : [];
  } catch {
    return [];
  }
}

/** Another page of this browser has saved. The function that it gives stops it. */
export function onSaved(user: string, listener: () => void): () => void {
  const stored = (event: StorageEvent): void => {
    if (event.key === key(user)) listener();
  };
  addEventListener("storage", stored);
  return () => removeEventListener("storage", stored);
}

export function save(user: string, history: readonly HistoryEntry[]): void {
  try {
    localStorage.setItem(key(user), JSON.stringify(history));
  } catch {
    // Storage is full or forbidden: the calls of this visit are still listed.
  }
}
