// Generated from ari_bridge_protocol/messages.py by `python -m frontend.codegen`. Do not edit.

export type Direction = "outbound" | "inbound";

/** How a call ended. Closed: every end is one of these. Used as a metric label. */
export type Outcome = "completed" | "busy" | "no_answer" | "rejected" | "cancelled" | "unreachable" | "forbidden" | "failed_media" | "failed_pbx" | "transferred" | "lost" | "answered_elsewhere";

/** What stands behind an outcome: who refused, and so what helps. The values are the words of the protocol. */
export type Detail = "moved" | "no_such_number" | "number_changed" | "incomplete_number" | "offline" | "not_responding" | "congestion" | "not_connected" | "refused" | "line_forbids" | "line_sign_in" | "incompatible_media" | "media_setup" | "no_route" | "pbx_refuses" | "still_connected" | "used_up" | "outgoing_stopped" | "pbx_restarts";

/** A call's state as clients see it; `ended` is the last and comes once. */
export type ClientState = "trying" | "ringing" | "early" | "accepted" | "ended";

export type PartyState = "trying" | "ringing" | "accepted";

export type RecordingState = "off" | "on" | "paused";

export type PersonState = "offline" | "available" | "ringing" | "in_call" | "do_not_disturb";

export type QualityWarning = "mos" | "rtt" | "jitter" | "loss";

/** A participant of a call besides this user. */
export interface PartySummary {
  party: number; // its number in the call; the called number, or the caller, is 1
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
  here: boolean; // the session of this connection owns it
  attached: boolean; // a session with an open connection owns it
  answeredAt?: number;
  held?: boolean; // by our side
  parties?: PartySummary[]; // those that have not left; empty until an incoming call is accepted
  transferring?: string; // the number that the call is being transferred to
  recording?: RecordingState;
  connectedNumber?: string; // the connected line, as the PBX reports it; "": as dialled, or the caller
  connectedName?: string;
}

/** An `RTCIceServer`. */
export interface IceServer {
  urls: string[];
  username?: string;
  credential?: string;
}

/** An entry of the directory: a user of pages (`user` set), or a phone of the PBX. */
export interface PersonSummary {
  number: string;
  name: string;
  state: PersonState;
  user?: string;
}

/** How a call has sounded on its page so far. Values that are not set are unknown. See docs/QUALITY.md. */
export interface QualityReport {
  seconds: number; // measured seconds of the call
  mos: number; // average, as all values not named worst
  worstMos: number; // of the worst second, as all values named worst
  lossPercent: number; // of the packets to the page
  worstLossPercent: number;
  jitterMs: number;
  worstJitterMs: number;
  roundTripMs?: number;
  worstRoundTripMs?: number;
  sentLossPercent?: number; // of the packets from the page
  codec?: string;
  warnings?: QualityWarning[]; // raised during the call
}

/**
 * Resume the session of an earlier connection: the first message after `welcome`.
 *
 * `session`: from that connection's `welcome`. This connection now owns the calls of the session; an older
 * connection that is only half-open is closed. If authentication is on, `token` is required and must be the same
 * user's; one that has expired still takes back calls, and starts nothing new.
 */
export interface Resume {
  type: "resume";
  session: string;
  token?: string;
}

/** Receive calls for `user`. If authentication is on, `token` is required and must belong to that user. */
export interface Register {
  type: "register";
  user: string;
  token?: string;
}

/**
 * Another token of the same user, before the last one has expired: else the connection is closed (4401).
 *
 * Calls are not affected, and nothing has to be registered again. Answered by `authenticated`, or `error` with the
 * field `token`.
 */
export interface Authenticate {
  type: "authenticate";
  token: string;
}

/** Receive no more calls. Active calls continue. */
export interface Unregister {
  type: "unregister";
}

/**
 * Place a call, accept one, or give an active call new media.
 *
 * With `target`: call that number; the client may choose `callId`. Without: accept the incoming call `callId`, or,
 * if that call is active, replace its media leg (after a reload, or when the sound was lost). `sdp` is the offer that
 * `createOffer` of a *new* connection returned; ICE candidates need not be gathered first.
 */
