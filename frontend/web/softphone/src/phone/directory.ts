// Who is listed and found: the people of the directory, and numbers of the phone book that it does not have. Pure.

import type { PersonState, PersonSummary, PhoneBookEntry } from "sip-proxy-client";
import { matches } from "./history";

export interface Listed {
  number: string;
  name: string;
  state: PersonState | null; // null: nobody knows
}

/** As many as are drawn: whoever is further down is found by the search. */
export const MOST = 100;

/** Without oneself. People first, then the rest of the phone book. */
export function listed(people: readonly PersonSummary[], phoneBook: readonly PhoneBookEntry[], user: string): Listed[] {
  const known = new Set(people.map(({ number }) => number));
  const rest = phoneBook.filter(({ number }) => !known.has(number)).map(({ number, name }) => ({ number, name, state: null }));
  return [...people.map(({ number, name, state }) => ({ number, name, state })), ...rest].filter(({ number }) => number !== user);
}

export const found = (search: string, all: readonly Listed[]): Listed[] => all.filter(({ number, name }) => matches(search, number, name));
