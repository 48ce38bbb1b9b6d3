// What the server's messages change in a live call. Pure.

import type {
  Detail,
  IncomingEnded,
  Outcome,
  Party,
  PartySummary,
  Error as Refusal,
  ServerMessage,
  State,
} from "../protocol/messages.js";
import {
  type Call,
  type CallMessage,
  type CallProblem,
  connectedPerson,
  type EndReason,
  endCall,
  FAR_PARTY,
  type LiveCall,
  type Person,
  type RequestFailure,
  withConnected,
} from "./model.js";
import { rejectPending } from "./pendingRequest.js";

const CALL_MESSAGE_TYPES: ReadonlySet<string> = new Set<CallMessage["type"]>([
  "incoming-ended",
  "hold",
  "error",
  "state",
  "party",
  "transferred",
  "transfer-failed",
  "recording",
]);

export const isCallMessage = (message: ServerMessage): message is CallMessage => CALL_MESSAGE_TYPES.has(message.type);

export function onCallMessage(call: LiveCall, message: CallMessage, at: number): Call {
  switch (message.type) {
    case "incoming-ended":
      return call.phase === "incoming" ? endCall(call, at, INCOMING_ENDINGS[message.reason]) : call;
    case "error":
      return onRefusal(call, message, at);
    case "state":
      return onState(call, message, at);
    case "hold":
      return onHold(call, message.by ?? "us", message.held ?? true);
    case "party":
      return onParty(call, message);
    case "transferred":
      return {
        ...call,
        pending: withoutPending(call, "transfer", "connect"),
        transferring: knownPerson(message.target, call.transferring),
      };
    case "transfer-failed": {
      const { number, name } = knownPerson(message.target, call.transferring);
      const updated: Call = { ...call, pending: withoutPending(call, "transfer", "connect"), transferring: null };
      return withFailedRequest(
        { ...updated, parties: withoutUnanswered(call.parties, number) },
        "transfer",
        { number, name },
        message,
      );
    }
    case "recording": {
      const recorded: Call = { ...call, pending: withoutPending(call, "record"), recording: message.state };
      if (!message.reason) return recorded;
      return {
        ...recorded,
        failedRequest: {
          kind: "record",
          number: "",
          name: "",
          outcome: null,
          problem: "refused",
          reason: message.reason,
          detail: null,
        },
      };
    }
  }
}

function onState(call: LiveCall, message: State, at: number): Call {
  call = withConnected(call, connectedPerson(message));
  if (message.state === "ended") return endCall(call, at, endReasonOf(message));
  if (message.state === "accepted") return { ...call, phase: "accepted", acceptedAt: call.acceptedAt ?? at };
  return call.direction === "outbound" && call.acceptedAt === null
    ? { ...call, phase: laterPhase(call, message.state) }
    : call;
}

function endReasonOf(message: State): Required<Omit<EndReason, "problem">> {
  const { outcome = null, q850 = 0, sip = 0, reason = "", detail = null, forward = "" } = message;
  return { outcome, q850, sip, reason, detail, forward };
}

const PHASE_ORDER: readonly Call["phase"][] = ["connecting", "trying", "ringing", "early"];

/** A call does not go back to an earlier phase: such a message is older. Media that have arrived count more than messages. */
export const laterPhase = ({ phase, farAudioReceived }: Call, told: Call["phase"]): Call["phase"] => {
  const next = PHASE_ORDER.indexOf(told) > PHASE_ORDER.indexOf(phase) ? told : phase;
  return next === "ringing" && farAudioReceived ? "early" : next;
};

/** The call, now that media of the other side have arrived. */
export const withFarAudio = (call: LiveCall): Call => (call.phase === "ringing" ? { ...call, phase: "early" } : call);

/** The server's outcome replaces ours, which was a guess, unless the failure happened here: of the microphone, or of the media. */
export function correctEnd(call: Call, message: State): Call {
  const known = call.problem !== null || call.outcome === "failed_media";
  const { outcome, ...why } = endReasonOf(message);
  return { ...call, ...why, outcome: known ? call.outcome : outcome, detail: known ? call.detail : why.detail };
}

