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

/** The state of one connection that carries a call's media. */
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

/** Why a call has failed, if the server has no outcome for it. */
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
  name: string; // "" if unknown
  connected: Person | null; // who is connected, if the phone system says so
  phase: Exclude<Phase, "idle">;
  startedAt: number; // Unix milliseconds, as all times here
  acceptedAt: number | null;
  endedAt: number | null;
  outcome: Outcome | null; // with `ended`; null if only `problem` says why
  problem: CallProblem | null; // on an incoming call: why it could not be accepted; on an accepted one: why the microphone is not sent
  reason: string; // the server's words, for support
  q850: number; // 0 if unknown
  sip: number;
  detail: Detail | null; // who refused, if `outcome` does not say it
  forward: string; // with `moved`: the number that the other side names in its place
  media: MediaState | "returning"; // `returning`: a new connection is made in place of one that was lost
  farAudioReceived: boolean; // media of the other side have arrived: no ringback any more, answered or not (RFC 3960 section 3.2)
  held: boolean; // by us: the other side hears music
  heldByFar: boolean;
  muted: boolean;
  customAudio: boolean; // it sends something else than the microphone
  digits: string; // DTMF sent in this call
  parties: readonly PartySummary[]; // who is in the call besides us; number 0: requested, not confirmed yet
  transferring: Person | null; // the target of a transfer; in a call that has ended: who has taken it
  recording: RecordingState;
  consultsId: string | null; // the call whose party may be connected with this one's
  pending: PendingRequest | null; // what we show already, and the server has not confirmed
  failedRequest: RequestFailure | null; // until the next request
}

export type LiveCall = Call & { phase: Exclude<Phase, "idle" | "ended"> };

export type EndReason = Partial<Pick<Call, "outcome" | "problem" | "reason" | "q850" | "sip" | "detail" | "forward">>;

export interface Person {
  number: string;
  name: string; // "" if unknown
}

export type PendingRequest =
  | { kind: "hold"; held: boolean }
  | ({ kind: "transfer" | "connect" | "add" | "merge" } & Person) // `connect`, `merge`: with the party of our other call
  | { kind: "record"; state: RecordingState; before: RecordingState };

/** A request that has failed. */
export interface RequestFailure extends Person {
  kind: PendingRequest["kind"] | "digits";
  outcome: Outcome | null; // null if `problem` says why
  problem: CallProblem | null;
  reason: string; // the server's words
  detail: Detail | null; // who refused, if `outcome` does not say it
}

/** A call of the server's list, in the page's terms and times (Unix milliseconds). */
export interface ListedCall {
  id: string;
  direction: Direction;
  number: string; // the other side
  name: string; // "" if unknown
  connected: Person | null; // who is connected, if the phone system says so
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
  activeId: string | null; // one of them; null without a call
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
  | { type: "resumed"; call: Call } // an existing call belongs to this page again: after a reload, or from another page
  | { type: "other-device-calls"; calls: readonly ListedCall[] }
  | { type: "taken-over"; call: ListedCall } // another page has taken the call over
  | { type: "call-unknown"; id: string } // the server does not know the call, so that it has no outcome
  | { type: "server"; message: ServerMessage; at: number };

export type CallMessage = IncomingEnded | Hold | Refusal | State | Party | Transferred | TransferFailed | Recording;

export type CallAction =
  | { type: "accept-pressed"; customAudio?: boolean }
  | { type: "accept-failed"; problem: CallProblem } // the incoming call still rings
  | { type: "decline-pressed"; at: number }
  | { type: "hangup-pressed"; at: number }
  | { type: "leave-pressed"; at: number } // the others continue
  | { type: "muted"; muted: boolean }
  | { type: "digits-sent"; digits: string }
  | { type: "requested"; request: PendingRequest }
  | { type: "media"; state: Call["media"] }
  | { type: "far-audio" } // the first packet has come
  | { type: "media-failed"; at: number } // there never was any, and all tries are over
  | { type: "microphone"; problem: MicrophoneProblem | null } // the call continues without our microphone; null: with it
  | { type: "listed"; listed: ListedCall; first: boolean } // as the server lists it; first: in the first list of a connection
  | { type: "ended"; reason: EndReason; acceptedAt: number | null; at: number }
  | { type: "failed"; problem: CallProblem; at: number } // the call cannot continue
  | { type: "call-message"; message: CallMessage; at: number };

/** The call holds a line: it rings, is set up, or talks. */
export function isLive(call: Call | null | undefined): call is LiveCall {
  return call !== null && call !== undefined && call.phase !== "ended";
}

/** The fields that a list has of a call. */
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

/** Who is connected, if the server's message says so. */
export const connectedPerson = ({
  connectedNumber: number,
  connectedName: name = "",
}: {
  connectedNumber?: string;
  connectedName?: string;
}): Person | null => (number ? { number, name } : null);

/** The call with its connected party; the same object if that is no news. */
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

/** Who is connected: the remaining party, after others have joined and left. */
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

/** Whether the others can continue without us. */
export const canLeave = (call: Call): boolean =>
  otherParties(call).filter(({ state }) => state === "accepted").length > 1;
