import { describe, expect, it } from "vitest";
import type { ServerMessage } from "../protocol/messages.js";
import { having, seen, talking } from "../testing/calls.js";
import { canLeave, facing, isConference, type Ask, type Call, type LiveCall, type PhoneState } from "./model.js";
import { activeOf, step } from "./phoneReducer.js";

const hold: Ask = { what: "hold", held: true };
const transfer: Ask = { what: "transfer", number: "7002", name: "Lena" };
const add: Ask = { what: "add", number: "7003", name: "" };
const one = { party: 1, number: "600", name: "Echo", state: "accepted" } as const;
const two = { party: 2, number: "7003", name: "", state: "ringing" } as const;

const asked = (ask: Ask, values: Partial<LiveCall> = {}): PhoneState => step(having(talking({ parties: [one], ...values })), { type: "asked", id: "c1", ask });
const after = (state: PhoneState, ...messages: ServerMessage[]): Call =>
  activeOf(messages.reduce((before, message) => step(before, { type: "server", message, at: 9000 }), state))!;
const listed = (state: PhoneState, values: Parameters<typeof seen>[0], first = false): Call =>
  activeOf(step(state, { type: "seen", id: "c1", seen: seen({ parties: [one], ...values }), first }))!;
const refuse = (code = "wrong_state"): ServerMessage => ({ type: "error", code, message: "no", callId: "c1" });

describe("hold", () => {
  it("is shown at once, and confirmed by the server's word or list", () => {
    expect(activeOf(asked(hold))).toMatchObject({ held: true, asked: hold });
    expect(after(asked(hold), { type: "hold", callId: "c1" })).toMatchObject({ held: true, asked: null });
    expect(listed(asked(hold), { held: true })).toMatchObject({ held: true, asked: null });
  });

  it("is not undone by what the server said before it heard of it", () => {
    expect(listed(asked(hold), { held: false })).toMatchObject({ held: true, asked: hold });
    const back = step(asked(hold), { type: "asked", id: "c1", ask: { what: "hold", held: false } });
    expect(after(back, { type: "hold", callId: "c1", held: true, by: "us" }).held).toBe(false);
  });

  it("is taken back where it is refused, and that is told", () => {
    expect(after(asked(hold), refuse())).toMatchObject({ held: false, asked: null, trouble: { what: "hold" } });
  });

  it("that the phone system refuses after the server has confirmed it is taken back, and that is told", () => {
    const refusal = { ...refuse("pbx_refuses"), field: "held" } as ServerMessage;
    const back: ServerMessage = { type: "hold", callId: "c1", held: false, by: "us" };
    const confirmed = step(asked(hold), { type: "seen", id: "c1", seen: seen({ parties: [one], held: true }), first: false });
    for (const state of [confirmed, asked(hold)]) {
      expect(after(state, refusal, back)).toMatchObject({ held: false, asked: null, trouble: { what: "hold", problem: "refused" } });
    }
  });

  it("by the far side is another thing", () => {
    expect(after(having(talking()), { type: "hold", callId: "c1", by: "far" })).toMatchObject({ held: false, heldByFar: true });
  });

  it("of a page that was reloaded is what the server says", () => {
    expect(listed(having(talking({ held: true })), { held: false }, true).held).toBe(false);
  });
});

