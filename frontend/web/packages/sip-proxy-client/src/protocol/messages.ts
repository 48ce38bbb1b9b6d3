// Generated from ari_bridge_protocol/messages.py by `python -m frontend.codegen`. Do not edit.

export type Direction = "outbound" | "inbound";

/** How a call ended. Closed: every end is one of these. Used as a metric label. */
export type Outcome = "completed" | "busy" | "no_answer" | "rejected" | "cancelled" | "unreachable" | "forbidden" | "failed_media" | "failed_pbx" | "transferred" | "lost" | "answered_elsewhere";

/** What stands behind an outcome: who refused, and so what helps. The values are the words of the protocol. */
export type Detail = "moved" | "no_such_number" | "number_changed" | "incomplete_number" | "offline" | "not_responding" | "congestion" | "not_connected" | "refused" | "line_forbids" | "line_sign_in" | "incompatible_media" | "media_setup" | "no_route" | "pbx_refuses" | "still_connected" | "pbx_restarts";

/** A call's state as clients see it; `ended` is the last and comes once. */
export type ClientState = "trying" | "ringing" | "early" | "accepted" | "ended";

export type PartyState = "trying" | "ringing" | "accepted";

export type RecordingState = "off" | "on" | "paused";

export type PersonState = "offline" | "available" | "ringing" | "in_call" | "do_not_disturb";

export type QualityWarning = "mos" | "rtt" | "jitter" | "loss";

/** Somebody in a call besides this user. */
export interface PartySummary {
  party: number; // its number in the call; who was called, or has called, is 1
  number: string;
  name: string;
  state: PartyState;
}

/** A live call as its user's pages see it. Times are Unix seconds. */
export interface CallSummary {
  callId: string;
  direction: Direction;
  state: ClientState; // A call's state as clients see it; `ended` is the last and comes once.
  target: string;
  caller: string;
  callerName: string;
  createdAt: number;
  heldByFar: boolean;
  here: boolean; // this connection's session holds it
  attached: boolean; // an open connection holds it
  answeredAt?: number;
  held?: boolean; // by our side
  parties?: PartySummary[]; // all that have not left; none before an incoming call is accepted
  transferring?: string; // the number that the call is being transferred to
  recording?: RecordingState;
  connectedNumber?: string; // who is there, where the PBX tells it (connected line); "": as dialled, or as called
  connectedName?: string;
}

/** As `RTCPeerConnection` takes it. */
export interface IceServer {
  urls: string[];
  username?: string;
  credential?: string;
}

/** Somebody who can be called: a user of pages (`user` set), or a phone of the PBX. */
export interface PersonSummary {
  number: string;
  name: string;
  state: PersonState;
  user?: string;
}

/** How a call has sounded on its page until now. What is not set is not known. See docs/QUALITY.md. */
export interface QualityReport {
  seconds: number; // that were measured
  mos: number; // the average; so all that is not called worst
  worstMos: number; // of one second; so all that is called worst
  lossPercent: number; // of what was to come to the page
  worstLossPercent: number;
  jitterMs: number;
  worstJitterMs: number;
  roundTripMs?: number;
  worstRoundTripMs?: number;
  sentLossPercent?: number; // of what the page has sent
  codec?: string;
  warnings?: QualityWarning[]; // raised at some time
}

/**
 * Go on with the session of an earlier connection: the first message after `welcome`.
 *
 * `session`: what that connection's `welcome` had. The calls of the session are this connection's
 * from now on; an older connection that still seems to stand is closed.
 */
export interface Resume {
  type: "resume";
  session: string;
}

/** Take calls for `user`. With authentication on, `token` is needed and must be that user's. */
export interface Register {
  type: "register";
  user: string;
  token?: string;
}

/** Take no more calls. Calls that stand go on. */
export interface Unregister {
  type: "unregister";
}

/**
 * A call, the acceptance of one, or new media for one that stands.
 *
 * With `target`: call that number; `callId` may be chosen by the client.
 * Without: accept the incoming call `callId`, or, where that call stands, give it a
 * new media leg in place of the one it has (after a reload, or when the sound is
 * lost). `sdp` is the browser's offer as `createOffer` of a *new* connection made it;
 * ICE candidates need not be gathered first.
 */
