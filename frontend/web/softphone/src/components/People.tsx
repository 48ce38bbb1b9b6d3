// People with their presence, the phone book, and the last calls; a click calls, or selects the target of a transfer.

import { BookUser, PhoneIncoming, PhoneMissed, PhoneOutgoing, Search, UserRound } from "lucide-react";
import { type KeyboardEvent, useMemo, useState } from "react";
import type { PersonState, PersonSummary, PhoneBookEntry } from "sip-proxy-client";
import { type DirectoryEntry, directoryEntries, MAX_LISTED, searchDirectory } from "../phone/directory";
import { byParty, type HistoryEntry, matches, type RecentParty } from "../phone/history";
import type { Recordings } from "../phone/useRecordings";
import { missedOf, PEOPLE, PRESENCE_LABELS, talkedToOf } from "../texts";
import { CallRecordings } from "./CallRecordings";
import { relativeTime, spokenSeconds } from "./time";

export interface PeopleProps {
  user: string; // not listed
  history: readonly HistoryEntry[];
  people: readonly PersonSummary[];
  phoneBook: readonly PhoneBookEntry[];
  recordings: Recordings;
  now: number;
  missed: number; // parties with missed calls that have not been seen
  hasOlderCalls: boolean; // the server has more calls
  disabled: boolean; // during a call
  verb: "Call" | "Choose"; // what a press does
  onCall(number: string): void;
  onLoadOlder(): void;
  onSeen(): void; // the user looks at the list
}

/** As many of the last parties are shown before the people; the search finds all. */
const MAX_RECENT = 5;

export function People({
  user,
  history,
  people,
  phoneBook,
  recordings,
  now,
  missed,
  hasOlderCalls,
  disabled,
  verb,
  onCall,
  onLoadOlder,
  onSeen,
}: PeopleProps) {
  const [search, setSearch] = useState("");
  const [all, setAll] = useState(false);
  const parties = useMemo(() => byParty(history), [history]);
  const everybody = useMemo(() => directoryEntries(people, phoneBook, user), [people, phoneBook, user]);
  const states = useMemo(() => new Map(people.map(({ number, state }) => [number, state])), [people]);
  const recent = parties.filter(({ number, name, last }) =>
    matches(search, number, `${name} ${last.connected?.name ?? ""} ${last.connected?.number ?? ""}`),
  );
  const shown = search || all ? recent : recent.slice(0, MAX_RECENT);
  const listing = searchDirectory(search, everybody);
  return (
    <section
      className="people"
      aria-label="Calls and phone book"
      onKeyDown={moveFocus}
      onPointerDown={onSeen}
      onFocus={onSeen}
    >
      <label className="search">
        <Search size={16} aria-hidden="true" />
        <input
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          placeholder="Search"
          aria-label="Search calls and phone book"
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <div className="people-lists">
        <h2>
          {PEOPLE.recent}
          {missed > 0 && (
            <b className="count" data-testid="missed">
              {missedOf(missed)}
            </b>
          )}
        </h2>
        <ul data-testid="history" aria-label="Recent calls">
          {shown.map((party) => (
            <Recent
              key={party.number}
              party={party}
              state={states.get(party.number) ?? null}
              now={now}
              disabled={disabled}
              verb={verb}
              recordings={recordings}
              onCall={onCall}
            />
          ))}
        </ul>
        {shown.length < recent.length && (
          <button type="button" className="link" onClick={() => setAll(true)}>
            {PEOPLE.allRecent}
          </button>
        )}
        {shown.length === recent.length && (search || all || recent.length <= MAX_RECENT) && hasOlderCalls && (
          <button type="button" className="link" onClick={onLoadOlder}>
            {PEOPLE.older}
          </button>
        )}
        {recent.length === 0 && (!search || listing.length === 0) && (
          <p className="quiet people-empty">{search ? PEOPLE.nobody : PEOPLE.noCalls}</p>
        )}
        {listing.length > 0 && <h2>{PEOPLE.people}</h2>}
        <ul aria-label="People">
          {listing.slice(0, MAX_LISTED).map((person) => (
            <Person key={person.number} person={person} disabled={disabled} onCall={onCall} />
          ))}
        </ul>
        {listing.length > MAX_LISTED && (
          <p className="quiet people-empty">{PEOPLE.more(listing.length - MAX_LISTED)}</p>
        )}
      </div>
    </section>
  );
}

function Person({
  person: { number, name, state },
  disabled,
  onCall,
}: {
  person: DirectoryEntry;
  disabled: boolean;
  onCall(number: string): void;
}) {
  const Icon = state === null ? BookUser : UserRound;
  return (
    <li>
      <button type="button" className="person" disabled={disabled} onClick={() => onCall(number)}>
        <span className="person-icon">
          <Icon size={16} aria-hidden="true" />
          <Dot state={state} />
        </span>
        <span className="person-name">{name || number}</span>
        <span className="person-more">
          {[name && number, state && PRESENCE_LABELS[state]].filter(Boolean).join(" · ")}
        </span>
      </button>
    </li>
  );
}

interface RecentProps {
  party: RecentParty;
  state: PersonState | null;
  now: number;
  disabled: boolean;
  verb: string;
  recordings: Recordings;
  onCall(number: string): void;
}

function Recent({
  party: { number, name, last, count, missed, ids },
  state,
  now,
  disabled,
  verb,
  recordings,
  onCall,
}: RecentProps) {
  const recorded = recordings.of(ids);
  const how = state ? `, ${PRESENCE_LABELS[state]}` : "";
  return (
    <li className={recorded.length > 0 ? "recorded" : undefined}>
      <button
        type="button"
        className={missed ? "person missed" : "person"}
        disabled={disabled}
        onClick={() => onCall(number)}
        aria-label={`${verb} ${name || number}, ${missed ? "missed, " : ""}${relativeTime(last.at, now)}${how}`}
        title={state ? PRESENCE_LABELS[state] : undefined}
      >
        <span className="person-icon">
          <Direction entry={last} missed={missed} />
          <Dot state={state} />
        </span>
        <span className="person-name">
          {name || number}
          {count > 1 && <small> ×{count}</small>}
        </span>
        <span className="person-more" title={new Date(last.at).toLocaleString()}>
          {name ? `${number} · ` : ""}
          {talkedToOf(last)}
          {last.outcome === "answered_elsewhere"
            ? `${PEOPLE.takenByOthers} · `
            : last.seconds !== null
              ? `${spokenSeconds(last.seconds)} · `
              : ""}
          {relativeTime(last.at, now)}
        </span>
      </button>
      {recorded.length > 0 && (
        <CallRecordings who={name || number} list={recorded} now={now} sound={recordings.sound} />
      )}
    </li>
  );
}

const Dot = ({ state }: { state: PersonState | null }) =>
  state && <i className={`dot dot-${state}`} aria-hidden="true" />;

/** The arrow keys go from the search through the list, and back. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0) return;
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>("input[type=search], .person:not(:disabled)")];
  const next = stops[stops.indexOf(document.activeElement as HTMLElement) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function Direction({ entry, missed }: { entry: HistoryEntry; missed: boolean }) {
  if (missed) return <PhoneMissed size={16} aria-hidden="true" />;
  return entry.direction === "inbound" ? (
    <PhoneIncoming size={16} aria-hidden="true" />
  ) : (
    <PhoneOutgoing size={16} aria-hidden="true" />
  );
}
