// What a user requests of an accepted call (hold, transfer, one more party, recording): shown at once, confirmed later,
// rolled back if it is refused. Pure.

import type { Call, CallProblem, ListedCall, PendingRequest, Person } from "./model.js";

export const applyOptimistic = (call: Call, request: PendingRequest): Call => ({
  ...call,
  pending: request,
  failedRequest: null,
  ...expectedOutcome(request, call.parties),
});

/** What a call is shown as once it is asked for. */
function expectedOutcome(request: PendingRequest, parties: Call["parties"]): Partial<Call> {
  switch (request.kind) {
    case "hold":
      return { held: request.held };
    case "transfer":
    case "connect":
      return { transferring: personOf(request) };
    case "add":
    case "merge":
      return { parties: [...parties, { party: 0, ...personOf(request), state: "trying" }] };
    case "record":
      return { recording: request.state };
  }
}

/** The server refuses what was asked for last. */
export function rejectPending(call: Call, problem: CallProblem, reason: string): Call {
  const { pending } = call;
  return pending
    ? {
        ...rollback(call),
        failedRequest: { ...personOf(pending), kind: pending.kind, outcome: null, problem, reason, detail: null },
      }
    : call;
}

/**
 * The call with what the server lists, except for what has been requested since. In the first list of a connection a request that
 * is not there has been lost: a hold is then sent again (by `reconcile`), any other request has failed.
 */
export function confirm(call: Call, listed: ListedCall, first: boolean): Call {
  const { held, transferring, recording, parties } = listed;
  const listedState = { held, transferring, recording, parties };
  const { pending } = call;
  if (pending === null || isConfirmed(pending, listed)) return { ...call, pending: null, ...listedState };
  if (first && pending.kind !== "hold") return { ...rejectPending(call, "not_connected", ""), ...listedState };
  return { ...call, ...listedState, ...expectedOutcome(pending, parties) };
}

/** Whether what is asked for is so. */
export function isConfirmed(
  request: PendingRequest,
  listed: Pick<ListedCall, "held" | "transferring" | "parties" | "recording">,
): boolean {
  switch (request.kind) {
    case "hold":
      return listed.held === request.held;
    case "transfer":
    case "connect":
      return listed.transferring !== null;
    case "add":
    case "merge":
      return listed.parties.some(({ party, number }) => party !== 0 && number === request.number);
    case "record":
      return listed.recording === request.state;
  }
}

/** Without what was asked for last. */
function rollback(call: Call): Call {
  const { pending } = call;
  const before: Call = { ...call, pending: null };
  switch (pending?.kind) {
    case "hold":
      return { ...before, held: !pending.held };
    case "transfer":
    case "connect":
      return { ...before, transferring: null };
    case "add":
    case "merge":
      return { ...before, parties: call.parties.filter(({ party }) => party !== 0) };
    case "record":
      return { ...before, recording: pending.before };
    default:
      return before;
  }
}

const personOf = (request: PendingRequest): Person =>
  "number" in request ? { number: request.number, name: request.name } : { number: "", name: "" };