export interface Offer {
  type: "offer";
  sdp: string;
  target?: string;
  callId?: string;
  caller?: string; // shown to the far side; if authentication is on, the user
  takeOver?: boolean; // take the call over from the page of this user that owns it
  prefer?: "opus" | "pcmu"; // the codec of this page's media; default: the server's setting
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

/** End a call, in any state. Declines an incoming call that is ringing. */
export interface Hangup {
  type: "hangup";
  callId: string;
}

/** Decline an incoming call for this user: all of the user's pages stop ringing. */
export interface Decline {
  type: "decline";
  callId: string;
}

/**
 * An ICE candidate of the browser, found after its offer was sent; without `candidate`: there are no more.
 *
 * The fields are those of `RTCIceCandidate.toJSON()`. Needed only if the server's media is behind a firewall that
 * blocks incoming packets from addresses it has not sent to: otherwise the server learns the browser's addresses
 * from its connectivity checks. At most 32 per offer.
 */
export interface Candidate {
  type: "candidate";
  callId: string;
  candidate?: string;
  sdpMid?: string;
  sdpMLineIndex?: number;
}

/** Send DTMF digits (0-9 * # A-D, at most 32) to the far side. From the server: a digit that the far side sent. */
export interface Dtmf {
  type: "dtmf";
  callId: string;
  digits: string;
}

/**
 * Put the other parties on hold: they hear music instead of this page; `held` false: resume.
 *
 * From the server: the far side (`by` is "far") or our side ("us") has put the call on hold, or resumed it.
 */
export interface Hold {
  type: "hold";
  callId: string;
  held?: boolean;
  by?: "us" | "far";
}

/**
 * Transfer the other party of an answered call.
 *
 * Blind, with `target`: that number is called while the party hears music, and the two are connected when it answers;
 * `transferred` and the end of the call follow. If it cannot be reached, `transfer-failed` follows and the party is
 * back. `drop-party` with the new party's number cancels the transfer, `leave` lets it continue without this page.
 * Attended, with `toCallId`: the parties of both calls are connected, and both calls end here.
 */
export interface Transfer {
  type: "transfer";
  callId: string;
  target?: string;
  toCallId?: string;
}

/**
 * Add a party to an answered call: a conference.
 *
 * With `target`: that number is called, and joins when it answers. With `fromCallId`: the party of another call of
 * this user joins at once, and that call ends here.
 */
export interface AddParty {
  type: "add-party";
  callId: string;
  target?: string;
  fromCallId?: string;
}

/** Drop a party of a conference, or one that is still being called. Parties are numbered; the first is 1. */
export interface DropParty {
  type: "drop-party";
  callId: string;
  party: number;
}

/** Leave the call: the others, of whom there must be at least two, continue. */
export interface Leave {
  type: "leave";
  callId: string;
}

/** Record the audio of all parties of an answered call. */
export interface Record {
  type: "record";
  callId: string;
  action: "start" | "pause" | "resume" | "stop";
}

/** How a call sounds: every ten seconds, and once within a minute of its end. Replaces the previous report. */
export interface Quality {
  type: "quality";
  callId: string;
  report: QualityReport;
}

/** The user's rating of a call, within a day of its end. Replaces an earlier one. */
export interface Feedback {
  type: "feedback";
  callId: string;
  score: number;
  issue?: "echo" | "choppy" | "one_way" | "delay" | "noise" | "dropped";
  comment?: string;
}

/**
 * This user's call-handling preferences: replaced as a whole by the client, sent by the server to all its pages.
 *
 * Fields that the client omits are reset to their defaults. The server omits none. A forward is a number,
 * `voicemail`, or "" for none.
 */
export interface Preferences {
  type: "preferences";
  doNotDisturb?: boolean; // no page rings
  callWaiting?: boolean; // also ring while this user is in a call
  forwardAlways?: string;
  forwardBusy?: string; // while in a call without call waiting
  forwardNoAnswer?: string;
  forwardUnreachable?: string; // while no page is registered
  ringSeconds?: number; // 5 to 120; 0: the server's setting
}

/**
 * The page has received no sound for a while, though its media is connected: do the others send any?
 *
 * Answered by `media-checked` within two seconds. Repeats in the meantime get no answer of their own.
 */
export interface CheckMedia {
  type: "check-media";
  callId: string;
}

/**
 * Answered by `pong` with the same `id`.
 *
 * A client that has sent a ping, owns a call, and then sends nothing for 9 s is considered frozen, and cut off.
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
  session: string; // keep it: `resume` with it on a later connection takes this one's calls back
}

/** The session continues on this connection. `calls` follows. */
export interface Resumed {
  type: "resumed";
  session: string;
}

/** `session`: in place of that of `welcome`; nobody but the user can resume it. */
export interface Registered {
  type: "registered";
  user: string;
  session?: string;
}

/**
 * The token of `authenticate` is accepted.
 *
 * `session`: as in `registered`.
 */
export interface Authenticated {
  type: "authenticated";
  expiresAt?: number; // of the token, Unix seconds; null: it does not expire
  session?: string;
}

export interface Unregistered {
  type: "unregistered";
}

/**
 * The servers for the page's next `RTCPeerConnection`.
 *
 * Sent after `welcome`, after `registered`, and before the credentials expire; not sent if none are configured. If
 * authentication is on, TURN servers are sent only after `registered`.
 */
export interface IceServers {
  type: "ice-servers";
  servers: IceServer[];
  expiresAt?: number; // Unix seconds; active calls are not affected
}

/**
 * All live calls of this user and this session, except those that are only ringing.
 *
 * Sent after `registered` and `resumed`, and whenever a call starts, ends, or changes its state or owner.
 */
export interface Calls {
  type: "calls";
  calls: CallSummary[];
}

/** The SDP answer to an offer. Precedes the far side's answer of the call. */
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

/** A call's new state. Times are Unix seconds; `q850` and `sip` are 0 if unknown. */
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
  reason?: string; // one sentence for developers
  detail?: Detail; // with `ended`: more specific than `outcome`
  forward?: string; // with `moved`: the number that the far side redirects to
  connectedNumber?: string; // the connected line, as the PBX reports it; "": as dialled, or the caller
  connectedName?: string;
}