describe("a transfer", () => {
  const called: ServerMessage = { type: "party", callId: "c1", party: 2, number: "7002", name: "Lena", state: "ringing" };
  const failed: ServerMessage = { type: "transfer-failed", callId: "c1", target: "7002", outcome: "no_answer", reason: "" };

  it("is shown at once, and ends the call", () => {
    expect(activeOf(asked(transfer))?.transferring).toEqual({ number: "7002", name: "Lena" });
    const state = [
      called,
      { type: "transferred", callId: "c1", target: "7002" },
      { type: "state", callId: "c1", state: "ended", direction: "outbound", target: "600", caller: "1001", at: 0, outcome: "transferred" },
    ].reduce<PhoneState>((before, message) => step(before, { type: "server", message: message as ServerMessage, at: 9000 }), asked(transfer));
    expect(state).toMatchObject({ calls: [], over: { outcome: "transferred", transferring: { name: "Lena" } } });
  });

  it("that fails brings the call back, and says why once", () => {
    const gone: ServerMessage = { ...called, state: "ended", outcome: "no_answer" };
    for (const order of [[called, failed, gone], [called, gone, failed]]) {
      expect(after(asked(transfer), ...order)).toMatchObject({ transferring: null, parties: [one], trouble: { what: "transfer", number: "7002", name: "Lena", outcome: "no_answer" } });
    }
  });

  it("that was taken back is no trouble", () => {
    expect(after(asked(transfer), called, { ...failed, outcome: "cancelled" })).toMatchObject({ transferring: null, trouble: null });
  });

  it("is refused", () => {
    expect(after(asked(transfer), refuse("invalid_target"))).toMatchObject({ transferring: null, trouble: { problem: "invalid_target" } });
  });

  it("that nobody heard of before the connection was lost is told of", () => {
    expect(listed(asked(transfer), {})).toMatchObject({ transferring: { number: "7002" }, trouble: null });
    expect(listed(asked(transfer), {}, true)).toMatchObject({ transferring: null, trouble: { problem: "not_connected" } });
  });

  it("is left to go on", () => {
    const state = step(asked(transfer), { type: "leave-pressed", id: "c1", at: 9 });
    expect(state.over).toMatchObject({ outcome: "transferred", transferring: { number: "7002" } });
  });
});

describe("a conference", () => {
  const joins = (state: "trying" | "ringing" | "accepted"): ServerMessage => ({ type: "party", callId: "c1", party: 2, number: "7003", name: "", state });

  it("shows who is called at once, and once", () => {
    expect(activeOf(asked(add))?.parties).toEqual([one, { party: 0, number: "7003", name: "", state: "trying" }]);
    const call = after(asked(add), joins("ringing"));
    expect([call.parties, call.asked, isConference(call), canLeave(call)]).toEqual([[one, two], null, true, false]);
    expect(canLeave(after(asked(add), joins("accepted")))).toBe(true);
    expect(listed(asked(add), { parties: [one, two] })).toMatchObject({ parties: [one, two], asked: null });
    expect(listed(asked(add), { parties: [one] }).parties.length).toBe(2);
  });

  it("says why somebody did not come", () => {
    const call = after(asked(add), joins("ringing"), { ...joins("ringing"), state: "ended", outcome: "busy" } as ServerMessage);
    expect(call).toMatchObject({ parties: [one], trouble: { what: "add", number: "7003", outcome: "busy" } });
  });

  it("says nothing of one who leaves or is dropped", () => {
    for (const outcome of ["completed", "cancelled"] as const) {
      const call = after(asked(add), joins("accepted"), { ...joins("accepted"), state: "ended", outcome } as ServerMessage);
      expect(call).toMatchObject({ parties: [one], trouble: null });
    }
  });

  it("is about the one who is left", () => {
    const call = after(having(talking({ parties: [one, { ...two, state: "accepted" }] })), { ...joins("accepted"), party: 1, number: "600", state: "ended", outcome: "completed" } as ServerMessage);
    expect([facing(call), isConference(call)]).toEqual([{ number: "7003", name: "" }, false]);
  });

  it("is refused", () => {
    expect(after(asked(add), refuse("too_many"))).toMatchObject({ parties: [one], trouble: { problem: "too_many" } });
  });
});

describe("a recording", () => {
  const start: Ask = { what: "record", state: "on", before: "off" };

  it("is shown at once, and confirmed", () => {
    expect(activeOf(asked(start))?.recording).toBe("on");
    expect(after(asked(start), { type: "recording", callId: "c1", state: "on", name: "r" })).toMatchObject({ recording: "on", asked: null });
    expect(listed(asked(start), { recording: "off" }).recording).toBe("on");
  });

  it("that fails is told of, and the call goes on", () => {
    expect(after(asked(start), { type: "recording", callId: "c1", state: "off", reason: "disk full" })).toMatchObject({ recording: "off", trouble: { what: "record", reason: "disk full" } });
    expect(after(asked(start), refuse())).toMatchObject({ recording: "off", trouble: { what: "record" } });
  });
});

it("what is asked of a call that does not talk comes to nothing", () => {
  const state = having(talking({ phase: "ringing", acceptedAt: null }));
  expect(step(state, { type: "asked", id: "c1", ask: hold })).toBe(state);
});
