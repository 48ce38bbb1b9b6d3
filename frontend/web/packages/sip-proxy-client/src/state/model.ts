// What calls are to the page, and all that can happen to them: every type of the state, so that no reducer has to import
// another one for a type. Pure, as all that changes it: no clock, no browser, no I/O.

import type { MicrophoneProblem } from "../devices/Microphone.js";
import type {
  Detail,
  Direction,
  Hold,
  IncomingEnded,
  Outcome,
  Party,
  PartySummary,
  Recording,
  RecordingState,
  Error as Refusal,
  ServerMessage,
  State,
  TransferFailed,
  Transferred,
} from "../protocol/messages.js";

export type Phase = "idle" | "connecting" | "trying" | "ringing" | "early" | "accepted" | "incoming" | "ended";

/** Of one connection that carries a call's sound. */
export type MediaState = "new" | "connected" | "interrupted" | "failed";

/** How good a call sounds. */
export interface Quality {
  roundTripMs: number | null; // to the media server; null until known
  jitterMs: number;
  lossPercent: number; // of what should have come since the sample before
  sentLossPercent?: number | null; // of what we sent, as the media server reported last; null until it has
  codec: string; // "opus 48 kHz"; "" until known
  packets: number; // received since the start
  mos: number; // 1 (unusable) to 4.4 (as good as a line can be)
  bars: 0 | 1 | 2 | 3 | 4;
}

/** Why a call could not go on, where the server has no outcome for it. */
export type CallProblem =
  | MicrophoneProblem
  | "invalid_target"
  | "too_many"
  | "not_connected"
  | "connection_lost"
  | "accepted_elsewhere"
  | "owned_elsewhere"
  | "unauthorized"
  | "refused";

export interface Call {
  id: string;
  direction: Direction;
  number: string; // the other side: as dialled, or who called
  name: string; // "" where unknown
  connected: Person | null; // who is talked to, where the PBX tells it
  phase: Exclude<Phase, "idle">;
  startedAt: number; // Unix milliseconds, as all times here
  acceptedAt: number | null;
  endedAt: number | null;
  outcome: Outcome | null; // with `ended`; null where only `problem` says why
  problem: CallProblem | null; // on an incoming call: why accepting did not work; on a live one: why we are not heard
  reason: string; // the server's words, for support
  q850: number; // 0 where none is known
  sip: number;
  detail: Detail | null; // who refused, where `outcome` says too little
  forward: string; // with `moved`: the number that the other side names in its place
  media: MediaState | "returning"; // `returning`: a new connection is made in place of one that was lost
  farAudioReceived: boolean; // sound of the other side has come: no ringback any more, answered or not (RFC 3960 section 3.2)
  held: boolean; // by us: the other side hears music
  heldByFar: boolean;
  muted: boolean;
  customAudio: boolean; // it sends something else than the microphone
  digits: string; // DTMF sent in this call
  parties: readonly PartySummary[]; // who is in the call besides us; number 0: asked for, and not heard of yet
  transferring: Person | null; // who is called in our place; in a call that has ended: who has taken it
  recording: RecordingState;
  consultsId: string | null; // the call whose party may be connected with this one's
  pending: PendingRequest | null; // what we show already, and the server has not confirmed
  failedRequest: RequestFailure | null; // what came to nothing, until the next press
}

export type LiveCall = Call & { phase: Exclude<Phase, "idle" | "ended"> };

export type EndReason = Partial<Pick<Call, "outcome" | "problem" | "reason" | "q850" | "sip" | "detail" | "forward">>;

export interface Person {
  number: string;
  name: string; // "" where unknown
}

export type PendingRequest =
  | { kind: "hold"; held: boolean }
  | ({ kind: "transfer" | "connect" | "add" | "merge" } & Person) // `connect`, `merge`: with the party of our other call
  | { kind: "record"; state: RecordingState; before: RecordingState };

/** What came to nothing. */
export interface RequestFailure extends Person {
  kind: PendingRequest["kind"] | "digits";
  outcome: Outcome | null; // null where `problem` says why
  problem: CallProblem | null;
  reason: string; // the server's words
  detail: Detail | null; // who refused, where `outcome` says too little
}

/** A call that stands, in the page's words and times (Unix milliseconds). */
export interface ListedCall {
  id: string;
  direction: Direction;
  number: string; // the other side
  name: string; // "" where unknown
  connected: Person | null; // who is talked to, where the PBX tells it
  phase: Exclude<LiveCall["phase"], "incoming">;
  startedAt: number;
  acceptedAt: number | null;
  held: boolean; // by us
  heldByFar: boolean;
  parties: readonly PartySummary[];
  transferring: Person | null;
  recording: RecordingState;
  here: boolean; // it belongs to this page's session
  attached: boolean; // to a page that is open
}

/** How a call ended by a press: for all, or for this page alone. */
export type ReleaseMode = "hangup" | "leave";

export interface PhoneState {
  calls: readonly LiveCall[]; // the oldest first
  activeId: string | null; // one of them; null where there is none
  lastEndedCall: Call | null; // the last that has ended, until that is dismissed or something new begins
  otherDeviceCalls: readonly ListedCall[]; // calls of this user that other pages hold
}