/**
 * A call is ringing for this user. Reply with `offer` (callId, sdp), with `decline`, or not at all.
 *
 * Sent again for a ringing call if the caller changes (a transfer), or gets a name: the connected line says who it is.
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
 * Stop ringing.
 *
 * `accepted_elsewhere`: another page of this user has accepted the call; `answered_elsewhere`: another device has,
 * for example of a ring group.
 */
export interface IncomingEnded {
  type: "incoming-ended";
  callId: string;
  reason: "accepted_elsewhere" | "answered_elsewhere" | "declined" | "cancelled" | "no_answer";
}

/** The other party is connected to `target`. The state `ended` of the call follows. */
export interface Transferred {
  type: "transferred";
  callId: string;
  target: string;
}

/** The transfer failed, and the other party is back. `reason`: one sentence for developers. */
export interface TransferFailed {
  type: "transfer-failed";
  callId: string;
  target: string;
  outcome: Outcome;
  reason: string;
  detail?: Detail; // more specific than `outcome`
}

/** A party is being called, has joined the call, or (`outcome` set) has left it or was not reached. */
export interface Party {
  type: "party";
  callId: string;
  party: number;
  number: string;
  name: string;
  state: "trying" | "ringing" | "accepted" | "ended";
  outcome?: Outcome; // with `ended`
  reason?: string; // with `ended`: one sentence for developers
  detail?: Detail; // with `ended`: more specific than `outcome`
}

/** The call's recording. `name`: its name in `/recordings`; `reason`: why it failed. */
export interface Recording {
  type: "recording";
  callId: string;
  state: RecordingState;
  name?: string;
  reason?: string;
}

/** Message counts of the user's voicemail box: sent after `registered` and on change. Not sent without a box. */
export interface Voicemail {
  type: "voicemail";
  new: number;
  old: number;
  number?: string; // dial it to listen to them; "" if there is none
}

/** The whole directory: sent after `registered`, and when an entry was added or removed. */
export interface People {
  type: "people";
  people: PersonSummary[];
}

/** Directory entries whose state has changed, collected over a quarter of a second. */
export interface PeopleChanged {
  type: "people-changed";
  people: PersonSummary[];
}

/**
 * A call of this user has ended, on any page, or without ringing on any; the values are those of its call record.
 *
 * Sent once, to all pages registered at that moment; earlier calls are in `/cdrs`. Times are Unix seconds.
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
  talkSeconds: number; // 0 if it was not answered
  outcome: Outcome;
  ringingAt?: number; // unset: no page rang
  answeredAt?: number;
  connectedNumber?: string;
  connectedName?: string;
}

/** The call is active, but its media leg was lost on the server's side: send a new `offer` with its `callId`. */
export interface MediaLost {
  type: "media-lost";
  callId: string;
  reason: string;
}

/** Whether the other parties are sending sound to the page; if not, they are silent, and nothing is wrong. */
export interface MediaChecked {
  type: "media-checked";
  callId: string;
  sounds: boolean;
}

/** Another page of this user owns the call now: close the media here, and do not hang up. */
export interface TakenOver {
  type: "taken-over";
  callId: string;
}

/** The server is about to be replaced: reconnect at a random moment within the next `within` seconds. */
export interface Reconnect {
  type: "reconnect";
  within: number;
}

/**
 * A message was rejected; the connection and its calls continue.
 *
 * `code`: `malformed`, `unknown_type`, `invalid_request`, `invalid_sdp`,
 * `invalid_target`, `unknown_call`, `wrong_state`, `too_many`,
 * `unauthorized`, `forbidden`, `too_large`, `owned_elsewhere`, `unavailable`, `pbx_refuses` (the
 * call continues as before). `field` names the faulty field.
 */
export interface Error {
  type: "error";
  code: string;
  message: string;
  field?: string;
  callId?: string;
  retryAfter?: number; // seconds, with `too_many` and `unavailable`
  detail?: Detail; // with `unavailable`, `too_many` and `forbidden`: why, more precisely than the code
  rule?: string; // the rule that refuses the number (`forbidden`), or the limit (`too_many`)
}

export interface Pong {
  type: "pong";
  id?: number;
}

export type ClientMessage =
  | Resume
  | Register
  | Authenticate
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
  | Authenticated
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
