import { describe, expect, it } from "vitest";
import { answeredShare, nearOf, passes, readEvent, summaryOf, titleOf } from "./live";

const event = (value: object) => readEvent(JSON.stringify({ id: 1, at: 2, name: "ari", callId: "c1", ...value }))!;

describe("an event", () => {
  it("is known by ARI's type, or by our name", () => {
    expect(titleOf(event({ data: { type: "StasisStart" } }))).toBe("StasisStart");
    expect(titleOf(event({ name: "call.ended", data: {} }))).toBe("call.ended");
  });

  it("is told in a line", () => {
    const call = event({
      name: "call.ended",
      data: { caller: "1001", target: "600", state: "ending", outcome: "busy" },
    });
    expect(summaryOf(call)).toBe("1001 → 600 · busy");
    expect(
      summaryOf(event({ data: { type: "Dial", dialstatus: "BUSY", peer: { name: "PJSIP/x", state: "Down" } } })),
    ).toBe("PJSIP/x · Down · BUSY");
  });

  it("passes a filter when each word is in it", () => {
    const dial = event({ data: { type: "Dial", dialstatus: "BUSY" } });
    expect(
      ["", "busy", "c1 dial", "c2", "busy c2", "name:ari", "name:call."].map((filter) => passes(dial, filter)),
    ).toEqual([true, true, true, false, false, true, false]);
  });

  it("that is none is left out", () => {
    expect([readEvent("not JSON"), readEvent("{}")]).toEqual([null, null]);
  });
});

it("reckons the share of answered calls", () => {
  expect(answeredShare({})).toBeNull();
  expect(answeredShare({ completed: 3, busy: 1 })).toBe(0.75);
  expect(answeredShare({ completed: 1, answered_elsewhere: 4 })).toBe(1); // a ring group: nobody was turned away
});

it("says by what the user takes part, once there is one", () => {
  expect(nearOf({ user: "1001", near: "sip" })?.label).toBe("SIP");
  expect(nearOf({ user: "1001", near: "page" })?.label).toBe("page");
  expect(nearOf({ user: null, near: "page" })).toBeNull();
});
