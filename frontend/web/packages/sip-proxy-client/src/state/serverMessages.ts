// What the server says about one live call, and what that makes of it. Pure.

import type {
  Detail, Error as Refusal, IncomingEnded, Outcome, Party, PartySummary, ServerMessage, State,
} from "../protocol/messages.js";
import { FAR, connect, connectedOf, end, type Call, type CallMessage, type Ending, type LiveCall, type Person, type Problem, type Trouble } from "./model.js";
import { refused } from "./pendingRequest.js";

const OF_A_CALL: ReadonlySet<string> = new Set<CallMessage["type"]>([
  "incoming-ended", "hold", "error", "state", "party", "transferred", "transfer-failed", "recording",
]);

export const isOfACall = (message: ServerMessage): message is CallMessage => OF_A_CALL.has(message.type);

export function fromServer(call: LiveCall, message: CallMessage, at: number): Call {
  switch (message.type) {
    case "incoming-ended":
      return call.phase === "incoming" ? end(call, at, ENDED_BEFORE_ANSWER[message.reason]) : call;
    case "error":
      return afterRefusal(call, message, at);
    case "state":
      return inState(call, message, at);
    case "hold":
      return afterHold(call, message.by ?? "us", message.held ?? true);
    case "party":
      return withParty(call, message);
    case "transferred":
      return { ...call, asked: without(call, "transfer", "connect"), transferring: person(message.target, call.transferring) };
    case "transfer-failed": {
      const { number, name } = person(message.target, call.transferring);
      const told: Call = { ...call, asked: without(call, "transfer", "connect"), transferring: null };
      return withTrouble({ ...told, parties: away(call.parties, number) }, "transfer", { number, name }, message);
    }
    case "recording": {
      const recorded: Call = { ...call, asked: without(call, "record"), recording: message.state };
      if (!message.reason) return recorded;
      return { ...recorded, trouble: { what: "record", number: "", name: "", outcome: null, problem: "refused", reason: message.reason, detail: null } };
    }
  }
}

function inState(call: LiveCall, message: State, at: number): Call {
  call = connect(call, connectedOf(message));
  if (message.state === "ended") return end(call, at, endingOf(message));
  if (message.state === "accepted") return { ...call, phase: "accepted", acceptedAt: call.acceptedAt ?? at };
  return call.direction === "outbound" && call.acceptedAt === null ? { ...call, phase: furthest(call, message.state) } : call;
}

function endingOf(message: State): Required<Omit<Ending, "problem">> {
  const { outcome = null, q850 = 0, sip = 0, reason = "", detail = null, forward = "" } = message;
  return { outcome, q850, sip, reason, detail, forward };
}

const ORDER: readonly Call["phase"][] = ["connecting", "trying", "ringing", "early"];

/** A call does not go back to before what it has been: what says so is older. What we hear ourselves, we know first. */
export const furthest = ({ phase, farHeard }: Call, told: Call["phase"]): Call["phase"] => {
  const next = ORDER.indexOf(told) > ORDER.indexOf(phase) ? told : phase;
  return next === "ringing" && farHeard ? "early" : next;
};

/** The call, now that the other side is heard. */
export const sounding = (call: LiveCall): Call => (call.phase === "ringing" ? { ...call, phase: "early" } : call);

/** Ours was a guess, unless it was we who know better: the microphone failed, or the media did. */
export function correctedEnd(call: Call, message: State): Call {
  const known = call.problem !== null || call.outcome === "failed_media";
  const { outcome, ...why } = endingOf(message);
  return { ...call, ...why, outcome: known ? call.outcome : outcome, detail: known ? call.detail : why.detail };
}

/** What the phone system did not do, by the field that the server names. It may have confirmed it before. */
const NOT_DONE: Record<string, "digits" | "hold"> = { digits: "digits", held: "hold" };

