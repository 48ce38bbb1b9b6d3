// What the server tells a user besides the calls: people, call preferences, voicemail. Pure.

import type { PersonSummary, Preferences, Error as Refusal, ServerMessage, Voicemail } from "../protocol/messages.js";

export type UserPreferences = Required<Omit<Preferences, "type">>;

export interface PreferencesError {
  field: keyof UserPreferences | null; // null: it is not about a single field
  message: string;
  retryable: boolean; // the same may be taken later
}

export interface UserState {
  people: readonly PersonSummary[]; // sorted by name, as people read it
  savedPreferences: UserPreferences | null; // as the server has them; null until it has sent them
  pendingPreferences: UserPreferences | null; // what was asked for, and the server has not confirmed
  pendingUpdates: number; // updates that the server has not answered yet
  preferencesError: PreferencesError | null; // why the last update was refused
  voicemail: Voicemail | null; // null: this user has no box
}

export const INITIAL_USER_STATE: UserState = {
  people: [],
  savedPreferences: null,
  pendingPreferences: null,
  pendingUpdates: 0,
  preferencesError: null,
  voicemail: null,
};

/** As a forwarding target: the user's voicemail box. */
export const FORWARD_TO_VOICEMAIL = "voicemail";

export const FORWARD_KINDS = [
  "forwardAlways",
  "forwardBusy",
  "forwardNoAnswer",
  "forwardUnreachable",
] as const satisfies readonly (keyof UserPreferences)[];
export type ForwardKind = (typeof FORWARD_KINDS)[number];

const DEFAULT_PREFERENCES: UserPreferences = {
  doNotDisturb: false,
  callWaiting: true,
  forwardAlways: "",
  forwardBusy: "",
  forwardNoAnswer: "",
  forwardUnreachable: "",
  ringSeconds: 0,
};

/** As shown: what was requested last, until the server answers. */
export const preferencesOf = (state: UserState): UserPreferences | null =>
  state.pendingPreferences ?? state.savedPreferences;

/** What happens with every call, in the order in which the server decides it; null: they ring. */
export function availabilityOf(settings: UserPreferences | null): "forwarded" | "do_not_disturb" | null {
  if (settings?.forwardAlways) return "forwarded";
  return settings?.doNotDisturb ? "do_not_disturb" : null;
}

/** All preferences are sent at once. Null if nothing would change. */
export function requestPreferences(state: UserState, change: Partial<UserPreferences>): UserState | null {
  const settings = preferencesOf(state);
  if (settings === null) return null;
  const pendingPreferences = { ...settings, ...change };
  if (isSame(pendingPreferences, settings) && state.preferencesError === null) return null;
  return { ...state, pendingPreferences, pendingUpdates: state.pendingUpdates + 1, preferencesError: null };
}

/** Updates may have been lost with the connection. The server sends the preferences again. */
export const onConnectionLost = (state: UserState): UserState =>
  state.pendingUpdates === 0 && state.pendingPreferences === null
    ? state
    : { ...state, pendingPreferences: null, pendingUpdates: 0 };

/** Null: the message is about something else. */
export function userStateReducer(state: UserState, message: ServerMessage): UserState | null {
  switch (message.type) {
    case "people":
      return { ...state, people: sortedByName(message.people) };
    case "people-changed": {
      const changed = new Map(message.people.map((person) => [person.number, person]));
      return { ...state, people: state.people.map((person) => changed.get(person.number) ?? person) };
    }
    case "voicemail":
      return { ...state, voicemail: message };
    case "preferences":
      return onPreferences(state, message);
    case "error":
      return isAboutPreferences(state, message) ? onPreferencesRefused(state, message) : null;
    default:
      return null;
  }
}

function onPreferences(state: UserState, { type: _, ...saved }: Preferences): UserState {
  const savedPreferences = { ...DEFAULT_PREFERENCES, ...saved };
  const asks = Math.max(0, state.pendingUpdates - 1);
  const later = asks > 0 && state.pendingPreferences !== null && !isSame(state.pendingPreferences, savedPreferences); // what was asked for since is on its way
  return {
    ...state,
    savedPreferences,
    pendingUpdates: later ? asks : 0,
    pendingPreferences: later ? state.pendingPreferences : null,
  };
}

/** The update was refused: the server's preferences are shown again. */
function onPreferencesRefused(state: UserState, { field, message, code }: Refusal): UserState {
  const retryable = code === "unavailable" || code === "too_many";
  return {
    ...state,
    pendingPreferences: null,
    pendingUpdates: 0,
    preferencesError: { field: isPreference(field) ? field : null, message, retryable },
  };
}

function isAboutPreferences({ pendingUpdates }: UserState, { callId, field }: Refusal): boolean {
  return !callId && pendingUpdates > 0 && (field === undefined || isPreference(field));
}

const isPreference = (field: string | undefined): field is keyof UserPreferences =>
  field !== undefined && field in DEFAULT_PREFERENCES;

const isSame = (one: UserPreferences, other: UserPreferences): boolean =>
  (Object.keys(DEFAULT_PREFERENCES) as (keyof UserPreferences)[]).every((name) => one[name] === other[name]);

const sortedByName = (people: readonly PersonSummary[]): PersonSummary[] =>
  [...people].sort((one, other) => (one.name || one.number).localeCompare(other.name || other.number));