export type PhoneAction =
  | ({ id: string } & CallAction)
  | {
      type: "dialled";
      id: string;
      number: string;
      name: string;
      consultsId?: string;
      customAudio?: boolean;
      at: number;
    }
  | { type: "activated"; id: string }
  | { type: "last-call-cleared" }
  | { type: "resumed"; call: Call } // a call that stands is this page's again: after a reload, or from another page
  | { type: "other-device-calls"; calls: readonly ListedCall[] }
  | { type: "taken-over"; call: ListedCall } // another page has taken the call over
  | { type: "call-unknown"; id: string } // nobody knows the call any more: nothing to tell of it
  | { type: "server"; message: ServerMessage; at: number };

export type CallMessage = IncomingEnded | Hold | Refusal | State | Party | Transferred | TransferFailed | Recording;

export type CallAction =
  | { type: "accept-pressed"; customAudio?: boolean }
  | { type: "accept-failed"; problem: CallProblem } // the incoming call still rings
  | { type: "decline-pressed"; at: number }
  | { type: "hangup-pressed"; at: number }
  | { type: "leave-pressed"; at: number } // the others go on
  | { type: "muted"; muted: boolean }
  | { type: "digits-sent"; digits: string }
  | { type: "requested"; request: PendingRequest }
  | { type: "media"; state: Call["media"] }
  | { type: "far-audio" } // the first packet has come
  | { type: "media-failed"; at: number } // there never was any, and all tries are over
  | { type: "microphone"; problem: MicrophoneProblem | null } // the call stands, but without our microphone
  | { type: "listed"; listed: ListedCall; first: boolean } // how it stands; first: after a time in which nobody told us
  | { type: "ended"; reason: EndReason; acceptedAt: number | null; at: number }
  | { type: "failed"; problem: CallProblem; at: number } // the call cannot go on
  | { type: "call-message"; message: CallMessage; at: number };

/** The call holds a line: it rings, is set up, or talks. */
export function isLive(call: Call | null | undefined): call is LiveCall {
  return call !== null && call !== undefined && call.phase !== "ended";
}

/** What a list tells of a call. */
function listedFields({
  id,
  direction,
  number,
  name,
  connected,
  startedAt,
  acceptedAt,
  held,
  heldByFar,
  parties,
  transferring,
  recording,
}: Omit<ListedCall, "phase" | "here" | "attached">) {
  return {
    id,
    direction,
    number,
    name,
    connected,
    startedAt,
    acceptedAt,
    held,
    heldByFar,
    parties,
    transferring,
    recording,
  };
}

/** A listed call as a call of this page. Its media are still to come. */
export function resumedCall(listed: ListedCall): Call {
  const { id, direction, number, name, phase, startedAt } = listed;
  return { ...newCall(id, direction, number, name, phase, startedAt), ...listedFields(listed), media: "returning" };
}

/** A call that another page has taken over, as it is there. */
export function takenCall(call: LiveCall): ListedCall | null {
  const { phase } = call;
  return phase === "incoming" ? null : { ...listedFields(call), phase, here: false, attached: true };
}

export function newCall(
  id: string,
  direction: Direction,
  number: string,
  name: string,
  phase: Call["phase"],
  at: number,
): Call {
  return {
    id,
    direction,
    number,
    name,
    connected: null,
    phase,
    startedAt: at,
    acceptedAt: null,
    endedAt: null,
    outcome: null,
    problem: null,
    reason: "",
    q850: 0,
    sip: 0,
    detail: null,
    forward: "",
    media: "new",
    farAudioReceived: false,
    held: false,
    heldByFar: false,
    muted: false,
    customAudio: false,
    digits: "",
    parties: [],
    transferring: null,
    recording: "off",
    consultsId: null,
    pending: null,
    failedRequest: null,
  };
}

export function endCall(call: Call, at: number, why: EndReason): Call {
  return {
    ...call,
    problem: null,
    ...why,
    phase: "ended",
    endedAt: at,
    held: false,
    heldByFar: false,
    recording: "off",
    pending: null,
    failedRequest: null,
  };
}

/** Who is there, where the server's message tells it. */
export const connectedPerson = ({
  connectedNumber: number,
  connectedName: name = "",
}: {
  connectedNumber?: string;
  connectedName?: string;
}): Person | null => (number ? { number, name } : null);

/** The call with whom the message tells of; the same one where that is no news. */
export function withConnected<Some extends Call>(call: Some, to: Person | null): Some {
  if (
    !to ||
    (to.number === (call.connected ?? call).number && (to.name || call.name) === (call.connected ?? call).name)
  )
    return call;
  return { ...call, connected: to };
}

/** The party that was called, or has called. */
export const FAR_PARTY = 1;

/** Who is talked to: the one that is left where others have come and gone. */
export function connectedParty(call: Call): Person {
  const { number, name, connected, parties } = call;
  const [only] = parties;
  return !only || parties.length > 1 || only.party === FAR_PARTY || only.number === number
    ? (connected ?? { number, name })
    : { number: only.number, name: only.name };
}

/** Those in the call besides us, without the one that it is being transferred to. */
export function otherParties(call: Call): readonly PartySummary[] {
  const { parties, transferring } = call;
  return transferring
    ? parties.filter((party) => party.number !== transferring.number || party.state === "accepted")
    : parties;
}

/** Whether there are, or will be, more than two in the call. */
export const isConference = (call: Call): boolean => otherParties(call).length > 1;

/** Whether the others can go on without us. */
export const canLeave = (call: Call): boolean =>
  otherParties(call).filter(({ state }) => state === "accepted").length > 1;
