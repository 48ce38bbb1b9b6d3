// Who is listed and found: the people of the directory, and numbers of the phone book that it does not have. Pure.

import type { PersonState, PersonSummary, PhoneBookEntry } from "sip-proxy-client";
import { matches } from "./history";

export interface DirectoryEntry {
  number: string;
  name: string;
  state: PersonState | null; // null: nobody knows
}

/** As many as are drawn: whoever is further down is found by the search. */
export const MAX_LISTED = 100;

/** Without oneself. People first, then the rest of the phone book. */
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
