// Last calls by party, and the phone book; one press calls, or chooses whom a call is transferred to.

import { BookUser, PhoneIncoming, PhoneMissed, PhoneOutgoing, Search } from "lucide-react";
import { useMemo, useState } from "react";
import { byParty, matches, type HistoryEntry } from "../phone/history";
import type { PhoneBookEntry } from "../signalling/http";
import { relativeTime, spokenSeconds } from "./time";

export interface PeopleProps {
  history: readonly HistoryEntry[];
  phoneBook: readonly PhoneBookEntry[];
  now: number;
  disabled: boolean; // a call stands
  verb: "Call" | "Choose"; // what a press does
  onCall(number: string): void;
}

export function People({ history, phoneBook, now, disabled, verb, onCall }: PeopleProps) {
  const [search, setSearch] = useState("");
  const parties = useMemo(() => byParty(history), [history]);
  const found = parties.filter((party) => matches(search, party.number, party.name));
  const book = phoneBook.filter((entry) => matches(search, entry.number, entry.name));
  return (
    <section className="people" aria-label="Calls and phone book">
      <label className="search">
        <Search size={16} aria-hidden="true" />
        <input
          type="search" value={search} onChange={(event) => setSearch(event.target.value)}
          placeholder="Search" aria-label="Search calls and phone book"
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <div className="people-lists">
        {book.length > 0 && <h2>Phone book</h2>}
        <ul>
          {book.map((entry) => (
            <li key={entry.number}>
              <button type="button" className="person" disabled={disabled} onClick={() => onCall(entry.number)}>
                <span className="person-icon"><BookUser size={16} aria-hidden="true" /></span>
                <span className="person-name">{entry.name}</span>
                <span className="person-more">{entry.number}</span>
              </button>
            </li>
          ))}
        </ul>
        <h2>Recent</h2>
        <ul data-testid="history" aria-label="Recent calls">
          {found.map(({ number, name, last, count, missed }) => (
            <li key={number}>
              <button
                type="button" className={missed ? "person missed" : "person"} disabled={disabled} onClick={() => onCall(number)}
                aria-label={`${verb} ${name || number}, ${missed ? "missed, " : ""}${relativeTime(last.at, now)}`}
              >
                <span className="person-icon"><Direction entry={last} missed={missed} /></span>
                <span className="person-name">
                  {name || number}
                  {count > 1 && <small> ×{count}</small>}
                </span>
                <span className="person-more" title={new Date(last.at).toLocaleString()}>
                  {name ? `${number} · ` : ""}
                  {last.seconds !== null ? `${spokenSeconds(last.seconds)} · ` : ""}
                  {relativeTime(last.at, now)}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {found.length === 0 && (
          <p className="quiet people-empty">{search ? "Nobody found." : "Calls that you make and take are listed here."}</p>
        )}
      </div>
    </section>
  );
}

function Direction({ entry, missed }: { entry: HistoryEntry; missed: boolean }) {
  if (missed) return <PhoneMissed size={16} aria-hidden="true" />;
  return entry.direction === "inbound" ? <PhoneIncoming size={16} aria-hidden="true" /> : <PhoneOutgoing size={16} aria-hidden="true" />;
}
