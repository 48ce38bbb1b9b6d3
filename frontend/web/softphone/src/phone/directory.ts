// Who is listed and found: the people of the directory, and other numbers of the phone book. Pure.

import type { PersonState, PersonSummary, PhoneBookEntry } from "sip-proxy-client";
import { matches } from "./history";

export interface DirectoryEntry {
  number: string;
  name: string;
  state: PersonState | null; // null: unknown
}

/** As many are drawn: the search finds the others. */
export const MAX_LISTED = 100;

/** Without the user. People first, then the rest of the phone book. */
export function directoryEntries(
  people: readonly PersonSummary[],
  phoneBook: readonly PhoneBookEntry[],
  user: string,
): DirectoryEntry[] {
  const known = new Set(people.map(({ number }) => number));
  const rest = phoneBook
    .filter(({ number }) => !known.has(number))
    .map(({ number, name }) => ({ number, name, state: null }));
  return [...people.map(({ number, name, state }) => ({ number, name, state })), ...rest].filter(
    ({ number }) => number !== user,
  );
}

export const searchDirectory = (search: string, all: readonly DirectoryEntry[]): DirectoryEntry[] =>
  all.filter(({ number, name }) => matches(search, number, name));
