// Generated from the endpoints of frontend/ by `python -m frontend.codegen`. Do not edit.

import type { ClientState, Detail, Direction, Outcome, PersonSummary } from "./messages.js";

export interface SessionData {
  token: string; // for `Authorization: Bearer TOKEN`
  user: string;
  expiresAt: number; // Unix seconds
}

export interface Credentials {
  user: string;
  password: string;
}

/** What a page needs to know before anybody signs in. */
export interface ConfigData {
  version: string;
  authentication: boolean; // calls need a token
  recording: boolean; // calls can be recorded
  preflightNumber: string; // an echo, for trying the connection; "": there is none
  feedback: boolean; // it can be given after a call
  phoneBook: PhoneBookEntry[];
}

export interface PhoneBookEntry {
  number: string;
  name: string;
}

/** A call that was begun. The far side has not answered yet. */
export interface Placed {
  callId: string;
  sdp: string; // the SDP answer, for `setRemoteDescription`
  state: ClientState; // A call's state as clients see it; `ended` is the last and comes once.
}

/** Whom to call, and the browser's offer. */
export interface Invite {
  target: string; // A number, as people write it.
  sdp: string; // as `createOffer` made it; ICE candidates need not be gathered first
  caller?: string | null; // shown to the far side; with sign-in on it is the user
  callId?: string | null; // 1 to 128 printable characters, chosen by you; else made by the server
  prefer?: "opus" | "pcmu" | null; // the codec of your side; else as the server is set
}

/** A call as it is now. Times are Unix seconds; null: it has not happened. */
export interface CallData {
  callId: string;
  direction: Direction;
  state: "trying" | "ringing" | "early" | "accepting" | "accepted" | "ending" | "ended"; // `accepting`: incoming, accepted, media is being set up. `ending`: being released
  target: string; // the number that was dialled or called
  caller: string; // the caller id shown to the far side; incoming: the caller's number
  callerName: string;
  connectedNumber: string; // the connected line, as Asterisk reports it; "": unchanged since the call was placed
  connectedName: string;
  user: string | null; // whose call it is; null: no user's, or not accepted yet
  users: string[]; // incoming: those whose pages ring
  held: boolean; // by our side
  heldByFar: boolean;
  parties: PartyData[]; // added to the call, or joined from another, including those that have left
  transferring: string | null; // the number that the call is being transferred to
  left: Outcome | null; // set when our side has left and the others continue: the outcome for its user
  leftAt: number | null;
  recordings: CallRecording[];
  outcome: Outcome | null; // set when the call is decided to end
  cause: CauseData | null; // once the call has ended
  createdAt: number;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number | null;
  ownerless: boolean; // it was found active without a record of whose it is: only an operator can end it
}

/** A participant besides the user and the far side. Times are Unix seconds; null: it has not happened. */
export interface PartyData {
  party: number; // its number in the call, from 2 on: the far side is 1
  number: string; // as dialled, or the caller's
  name: string;
  state: "trying" | "ringing" | "accepted" | "ended";
  outcome: Outcome | null; // with `ended`
  answeredAt: number | null;
  endedAt: number | null;
}

/** A recording of the call. */
export interface CallRecording {
  name: string; // its name in `/recordings` once the call has ended
  state: "on" | "paused" | "over";
}

/** Why a call ended, for support. */
export interface CauseData {
  q850: number; // ITU-T Q.850 cause; 0 if unknown
  sip: number; // the closest SIP status; 0 if there is none
  text: string; // in words
  detail: Detail | null; // the reason in more detail than `outcome`
  forward: string; // the number that the far side redirects to
}

export interface HoldBody {
  held?: boolean; // false: take the others back
}

/** One of both. */
export interface TransferBody {
  target?: string | null; // blind: this number is called, and takes your place when it answers
  toCallId?: string | null; // attended: the other parties of both calls are connected, and both calls end here
}

/** One of both. */
export interface PartyBody {
  target?: string | null; // this number is called, and joins when it answers
  fromCallId?: string | null; // the party of that other call of yours joins at once, and that call ends
}

export interface RecordBody {
  action: "start" | "pause" | "resume" | "stop";
}

export interface DtmfBody {
  digits: string;
}

export interface FeedbackBody {
  score: number; // 5 is best
  issue?: "echo" | "choppy" | "one_way" | "delay" | "noise" | "dropped" | null;
  comment?: string;
}

export interface CallPage {
  calls: CallData[]; // newest first; fewer than `limit`, or none, do not mean that there are no others
  nextCursor: string | null; // `cursor` of the next page; null on the last one
}

export interface Directory {
  people: PersonSummary[]; // by number
}

/**
 * What is to be done with calls for a user. A forward is a number, `voicemail`, or "": none.
 *
 * What is left out is as at the beginning: nothing forwarded, calls ring.
 */
export interface CallPreferences {
  doNotDisturb?: boolean; // no page rings
  callWaiting?: boolean; // it rings also while this user is in a call
  forwardAlways?: string;
  forwardBusy?: string; // in a call, without call waiting
  forwardNoAnswer?: string;
  forwardUnreachable?: string; // no page is open
  ringSeconds?: number; // 5 to 120; 0: as long as the server is set to
}

