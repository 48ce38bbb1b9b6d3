// What the page knows about its call, and how it changes. Pure: no clock, no browser, no I/O.
// A press shows at once what we expect; what the server then says corrects it.

import type { MicrophoneProblem } from "../media/microphone";
import type { MediaState } from "../media/peer";
import type { Direction, Outcome, ServerMessage } from "../messages";
import type { CallSeen } from "./calls";

export type Phase = "idle" | "connecting" | "trying" | "ringing" | "early" | "accepted" | "incoming" | "ended";

/** Why a call could not go on, where the server has no outcome for it. */
export type Problem =
  | MicrophoneProblem
  | "invalid_target"
  | "too_many"
  | "not_connected"
  | "connection_lost"
  | "accepted_elsewhere"
  | "held_elsewhere"
  | "refused";

export interface Call {
  id: string;
  direction: Direction;
  number: string; // the other side
  name: string; // "" where unknown
  phase: Exclude<Phase, "idle">;
  startedAt: number; // Unix milliseconds, as all times here
  acceptedAt: number | null;
  endedAt: number | null;
  outcome: Outcome | null; // with `ended`; null where only `problem` says why
  problem: Problem | null; // on an incoming call: why accepting did not work; on a live one: why we are not heard
  reason: string; // the server's words, for support
  q850: number; // 0 where none is known
  sip: number;
  media: MediaState | "returning"; // `returning`: a new connection is made in place of one that was lost
  held: boolean; // by the far side
  muted: boolean;
  digits: string; // DTMF sent in this call
}

export type LiveCall = Call & { phase: Exclude<Phase, "idle" | "ended"> };

/** Somebody who rings while a call stands. */
export interface Waiting {
  id: string;
  number: string;
  name: string;
}

export interface PhoneState {
  call: Call | null;
  waiting: Waiting | null;
  elsewhere: CallSeen | null; // a call of this user that another page holds
}

export type PhoneEvent =
  | { type: "dialled"; id: string; number: string; name: string; at: number }
  | { type: "accept-pressed"; at: number }
  | { type: "decline-pressed"; at: number }
  | { type: "waiting-gone" } // declined, or to be told of again
  | { type: "hangup-pressed"; at: number }
  | { type: "dismissed" }
  | { type: "muted"; muted: boolean }
  | { type: "digit-sent"; digit: string }
  | { type: "media"; state: Call["media"] }
  | { type: "no-sound"; at: number } // there never was any, and all tries are over
  | { type: "unheard"; problem: MicrophoneProblem | null } // the call stands, but without our microphone
  | { type: "returned"; call: Call } // a call that stands is this page's again: after a reload, or from another page
  | { type: "seen"; seen: CallSeen } // how our call stands, after a time in which nobody told us
  | { type: "elsewhere"; seen: CallSeen | null }
  | { type: "lost-to"; seen: CallSeen } // another page has taken the call over
  | { type: "ended-meanwhile"; id: string; ending: Ending; acceptedAt: number | null; at: number }
  | { type: "forgotten"; id: string } // nobody knows the call any more: nothing to tell of it
  | { type: "failed"; problem: Problem; at: number } // the call cannot go on
  | { type: "accept-failed"; problem: Problem } // the incoming call still rings
  | { type: "server"; message: ServerMessage; at: number };

export const IDLE: PhoneState = { call: null, waiting: null, elsewhere: null };

export function phaseOf(state: PhoneState): Phase {
  return state.call?.phase ?? "idle";
}

/** The call holds the line: it rings, is set up, or talks. */
export function isLive(call: Call | null): call is LiveCall {
  return call !== null && call.phase !== "ended";
}

export function step(state: PhoneState, event: PhoneEvent): PhoneState {
  const { call } = state;
  switch (event.type) {
    case "dialled":
      if (isLive(call)) return state;
      return { ...state, call: fresh(event.id, "outbound", event.number, event.name, "connecting", event.at) };
    case "accept-pressed":
      return change(state, call?.phase === "incoming", { phase: "connecting", problem: null });
    case "accept-failed":
      return change(state, call?.direction === "inbound" && isLive(call), { phase: "incoming", problem: event.problem });
    case "decline-pressed":
      return call?.phase === "incoming" ? end(state, event.at, { outcome: "rejected" }) : state;
    case "waiting-gone":
      return state.waiting ? { ...state, waiting: null } : state;
    case "hangup-pressed":
      return isLive(call) ? end(state, event.at, { outcome: call.acceptedAt === null ? "cancelled" : "completed" }) : state;
    case "dismissed":
      return isLive(call) ? state : { ...state, call: null };
    case "muted":
      return change(state, isLive(call), { muted: event.muted });
    case "digit-sent":
      return change(state, isLive(call), { digits: ((call?.digits ?? "") + event.digit).slice(-32) });
    case "media":
      return change(state, isLive(call) && call.media !== event.state, { media: event.state });
    case "no-sound":
      return isLive(call) ? end(state, event.at, { outcome: "failed_media" }) : state;
    case "unheard":
      return change(state, isLive(call), { problem: event.problem });
    case "returned":
      if (isLive(call) && call.id !== event.call.id) return state;
      return { ...state, call: event.call, elsewhere: state.elsewhere?.id === event.call.id ? null : state.elsewhere };
    case "seen":
      return seenAgain(state, event.seen);
    case "elsewhere":
      return state.elsewhere === event.seen ? state : { ...state, elsewhere: event.seen };
    case "lost-to":
      return call?.id === event.seen.id && isLive(call) ? { ...state, call: null, elsewhere: event.seen } : state;
    case "ended-meanwhile":
      if (!isLive(call) || call.id !== event.id) return state;
      return change(end(state, event.at, event.ending), true, { acceptedAt: call.acceptedAt ?? event.acceptedAt });
    case "forgotten":
      return call?.id === event.id ? { ...state, call: null } : state;
    case "failed":
      return isLive(call) ? end(state, event.at, { problem: event.problem }) : state;
    case "server":
      return fromServer(state, event.message, event.at);
  }
}