export interface Offer {
  type: "offer";
  sdp: string;
  target?: string;
  callId?: string;
  caller?: string; // shown to the far side; with authentication on, the user
  takeOver?: boolean; // take the call from another page of this user that holds it
  prefer?: "opus" | "pcmu"; // the codec of this page's media; else as the server is set
}

/**
 * Set up the media of a call before the call, so that the call itself does not wait for ICE and DTLS.
 *
 * `callId`: the id that the client will call with, or that of an incoming call. `sdp`: as in `offer`, of a connection
 * that sends nothing yet. Answered by `media-prepared`; apply its answer at once. An `offer` with the same callId and
 * the same sdp then starts the call. Prepared media that is not used within 60 s is released (`media-discarded`).
 * A connection has at most one prepared leg: another `prepare-media` replaces it.
 */
export interface PrepareMedia {
  type: "prepare-media";
  callId: string;
  sdp: string;
  prefer?: "opus" | "pcmu";
}

/** Release what `prepare-media` has set up: there will be no call. */
export interface DiscardMedia {
  type: "discard-media";
}

/** End a call, at any moment of it. On an incoming call that rings: decline it. */
export interface Hangup {
  type: "hangup";
  callId: string;
}

/** Decline an incoming call for this user: all pages of the user stop ringing. */
export interface Decline {
  type: "decline";
  callId: string;
}

/**
 * One of the browser's ICE candidates, found after its offer was sent; without one: there are no more.
 *
 * The fields are those of `RTCIceCandidate.toJSON()`. Needed only where the server's media is behind a firewall that
 * lets in nothing it has not written to first: else it learns the browser's addresses from the browser's checks.
 * At most 64 for each offer.
 */
export interface Candidate {
  type: "candidate";
  callId: string;
  candidate?: string;
  sdpMid?: string;
  sdpMLineIndex?: number;
}

/** Send digits (0-9 * # A-D, at most 32) to the far side. From the server: a digit that it sent. */
export interface Dtmf {
  type: "dtmf";
  callId: string;
  digits: string;
}

/**
 * Put the other parties on hold: they hear music, and nothing of this page; or (`held` false) take them back.
 *
 * From the server: a party holds the call, or takes it up again (`by` is "far"), or our side does ("us").
 */
export interface Hold {
  type: "hold";
  callId: string;
  held?: boolean;
  by?: "us" | "far";
}

/**
 * Give the other party of an answered call to somebody else.
 *
 * Blind, with `target`: that number is called, the party hears music meanwhile, and is connected when it answers;
 * `transferred` and the call's end follow. Where it cannot be reached, `transfer-failed` follows and the party is
 * back. `drop-party` of the new party's number takes a transfer back, `leave` lets it go on without this page.
 * Attended, with `toCallId`: the parties of both calls are connected, and both calls end here.
 */
export interface Transfer {
  type: "transfer";
  callId: string;
  target?: string;
  toCallId?: string;
}

/**
 * Make a conference: one more party for an answered call.
 *
 * With `target`: that number is called, and joins when it answers. With `fromCallId`: the party of that other
 * call of this user joins at once, and that call ends here.
 */
export interface AddParty {
  type: "add-party";
  callId: string;
  target?: string;
  fromCallId?: string;
}

/** Let one party go: of a conference, or one that is still being called. Parties have numbers, the first has 1. */
export interface DropParty {
  type: "drop-party";
  callId: string;
  party: number;
}

/** End the call for this page alone: the others, of whom there must be two, go on. */
export interface Leave {
  type: "leave";
  callId: string;
}

/** Record an answered call, all that is said in it. */
export interface Record {
  type: "record";
  callId: string;
  action: "start" | "pause" | "resume" | "stop";
}

/** How a call sounds: every ten seconds, and once after its end, until a minute later. Replaces the one before. */
export interface Quality {
  type: "quality";
  callId: string;
  report: QualityReport;
}

/** What the call's user thought of it: within a day after its end. Replaces what was given before. */
export interface Feedback {
  type: "feedback";
  callId: string;
  score: number;
  issue?: "echo" | "choppy" | "one_way" | "delay" | "noise" | "dropped";
  comment?: string;
}

/**
 * What is to be done with calls for this user: set by the client, as a whole; told by the server to all its pages.
 *
 * What the client leaves out is as at the beginning: nothing forwarded, calls ring. The server leaves out nothing.
 * A forward is a number, `voicemail`, or "".
 */