/** Newest first. */
export interface RecordingPage {
  recordings: RecordingData[];
  nextCursor: string | null; // `cursor` of the next page; null on the last one
}

/** A recording. Times are Unix seconds. */
export interface RecordingData {
  name: string;
  callId: string;
  user: string | null; // whose call it was; null: nobody's
  caller: string;
  target: string;
  startedAt: number;
  seconds: number; // of sound: pauses are left out
  size: number; // bytes of the sound file
  sha256: string; // of the sound file, in hexadecimal
}

/** Newest first. */
export interface CdrPage {
  cdrs: Cdr[];
  nextCursor: string | null; // `cursor` of the next page; null on the last one
}

/**
 * One ended call. Times are Unix seconds; None means that it did not happen.
 *
 * Its names in JSON are in camelCase, its columns in the table as here.
 */
export interface Cdr {
  callId: string;
  direction: Direction;
  caller: string;
  callerName: string;
  target: string; // the number as dialled, or that was called
  user: string; // whose call it is: only they may see it; "": nobody's
  tenant: string; // "": there is one
  createdAt: number;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number; // when it was decided to end
  talkSeconds: number; // from the answer until our user left, or the end; 0 where nobody answered
  outcome: Outcome;
  q850: number; // ITU-T Q.850 cause, 0 where Asterisk gave none
  sip: number; // the SIP status that stands closest, 0 where none does
  cause: string; // the cause in words, for support
  codecs: string; // "": not known
  parties: Record<string, unknown>[]; // besides the far side: party, number, name, outcome, answeredAt, endedAt
  transferredTo: string; // the number that took our user's place
  recording: string[]; // names of recordings
  quality: Record<string, unknown>; // {}: not known
  feedback: Record<string, unknown>; // {}: none was given
  connectedNumber: string; // who was talked to last, as Asterisk told it (connected line); "": the one above
  connectedName: string;
}

export interface LiveData {
  calls: CallData[];
  channels: ChannelData[];
  bridges: BridgeData[];
  lastEventId: number; // `/events` with this number tells all that comes after
  reason: string | null; // why Asterisk could not be asked; null if it was
}

/** A channel of Asterisk. */
export interface ChannelData {
  id: string;
  name: string;
  state: string;
  caller: string;
  connected: string;
  createdAt: string; // as Asterisk writes it
  callId: string | null; // of which call of ours it is; null: of none
}

/** A bridge of Asterisk. */
export interface BridgeData {
  id: string;
  technology: string;
  type: string;
  channels: string[]; // ids
  callId: string | null; // of which call of ours it is; null: of none
}

export interface StatsData {
  since: number; // Unix seconds: when the server was started
  activeCalls: number;
  activeByState: Record<string, number>;
  started: Started;
  outcomes: Record<string, number>;
  connections: number; // open WebSockets
  usersOnline: number;
}

export interface Started {
  inbound: number;
  outbound: number;
}

/** One event: what stands in `data:`. */
export interface EventData {
  id: number; // counts up; where the server was started anew, from 1 on
  at: number; // Unix seconds
  name: string;
  callId: string | null; // of which call it is; null: of none
  data: Record<string, unknown>; // what docs/HOOKS.md says of this `name`
}

export interface HealthData {
  status: "ok" | "degraded" | "draining" | "unavailable";
  version: string;
  checks: Checks;
}

export interface Checks {
  ari: PartCheck;
  pbx: PartCheck; // it makes channels and media legs, and has the context that calls begin in
  rtpengine: MediaCheck;
  store: PartCheck; // the call store
  recordings: PartCheck;
  records: PartCheck;
}

export interface PartCheck {
  ok: boolean;
  reason?: string | null; // why it is not; with `ok`: what is wrong with it though calls can be made
  version?: string | null;
}

export interface MediaCheck {
  ok: boolean; // one of them takes calls
  nodes: NodeCheck[];
  reason?: string | null;
}

/** One rtpengine. */
export interface NodeCheck {
  ok: boolean; // it takes calls
  address: string;
  state: string;
  sessions: number;
  reason?: string | null; // why it takes none
  seconds?: number | null; // how long its last answer took
}

/** What went wrong (RFC 9457). What is below `code` is there where it applies. */
export interface Problem {
  type: string; // where the code is explained, relative to this server
  title: string; // the same for every problem of this code
  status: number; // as of the answer
  detail: string; // what went wrong this time, in one or two sentences for people
  code: string; // for programs
  field?: string | null; // which value of the request is wrong
  rule?: string | null; // with `forbidden` for a number: which rule of the dial permissions refuses it
  callId?: string | null;
  outcome?: Outcome | null; // how the call ended
  cause?: CauseData | null;
  retryAfter?: number | null; // seconds; also, in whole ones, as the header Retry-After
  requestId?: string | null; // by which the server's log has this request
}
