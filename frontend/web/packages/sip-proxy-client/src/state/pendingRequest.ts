// What a person asks of a call that stands (hold, transfer, one more party, recording): shown at once, confirmed later,
// taken back where it is refused. Pure.

import type { Ask, Call, CallSeen, Person, Problem } from "./model.js";

export const wish = (call: Call, ask: Ask): Call => ({ ...call, asked: ask, trouble: null, ...granted(ask, call.parties) });

/** What a call is shown as once it is asked for. */
function granted(ask: Ask, parties: Call["parties"]): Partial<Call> {
  switch (ask.what) {
    case "hold":
      return { held: ask.held };
    case "transfer":
    case "connect":
      return { transferring: personOf(ask) };
    case "add":
    case "merge":
      return { parties: [...parties, { party: 0, ...personOf(ask), state: "trying" }] };
    case "record":
      return { recording: ask.state };
  }
}

/** The server refuses what was asked for last. */
export function refused(call: Call, problem: Problem, reason: string): Call {
  const { asked } = call;
  return asked ? { ...undone(call), trouble: { ...personOf(asked), what: asked.what, outcome: null, problem, reason, detail: null } } : call;
}

/**
 * The call with what the server's list says, but for what was asked for since. After a time in which nobody told us,
 * what is not there was not heard: a hold is then said again (by `settle`), of all else the person is told.
 */
export function fulfilled(call: Call, seen: CallSeen, first: boolean): Call {
  const { held, transferring, recording, parties } = seen;
  const told = { held, transferring, recording, parties };
  const { asked } = call;
  if (asked === null || isDone(asked, seen)) return { ...call, asked: null, ...told };
  if (first && asked.what !== "hold") return { ...refused(call, "not_connected", ""), ...told };
  return { ...call, ...told, ...granted(asked, parties) };
}

/** Whether what is asked for is so. */
export function isDone(asked: Ask, seen: Pick<CallSeen, "held" | "transferring" | "parties" | "recording">): boolean {
  switch (asked.what) {
    case "hold":
      return seen.held === asked.held;
    case "transfer":
    case "connect":
      return seen.transferring !== null;
    case "add":
    case "merge":
      return seen.parties.some(({ party, number }) => party !== 0 && number === asked.number);
    case "record":
      return seen.recording === asked.state;
  }
}

/** Without what was asked for last. */
function undone(call: Call): Call {
  const { asked } = call;
  const before: Call = { ...call, asked: null };
  switch (asked?.what) {
    case "hold":
      return { ...before, held: !asked.held };
    case "transfer":
    case "connect":
      return { ...before, transferring: null };
    case "add":
    case "merge":
      return { ...before, parties: call.parties.filter(({ party }) => party !== 0) };
    case "record":
      return { ...before, recording: asked.before };
    default:
      return before;
  }
}

const personOf = (asked: Ask): Person => ("number" in asked ? { number: asked.number, name: asked.name } : { number: "", name: "" });