/** What the phone system did not do, by the field that the server names. It may have confirmed it before. */
const UNDONE_BY_FIELD: Record<string, "digits" | "hold"> = { digits: "digits", held: "hold" };

/** A refusal does not end an accepted call: the pending request has failed. */
function onRefusal(call: LiveCall, refusal: Refusal, at: number): Call {
  const kind = refusal.code === "pbx_refuses" ? UNDONE_BY_FIELD[refusal.field ?? ""] : undefined;
  if (call.phase === "accepted" && kind && call.pending?.kind !== kind) {
    return {
      ...call,
      failedRequest: {
        kind,
        number: "",
        name: "",
        outcome: null,
        problem: "refused",
        reason: refusal.message,
        detail: null,
      },
    };
  }
  if (call.phase === "accepted")
    return rejectPending(call, PROBLEM_OF_REFUSED_REQUEST[refusal.code] ?? "refused", refusal.message);
  const { detail = null } = refusal;
  return endCall(call, at, {
    ...(END_OF_REFUSED_CALL[refusal.code] ?? { problem: "refused" }),
    reason: refusal.message,
    detail,
  });
}

function onHold(call: LiveCall, by: "us" | "far", held: boolean): Call {
  if (by === "far") return call.heldByFar === held ? call : { ...call, heldByFar: held };
  const { pending } = call;
  if (pending?.kind === "hold" && pending.held !== held) return call; // what was asked for since is on its way
  return { ...call, held, pending: withoutPending(call, "hold") };
}

function onParty(call: LiveCall, { party, number, name, state, outcome, reason = "", detail }: Party): Call {
  const known = call.parties.find((one) => one.party === party);
  const others = call.parties.filter((one) => one.party !== party && !(one.party === 0 && one.number === number));
  if (party === FAR_PARTY && state !== "ended") call = withConnected(call, { number, name });
  const confirmed = call.pending !== null && "number" in call.pending && call.pending.number === number;
  const pending = confirmed ? null : call.pending;
  if (state !== "ended")
    return { ...call, pending, parties: [...others, { party, number, name, state }].sort(byPartyNumber) };
  const left: Call = { ...call, pending, parties: others };
  const isReported = call.transferring?.number === number || call.failedRequest?.number === number;
  if (isReported || known?.state === "accepted" || !outcome || outcome === "cancelled" || outcome === "completed")
    return left;
  return withFailedRequest(left, "add", { number, name }, { outcome, reason, detail });
}

function withFailedRequest(
  call: Call,
  kind: RequestFailure["kind"],
  { number, name }: Person,
  why: { outcome: Outcome; reason?: string; detail?: Detail },
): Call {
  if (why.outcome === "cancelled") return call; // by ourselves
  return {
    ...call,
    failedRequest: {
      kind,
      number,
      name,
      outcome: why.outcome,
      problem: null,
      reason: why.reason ?? "",
      detail: why.detail ?? null,
    },
  };
}

const withoutPending = (call: Call, ...done: string[]): Call["pending"] =>
  call.pending && done.includes(call.pending.kind) ? null : call.pending;

const knownPerson = (number: string, known: Person | null): Person =>
  known?.number === number ? known : { number, name: "" };

const withoutUnanswered = (parties: readonly PartySummary[], number: string): readonly PartySummary[] =>
  parties.filter((party) => party.number !== number || party.state === "accepted");

const byPartyNumber = (one: PartySummary, other: PartySummary): number =>
  (one.party || Infinity) - (other.party || Infinity);

const INCOMING_ENDINGS: Record<IncomingEnded["reason"], EndReason> = {
  accepted_elsewhere: { problem: "accepted_elsewhere" },
  answered_elsewhere: { outcome: "answered_elsewhere" },
  declined: { outcome: "rejected" },
  cancelled: { outcome: "cancelled" },
  no_answer: { outcome: "no_answer" },
};

const END_OF_REFUSED_CALL: Record<string, EndReason> = {
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

const PROBLEM_OF_REFUSED_REQUEST: Record<string, CallProblem> = {
  invalid_target: "invalid_target",
  too_many: "too_many",
  unavailable: "not_connected",
};
