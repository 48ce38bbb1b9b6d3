// Generated from frontend/messages.py by `make types`. Do not edit.

export type Direction = "outbound" | "inbound";

/** How a call ended. Closed: every end is one of these. Used as a metric label. */
export type Outcome = "completed" | "busy" | "no_answer" | "rejected" | "cancelled" | "unreachable" | "forbidden" | "failed_media" | "failed_pbx";

/** A call's state as clients see it; `ended` is the last and comes once. */
export type ClientState = "trying" | "ringing" | "early" | "accepted" | "ended";

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
 * A call, or the acceptance of one.
 *
 * With `target`: call that number; `callId` may be chosen by the client.
 * Without: accept the incoming call `callId`. `sdp` is the browser's offer as
 * `createOffer` made it; ICE candidates need not be gathered first.
 */
export interface Offer {
  type: "offer";
  sdp: string;
  target?: string;
  callId?: string;
  caller?: string; // shown to the far side; with authentication on, the user
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

/** Send digits (0-9 * # A-D, at most 32) to the far side. From the server: a digit that it sent. */
export interface Dtmf {
  type: "dtmf";
  callId: string;
  digits: string;
}

/** Answered by `pong` with the same `id`. */
export interface Ping {
  type: "ping";
  id?: number;
}

/** The first message on every connection. */
export interface Welcome {
  type: "welcome";
  version: string;
  authentication: boolean; // whether `register` and `offer` need a token
}

export interface Registered {
  type: "registered";
  user: string;
}

export interface Unregistered {
  type: "unregistered";
}

/** The SDP answer to an offer. It comes before the far side has answered. */
export interface Answer {
  type: "answer";
  callId: string;
  sdp: string;
}

/**
 * A call's new state. The fields below `state` are set where they apply.
 *
 * Times are Unix seconds. `q850` and `sip` are 0 where none is known.
 */
export interface State {
  type: "state";
  callId: string;
  state: ClientState;
  direction: Direction;
  target: string;
  caller: string;
  at: number;
  outcome?: Outcome; // with `ended`
  q850?: number;
  sip?: number;
  reason?: string; // one short sentence in plain words
}

/** A call rings for this user. Answer with `offer` (callId, sdp), `decline` or nothing. */
export interface IncomingCall {
  type: "incoming-call";
  callId: string;
  caller: string;
  callerName: string;
  target: string;
}

/** Stop ringing: the call was taken elsewhere, declined, or its caller gave up. */
export interface IncomingEnded {
  type: "incoming-ended";
  callId: string;
  reason: "accepted_elsewhere" | "declined" | "cancelled" | "no_answer";
}

/** The far side holds the call, or takes it up again. */
export interface Hold {
  type: "hold";
  callId: string;
  held: boolean;
}

/**
 * What was wrong with a message; the connection and its calls live on.
 *
 * `code`: `malformed`, `unknown_type`, `invalid_request`, `invalid_sdp`,
 * `invalid_target`, `unknown_call`, `wrong_state`, `too_many`,
 * `unauthorized`, `forbidden`, `too_large`, `unavailable`. `field` names the faulty one.
 */
export interface Error {
  type: "error";
  code: string;
  message: string;
  field?: string;
  callId?: string;
  retryAfter?: number; // seconds, with `too_many` and `unavailable`
}

export interface Pong {
  type: "pong";
  id?: number;
}

export type ClientMessage =
  | Register
  | Unregister
  | Offer
  | Hangup
  | Decline
  | Dtmf
  | Ping;

export type ServerMessage =
  | Welcome
  | Registered
  | Unregistered
  | Answer
  | State
  | IncomingCall
  | IncomingEnded
  | Hold
  | Dtmf
  | Error
  | Pong;
