import { expect, it } from "vitest";
import { IDLE_PHONE } from "../state/phoneReducer.js";
import { having, ringing, talking } from "../testing/calls.js";
import { soundOf } from "./soundOf.js";

it.each([
  ["a caller, on the page that rings", having(ringing("c1")), true, true, "ringtone"],
  ["a caller, on another page", having(ringing("c1")), true, false, null],
  ["a caller that may have given up", having(ringing("c1")), false, true, null],
  ["a far side that rings", having(talking({ phase: "ringing" })), true, true, "ringback"],
  ["a call that talks", having(talking()), true, true, null],
  ["a caller beside a call that talks, softly", having(talking(), ringing("c2")), true, false, "knock"],
  [
    "a busy far side",
    { ...IDLE_PHONE, lastEndedCall: talking({ acceptedAt: null, outcome: "busy" }) },
    true,
    true,
    "busy",
  ],
  [
    "a number that nobody has",
    { ...IDLE_PHONE, lastEndedCall: talking({ acceptedAt: null, outcome: "unreachable" }) },
    true,
    true,
    "congestion",
  ],
  ["a call that was hung up", { ...IDLE_PHONE, lastEndedCall: talking({ outcome: "completed" }) }, true, true, null],
  [
    "a busy far side, beside a call that is held",
    { ...having(talking({ held: true })), lastEndedCall: talking({ acceptedAt: null, outcome: "busy" }) },
    true,
    true,
    "busy",
  ],
] as const)("%s is heard", (_, state, rings, ringsHere, sound) => {
  expect(soundOf(state, rings, ringsHere)).toBe(sound);
});
