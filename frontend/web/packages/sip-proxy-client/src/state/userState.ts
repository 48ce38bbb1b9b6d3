// What the server tells a user beside the calls: who is there, what is done with calls, voicemail. Pure.

import type { Error as Refusal, PersonSummary, Preferences, ServerMessage, Voicemail } from "../protocol/messages.js";

export type Settings = Required<Omit<Preferences, "type">>;

export interface Fault {
  field: keyof Settings | null; // null: none of them is to blame
  text: string;
  retry: boolean; // the same may be taken later
}

export interface Attended {
  people: readonly PersonSummary[]; // sorted by name, as people read it
  kept: Settings | null; // what the server keeps; null until it has told
  wanted: Settings | null; // what was asked for, and the server has not confirmed
  asks: number; // how many of those are on their way
  fault: Fault | null; // of the last that was asked for
  voicemail: Voicemail | null; // null: this user has no box
}

export const UNATTENDED: Attended = { people: [], kept: null, wanted: null, asks: 0, fault: null, voicemail: null };

/** A forward to the user's voicemail box, in place of a number. */
export const TO_VOICEMAIL = "voicemail";

export const FORWARDS = ["forwardAlways", "forwardBusy", "forwardNoAnswer", "forwardUnreachable"] as const satisfies readonly (keyof Settings)[];
export type Forward = (typeof FORWARDS)[number];

const BEGINNING: Settings = {
  doNotDisturb: false, callWaiting: true, forwardAlways: "", forwardBusy: "", forwardNoAnswer: "", forwardUnreachable: "", ringSeconds: 0,
};

/** What people see: what they have asked for, until the server says otherwise. */
export const settingsOf = (attended: Attended): Settings | null => attended.wanted ?? attended.kept;

/** What happens with every call, in the order in which the server decides it; null: they ring. */
export function standOf(settings: Settings | null): "forwarded" | "undisturbed" | null {
  if (settings?.forwardAlways) return "forwarded";
  return settings?.doNotDisturb ? "undisturbed" : null;
}

/** All of them go to the server at once. Null where nothing would change. */
export function ask(attended: Attended, change: Partial<Settings>): Attended | null {
  const settings = settingsOf(attended);
  if (settings === null) return null;
  const wanted = { ...settings, ...change };
  if (same(wanted, settings) && attended.fault === null) return null;
  return { ...attended, wanted, asks: attended.asks + 1, fault: null };
}

/** The connection is gone: what was on its way may not have arrived. The server tells anew what it keeps. */
export const unheard = (attended: Attended): Attended =>
  attended.asks === 0 && attended.wanted === null ? attended : { ...attended, wanted: null, asks: 0 };

/** Null: the message is not about any of this. */
export function attend(attended: Attended, message: ServerMessage): Attended | null {
  switch (message.type) {
    case "people":
      return { ...attended, people: sorted(message.people) };
    case "people-changed": {
      const changed = new Map(message.people.map((person) => [person.number, person]));
      return { ...attended, people: attended.people.map((person) => changed.get(person.number) ?? person) };
    }
    case "voicemail":
      return { ...attended, voicemail: message };
    case "preferences":
      return confirmed(attended, message);
    case "error":
      return isAboutSettings(attended, message) ? refused(attended, message) : null;
    default:
      return null;
  }
}

function confirmed(attended: Attended, { type: _, ...told }: Preferences): Attended {
  const kept = { ...BEGINNING, ...told };
  const asks = Math.max(0, attended.asks - 1);
  const later = asks > 0 && attended.wanted !== null && !same(attended.wanted, kept); // what was asked for since is on its way
  return { ...attended, kept, asks: later ? asks : 0, wanted: later ? attended.wanted : null };
}

/** What was wanted is not kept: what the server keeps is shown again. */
function refused(attended: Attended, { field, message, code }: Refusal): Attended {
  const retry = code === "unavailable" || code === "too_many";
  return { ...attended, wanted: null, asks: 0, fault: { field: isSetting(field) ? field : null, text: message, retry } };
}

function isAboutSettings({ asks }: Attended, { callId, field }: Refusal): boolean {
  return !callId && asks > 0 && (field === undefined || isSetting(field));
}

const isSetting = (field: string | undefined): field is keyof Settings => field !== undefined && field in BEGINNING;

const same = (one: Settings, other: Settings): boolean =>
  (Object.keys(BEGINNING) as (keyof Settings)[]).every((name) => one[name] === other[name]);

const sorted = (people: readonly PersonSummary[]): PersonSummary[] =>
  [...people].sort((one, other) => (one.name || one.number).localeCompare(other.name || other.number));