/** What is refused in a call that talks ends nothing: it comes to nothing, if it was more than a digit. */
function afterRefusal(call: LiveCall, refusal: Refusal, at: number): Call {
  const what = refusal.code === "pbx_refuses" ? NOT_DONE[refusal.field ?? ""] : undefined;
  if (call.phase === "accepted" && what && call.asked?.what !== what) {
    return { ...call, trouble: { what, number: "", name: "", outcome: null, problem: "refused", reason: refusal.message, detail: null } };
  }
  if (call.phase === "accepted") return refused(call, PROBLEM_OF[refusal.code] ?? "refused", refusal.message);
  const { detail = null } = refusal;
  return end(call, at, { ...(REFUSALS[refusal.code] ?? { problem: "refused" }), reason: refusal.message, detail });
}

function afterHold(call: LiveCall, by: "us" | "far", held: boolean): Call {
  if (by === "far") return call.heldByFar === held ? call : { ...call, heldByFar: held };
  const { asked } = call;
  if (asked?.what === "hold" && asked.held !== held) return call; // what was asked for since is on its way
  return { ...call, held, asked: without(call, "hold") };
}

function withParty(call: LiveCall, { party, number, name, state, outcome, reason = "", detail }: Party): Call {
  const known = call.parties.find((one) => one.party === party);
  const others = call.parties.filter((one) => one.party !== party && !(one.party === 0 && one.number === number));
  if (party === FAR && state !== "ended") call = connect(call, { number, name });
  const confirmed = call.asked !== null && "number" in call.asked && call.asked.number === number;
  const asked = confirmed ? null : call.asked;
  if (state !== "ended") return { ...call, asked, parties: [...others, { party, number, name, state }].sort(byNumber) };
  const left: Call = { ...call, asked, parties: others };
  const told = call.transferring?.number === number || call.trouble?.number === number;
  if (told || known?.state === "accepted" || !outcome || outcome === "cancelled" || outcome === "completed") return left;
  return withTrouble(left, "add", { number, name }, { outcome, reason, ...(detail && { detail }) });
}

function withTrouble(call: Call, what: Trouble["what"], { number, name }: Person, why: { outcome: Outcome; reason?: string; detail?: Detail }): Call {
  if (why.outcome === "cancelled") return call; // by ourselves
  return { ...call, trouble: { what, number, name, outcome: why.outcome, problem: null, reason: why.reason ?? "", detail: why.detail ?? null } };
}

const without = (call: Call, ...done: string[]): Call["asked"] => (call.asked && done.includes(call.asked.what) ? null : call.asked);

const person = (number: string, known: Person | null): Person => (known?.number === number ? known : { number, name: "" });

const away = (parties: readonly PartySummary[], number: string): readonly PartySummary[] =>
  parties.filter((party) => party.number !== number || party.state === "accepted");

const byNumber = (one: PartySummary, other: PartySummary): number => (one.party || Infinity) - (other.party || Infinity);

const ENDED_BEFORE_ANSWER: Record<IncomingEnded["reason"], Ending> = {
  accepted_elsewhere: { problem: "accepted_elsewhere" },
  answered_elsewhere: { outcome: "answered_elsewhere" },
  declined: { outcome: "rejected" },
  cancelled: { outcome: "cancelled" },
  no_answer: { outcome: "no_answer" },
};

const REFUSALS: Record<string, Ending> = {
  invalid_target: { problem: "invalid_target" },
  too_many: { problem: "too_many" },
  unauthorized: { problem: "unauthorized" },
  forbidden: { outcome: "forbidden" },
  unavailable: { outcome: "failed_pbx" },
  owned_elsewhere: { problem: "owned_elsewhere" },
  invalid_sdp: { outcome: "failed_media" },
  unknown_call: { problem: "accepted_elsewhere" },
  wrong_state: { problem: "accepted_elsewhere" },
};

const PROBLEM_OF: Record<string, Problem> = { invalid_target: "invalid_target", too_many: "too_many", unavailable: "not_connected" };