function fromServer(state: PhoneState, message: ServerMessage, at: number): PhoneState {
  const { call } = state;
  switch (message.type) {
    case "incoming-call": {
      const { callId: id, caller: number, callerName: name } = message;
      if (call?.id === id) return state;
      if (isLive(call)) return { ...state, waiting: { id, number, name } };
      return { ...state, call: fresh(id, "inbound", number, name, "incoming", at) };
    }
    case "incoming-ended":
      if (state.waiting?.id === message.callId) return { ...state, waiting: null };
      if (call?.id !== message.callId || call.phase !== "incoming") return state;
      return end(state, at, ENDED_BEFORE_ANSWER[message.reason]);
    case "taken-over": {
      if (!isLive(call) || call.id !== message.callId) return state;
      const { id, direction, number, name, phase, startedAt, acceptedAt, held } = call;
      if (phase === "incoming") return state;
      return { ...state, call: null, elsewhere: { id, direction, number, name, phase, startedAt, acceptedAt, held, here: false, attached: true } };
    }
    case "hold":
      return change(state, call?.id === message.callId && isLive(call), { held: message.held });
    case "error":
      if (!call || !isLive(call) || (message.callId ? message.callId !== call.id : call.phase !== "connecting")) return state;
      if (call.phase === "accepted") return state; // a wrong digit ends no call
      return end(state, at, { ...(REFUSALS[message.code] ?? { problem: "refused" }), reason: message.message });
    case "state": {
      if (call?.id !== message.callId) return state;
      if (message.state === "ended") {
        const { outcome = null, q850 = 0, sip = 0, reason = "" } = message;
        if (call.phase !== "ended") return end(state, at, { outcome, q850, sip, reason });
        // Ours was a guess, unless it was we who know better: the microphone failed, or the media did.
        const known = call.problem !== null || call.outcome === "failed_media";
        return change(state, true, { outcome: known ? call.outcome : outcome, q850, sip, reason });
      }
      if (call.phase === "ended") return state;
      if (message.state === "accepted") return change(state, true, { phase: "accepted", acceptedAt: call.acceptedAt ?? at });
      return change(state, call.direction === "outbound" && call.acceptedAt === null, { phase: message.state });
    }
    default:
      return state;
  }
}

/** What was missed while there was no connection. What is known stays: a call that was accepted is. */
function seenAgain(state: PhoneState, seen: CallSeen): PhoneState {
  const { call } = state;
  if (!isLive(call) || call.id !== seen.id) return state;
  const answered = seen.acceptedAt !== null;
  const known = call.acceptedAt !== null || (call.direction === "inbound" && !answered);
  const phase = answered ? "accepted" : known ? call.phase : seen.phase;
  const acceptedAt = call.acceptedAt ?? seen.acceptedAt;
  if (phase === call.phase && acceptedAt === call.acceptedAt && seen.held === call.held) return state;
  return change(state, true, { phase, acceptedAt, held: seen.held });
}

export type Ending = Partial<Pick<Call, "outcome" | "problem" | "reason" | "q850" | "sip">>;

const ENDED_BEFORE_ANSWER: Record<"accepted_elsewhere" | "declined" | "cancelled" | "no_answer", Ending> = {
  accepted_elsewhere: { problem: "accepted_elsewhere" },
  declined: { outcome: "rejected" },
  cancelled: { outcome: "cancelled" },
  no_answer: { outcome: "no_answer" },
};

const REFUSALS: Record<string, Ending> = {
  invalid_target: { problem: "invalid_target" },
  too_many: { problem: "too_many" },
  forbidden: { outcome: "forbidden" },
  unavailable: { outcome: "failed_pbx" },
  held_elsewhere: { problem: "held_elsewhere" },
  invalid_sdp: { outcome: "failed_media" },
  unknown_call: { problem: "accepted_elsewhere" },
  wrong_state: { problem: "accepted_elsewhere" },
};

/** A call that stands, as this page shows it once it is its own again. Its sound is still to come. */
export function callOf(seen: CallSeen, kept: Pick<Call, "muted" | "digits"> = { muted: false, digits: "" }): Call {
  const { id, direction, number, name, phase, startedAt, acceptedAt, held } = seen;
  return { ...fresh(id, direction, number, name, phase, startedAt), acceptedAt, held, ...kept, media: "returning" };
}

function fresh(id: string, direction: Direction, number: string, name: string, phase: Call["phase"], at: number): Call {
  return {
    id, direction, number, name, phase,
    startedAt: at, acceptedAt: null, endedAt: null,
    outcome: null, problem: null, reason: "", q850: 0, sip: 0,
    media: "new", held: false, muted: false, digits: "",
  };
}

function change(state: PhoneState, allowed: boolean, values: Partial<Call>): PhoneState {
  return allowed && state.call ? { ...state, call: { ...state.call, ...values } } : state;
}

function end(state: PhoneState, at: number, why: Ending): PhoneState {
  if (!state.call) return state;
  return { ...state, call: { ...state.call, problem: null, ...why, phase: "ended", endedAt: at, held: false } };
}

/** Who waited rings, once the line is free and the page has done with the call before. */
export function promoteWaiting(state: PhoneState, at: number): PhoneState {
  if (!state.waiting || isLive(state.call)) return state;
  const { id, number, name } = state.waiting;
  return { ...state, call: fresh(id, "inbound", number, name, "incoming", at), waiting: null };
}