export interface Preferences {
  type: "preferences";
  doNotDisturb?: boolean; // no page rings
  callWaiting?: boolean; // it rings also while this user is in a call
  forwardAlways?: string;
  forwardBusy?: string; // in a call, without call waiting
  forwardNoAnswer?: string;
  forwardUnreachable?: string; // no page is open
  ringSeconds?: number; // 5 to 120; 0: as long as the server is set to
}

/**
 * This page has heard nothing for long, though its path to the media server stands: is there anything to be heard?
 *
 * Answered by `media-checked`, within two seconds. A page that asks again meanwhile gets one answer.
 */
export interface CheckMedia {
  type: "check-media";
  callId: string;
}

/**
 * Answered by `pong` with the same `id`.
 *
 * Whoever has once sent one, and holds a call, is taken for frozen when nothing comes for 9 s.
 */
export interface Ping {
  type: "ping";
  id?: number;
}

/** The first message on every connection. */
export interface Welcome {
  type: "welcome";
  version: string;
  authentication: boolean; // whether `register` and `offer` need a token
  session: string; // keep it: `resume` with it, on a later connection, takes this one's calls back
}

/** The session goes on here. `calls` comes next. */
export interface Resumed {
  type: "resumed";
  session: string;
}

export interface Registered {
  type: "registered";
  user: string;
}

export interface Unregistered {
  type: "unregistered";
}

/**
 * What the page's next `RTCPeerConnection` is to use; comes after `welcome`, after `registered`, and anew in time.
 *
 * Not sent where the server is set to none. With authentication on, TURN servers are told after `registered` alone.
 */
export interface IceServers {
  type: "ice-servers";
  servers: IceServer[];
  expiresAt?: number; // Unix seconds: when the credentials end; calls that stand are not touched
}

/**
 * All live calls of this user and this session, except those that only ring.
 *
 * Comes after `registered` and `resumed`, and whenever one of them begins, ends, or changes its state or holder.
 */
export interface Calls {
  type: "calls";
  calls: CallSummary[];
}

/** The SDP answer to an offer. It comes before the far side has answered. */
export interface Answer {
  type: "answer";
  callId: string;
  sdp: string;
}

/** The SDP answer to the offer in `prepare-media`. */
export interface MediaPrepared {
  type: "media-prepared";
  callId: string;
  sdp: string;
}

/** The media prepared for this call is released: its `offer` must come from a new connection. */
export interface MediaDiscarded {
  type: "media-discarded";
  callId: string;
  reason: string;
}

/**
 * A call's new state. The fields below `state` are set where they apply.
 *
 * Times are Unix seconds. `q850` and `sip` are 0 where none is known.
 */
export interface State {
  type: "state";
  callId: string;
  state: ClientState; // A call's state as clients see it; `ended` is the last and comes once.
  direction: Direction;
  target: string;
  caller: string;
  at: number;
  outcome?: Outcome; // with `ended`
  q850?: number;
  sip?: number;
  reason?: string; // one short sentence in plain words
  detail?: Detail; // with `ended`: who refused, where `outcome` says too little
  forward?: string; // with `moved`: the number that the far side names in its place
  connectedNumber?: string; // who is there, where the PBX tells it (connected line); "": as dialled, or as called
  connectedName?: string;
}

/**
 * A call rings for this user. Answer with `offer` (callId, sdp), `decline` or nothing.
 *
 * Comes again for a call that rings already where its caller has given its place to somebody else, or has got a name:
 * the connected line is theirs.
 */
export interface IncomingCall {
  type: "incoming-call";
  callId: string;
  caller: string;
  callerName: string;
  target: string;
  connectedNumber?: string;
  connectedName?: string;
}

/**
 * Stop ringing: the call was taken elsewhere, declined, or its caller gave up.
 *
 * `accepted_elsewhere`: another page of this user has it; `answered_elsewhere`: somebody else, e.g. of a ring group.
 */
export interface IncomingEnded {
  type: "incoming-ended";
  callId: string;
  reason: "accepted_elsewhere" | "answered_elsewhere" | "declined" | "cancelled" | "no_answer";
}

/** The other party talks to `target` now. The call's state `ended` follows. */
export interface Transferred {
  type: "transferred";
  callId: string;
  target: string;
}

/** The other party is back. `reason`: one short sentence in plain words. */
export interface TransferFailed {
  type: "transfer-failed";
  callId: string;
  target: string;
  outcome: Outcome;
  reason: string;
  detail?: Detail; // who refused, where `outcome` says too little
}

