// What a person asks of a call that stands (hold, transfer, one more party, recording): shown at once, confirmed later,
// taken back where it is refused. Pure.

import type { Outcome, PartySummary, RecordingState } from "../messages.js";
import type { Call, Problem } from "./call.js";
import type { CallSeen } from "./settle.js";

export interface Person {
  number: string;
  name: string; // "" where unknown
}

export type Ask =
  | { what: "hold"; held: boolean }
  | ({ what: "transfer" | "connect" | "add" | "merge" } & Person) // `connect`, `merge`: with the party of our other call
  | { what: "record"; state: RecordingState; before: RecordingState };

/** What came to nothing. */
export interface Trouble extends Person {
  what: Ask["what"];
  outcome: Outcome | null; // null where `problem` says why
  problem: Problem | null;
  reason: string; // the server's words
}

export function wish(call: Call, ask: Ask): Call {
  const asked: Call = { ...call, asked: ask, trouble: null };
  switch (ask.what) {
    case "hold":
      return { ...asked, held: ask.held };
    case "transfer":
    case "connect":
      return { ...asked, transferring: { number: ask.number, name: ask.name } };
    case "add":
    case "merge":
      return { ...asked, parties: [...call.parties, expected(ask)] };
    case "record":
      return { ...asked, recording: ask.state };
  }
}

/** The server refuses what was asked for last. */
export function refused(call: Call, problem: Problem, reason: string): Call {
  const { asked } = call;
  return asked ? { ...undone(call), trouble: { ...personOf(asked), what: asked.what, outcome: null, problem, reason } } : call;
}

/**
 * The call with what the server's list says, but for what was asked for since. After a time in which nobody told us,
 * what is not there was not heard: a hold is then said again (by `settle`), of all else the person is told.
 */
export function fulfilled(call: Call, seen: CallSeen, first: boolean): Call {
  const { held, transferring, recording, parties } = seen;
  const { asked } = call;
  if (asked === null || isDone(asked, seen)) return { ...call, asked: null, held, transferring, recording, parties };
  if (asked.what === "hold") return { ...call, transferring, recording, parties };
  if (first) return { ...refused(call, "not_connected", ""), held, transferring, recording, parties };
  switch (asked.what) {
    case "transfer":
    case "connect":
      return { ...call, held, recording, parties };
    case "add":
    case "merge":
      return { ...call, held, transferring, recording, parties: [...parties, expected(asked)] };
    case "record":
      return { ...call, held, transferring, parties };
  }
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

const expected = ({ number, name }: Person): PartySummary => ({ party: 0, number, name, state: "trying" });

const personOf = (asked: Ask): Person => ("number" in asked ? { number: asked.number, name: asked.name } : { number: "", name: "" });
