// Sentences about people, and about how a user's calls are handled.

import type { ForwardKind, Person, PersonState } from "sip-proxy-client";

export const PRESENCE_LABELS: Record<PersonState, string> = {
  offline: "Offline",
  available: "Available",
  ringing: "Ringing",
  in_call: "In a call",
  do_not_disturb: "Do not disturb",
};

export const PEOPLE = {
  recent: "Recent",
  allRecent: "Show all recent calls",
  older: "Show older calls",
  takenByOthers: "answered by somebody else",
  people: "People",
  nobody: "Nobody found.",
  noCalls: "Calls that you make and take are listed here.",
  more: (count: number): string => `${count} more: search for a name or a number.`,
} as const;

export const missedOf = (count: number): string => (count === 1 ? "1 missed" : `${count} missed`);

/** In a line of the last calls: who was connected, if that is another party; "" otherwise. */
export function talkedToOf({ number, connected }: { number: string; connected?: Person | null }): string {
  return connected && connected.number !== number ? `talked to ${connected.name || connected.number} · ` : "";
}

export const CALL_PREFERENCES = {
  title: "What happens with your calls",
  do_not_disturb: "Do not disturb",
  forwarded: "Forwarded",
  callWaiting: "Ring while I am in a call",
  ringFor: "Ring for",
  asTheSystem: "Usual time",
  forward: "Forward calls",
  forwardTo: "forward to",
  no: "No",
  voicemail: "Voicemail",
  number: "Number",
} as const;

export const FORWARD_LABELS: Record<ForwardKind, string> = {
  forwardAlways: "Always",
  forwardBusy: "While I am in a call",
  forwardNoAnswer: "When I do not answer",
  forwardUnreachable: "When this page is closed",
};

export const NOT_SAVED = "This was not saved. Try again in a moment.";

export const VOICEMAIL = { listen: "Listen" } as const;
export const newMessages = (count: number): string => (count === 1 ? "1 new message" : `${count} new messages`);

export const RECORDINGS = {
  of: (who: string): string => `Recordings: ${who}`,
  play: "Play",
  loading: "Loading…",
  save: "Save",
  failed: "The recording could not be loaded. Try again in a moment.",
} as const;