/** Somebody is called into the call, has joined it, or (`outcome` set) has left it, or never came. */
export interface Party {
  type: "party";
  callId: string;
  party: number;
  number: string;
  name: string;
  state: "trying" | "ringing" | "accepted" | "ended";
  outcome?: Outcome; // with `ended`
  reason?: string; // with `ended`: one short sentence in plain words
  detail?: Detail; // with `ended`: who refused, where `outcome` says too little
}

/** Whether the call is recorded. `name`: by which the HTTP API gives the recording; `reason`: why it failed. */
export interface Recording {
  type: "recording";
  callId: string;
  state: RecordingState;
  name?: string;
  reason?: string;
}

/** The messages in this user's voicemail box: comes after `registered`, and on change. Not sent without a box. */
export interface Voicemail {
  type: "voicemail";
  new: number;
  old: number;
  number?: string; // to dial for hearing them; "" where there is none
}

/** The whole directory: comes after `registered`, and when somebody has come into it, or left it. */
export interface People {
  type: "people";
  people: PersonSummary[];
}

/** These of the directory stand otherwise than before: all that have changed within a quarter of a second. */
export interface PeopleChanged {
  type: "people-changed";
  people: PersonSummary[];
}

/**
 * A call of this user has ended, on whichever page; also one that rang nowhere. As its call record has it.
 *
 * Comes once, to all pages that are registered then; `/cdrs` has those of the time before. Times are Unix seconds.
 */
export interface PastCall {
  type: "past-call";
  callId: string;
  direction: Direction;
  caller: string;
  callerName: string;
  target: string;
  createdAt: number;
  endedAt: number;
  talkSeconds: number; // 0 where nobody answered
  outcome: Outcome;
  ringingAt?: number; // nothing: no page rang
  answeredAt?: number;
  connectedNumber?: string;
  connectedName?: string;
}

/** The call stands, but its sound is lost on the server's side: send a new `offer` with its `callId`. */
export interface MediaLost {
  type: "media-lost";
  callId: string;
  reason: string;
}

/** Whether sound of the others came for the page just now: else they are silent, and nothing is wrong. */
export interface MediaChecked {
  type: "media-checked";
  callId: string;
  sounds: boolean;
}

/** Another page of this user holds the call now: end the media here, and hang nothing up. */
export interface TakenOver {
  type: "taken-over";
  callId: string;
}

/** The server is about to be replaced: connect again at a random moment of the next `within` seconds. */
export interface Reconnect {
  type: "reconnect";
  within: number;
}

/**
 * What was wrong with a message; the connection and its calls live on.
 *
 * `code`: `malformed`, `unknown_type`, `invalid_request`, `invalid_sdp`,
 * `invalid_target`, `unknown_call`, `wrong_state`, `too_many`,
 * `unauthorized`, `forbidden`, `too_large`, `owned_elsewhere`, `unavailable`, `pbx_refuses` (a call that
 * stands goes on as before). `field` names the faulty one.
 */
export interface Error {
  type: "error";
  code: string;
  message: string;
  field?: string;
  callId?: string;
  retryAfter?: number; // seconds, with `too_many` and `unavailable`
  detail?: Detail; // with `unavailable`: why, where it is not simply that the phone system is not there
  rule?: string; // with `forbidden` for a number: which rule of the dial permissions refuses it
}

export interface Pong {
  type: "pong";
  id?: number;
}

export type ClientMessage =
  | Resume
  | Register
  | Unregister
  | Offer
  | PrepareMedia
  | DiscardMedia
  | Hangup
  | Decline
  | Candidate
  | Dtmf
  | Hold
  | Transfer
  | AddParty
  | DropParty
  | Leave
  | Record
  | Quality
  | Feedback
  | Preferences
  | CheckMedia
  | Ping;

export type ServerMessage =
  | Welcome
  | Resumed
  | Registered
  | Unregistered
  | IceServers
  | Calls
  | Answer
  | MediaPrepared
  | MediaDiscarded
  | State
  | IncomingCall
  | IncomingEnded
  | Hold
  | Transferred
  | TransferFailed
  | Party
  | Recording
  | Preferences
  | Voicemail
  | People
  | PeopleChanged
  | PastCall
  | MediaLost
  | MediaChecked
  | TakenOver
  | Dtmf
  | Reconnect
  | Error
  | Pong;
