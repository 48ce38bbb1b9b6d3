import { describe, expect, it } from "vitest";
import type { ServerMessage } from "../protocol/messages.js";
import { having, seen, talking } from "../testing/calls.js";
import {
  type Call,
  canLeave,
  connectedParty,
  isConference,
  type LiveCall,
  type PendingRequest,
  type PhoneState,
} from "./model.js";
import { activeCall, phoneReducer } from "./phoneReducer.js";

const hold: PendingRequest = { kind: "hold", held: true };
const transfer: PendingRequest = { kind: "transfer", number: "7002", name: "Lena" };
const add: PendingRequest = { kind: "add", number: "7003", name: "" };
const one = { party: 1, number: "600", name: "Echo", state: "accepted" } as const;
const two = { party: 2, number: "7003", name: "", state: "ringing" } as const;

const asked = (request: PendingRequest, values: Partial<LiveCall> = {}): PhoneState =>
  phoneReducer(having(talking({ parties: [one], ...values })), { type: "requested", id: "c1", request });
const after = (state: PhoneState, ...messages: ServerMessage[]): Call =>
  activeCall(messages.reduce((before, message) => phoneReducer(before, { type: "server", message, at: 9000 }), state))!;
const listed = (state: PhoneState, values: Parameters<typeof seen>[0], first = false): Call =>
  activeCall(phoneReducer(state, { type: "listed", id: "c1", listed: seen({ parties: [one], ...values }), first }))!;
const refuse = (code = "wrong_state"): ServerMessage => ({ type: "error", code, message: "no", callId: "c1" });

describe("hold", () => {
  it("is shown at once, and confirmed by the server's word or list", () => {
    expect(activeCall(asked(hold))).toMatchObject({ held: true, pending: hold });
    expect(after(asked(hold), { type: "hold", callId: "c1" })).toMatchObject({ held: true, pending: null });
    expect(listed(asked(hold), { held: true })).toMatchObject({ held: true, pending: null });
  });

  it("is not undone by what the server said before it heard of it", () => {
    expect(listed(asked(hold), { held: false })).toMatchObject({ held: true, pending: hold });
    const back = phoneReducer(asked(hold), { type: "requested", id: "c1", request: { kind: "hold", held: false } });
    expect(after(back, { type: "hold", callId: "c1", held: true, by: "us" }).held).toBe(false);
  });

  it("is taken back where it is refused, and that is told", () => {
    expect(after(asked(hold), refuse())).toMatchObject({ held: false, pending: null, failedRequest: { kind: "hold" } });
  });

  it("that the phone system refuses after the server has confirmed it is taken back, and that is told", () => {
    const refusal = { ...refuse("pbx_refuses"), field: "held" } as ServerMessage;
    const back: ServerMessage = { type: "hold", callId: "c1", held: false, by: "us" };
    const confirmed = phoneReducer(asked(hold), {
      type: "listed",
      id: "c1",
      listed: seen({ parties: [one], held: true }),
      first: false,
    });
    for (const state of [confirmed, asked(hold)]) {
      expect(after(state, refusal, back)).toMatchObject({
        held: false,
        pending: null,
        failedRequest: { kind: "hold", problem: "refused" },
      });
    }
  });

  it("by the far side is another thing", () => {
    expect(after(having(talking()), { type: "hold", callId: "c1", by: "far" })).toMatchObject({
      held: false,
      heldByFar: true,
    });
  });

  it("of a page that was reloaded is what the server says", () => {
    expect(listed(having(talking({ held: true })), { held: false }, true).held).toBe(false);
  });
});

describe("a transfer", () => {
  const called: ServerMessage = {
    type: "party",
    callId: "c1",
    party: 2,
    number: "7002",
    name: "Lena",
    state: "ringing",
  };
  const failed: ServerMessage = {
    type: "transfer-failed",
    callId: "c1",
    target: "7002",
    outcome: "no_answer",
    reason: "",
  };

  it("is shown at once, and ends the call", () => {
    expect(activeCall(asked(transfer))?.transferring).toEqual({ number: "7002", name: "Lena" });
    const state = [
      called,
      { type: "transferred", callId: "c1", target: "7002" },
      {
        type: "state",
        callId: "c1",
        state: "ended",
        direction: "outbound",
        target: "600",
        caller: "1001",
        at: 0,
        outcome: "transferred",
      },
    ].reduce<PhoneState>(
      (before, message) => phoneReducer(before, { type: "server", message: message as ServerMessage, at: 9000 }),
      asked(transfer),
    );
    expect(state).toMatchObject({
      calls: [],
      lastEndedCall: { outcome: "transferred", transferring: { name: "Lena" } },
    });
  });

  it("that fails brings the call back, and says why once", () => {
    const gone: ServerMessage = { ...called, state: "ended", outcome: "no_answer" };
    for (const order of [
      [called, failed, gone],
      [called, gone, failed],
    ]) {
      expect(after(asked(transfer), ...order)).toMatchObject({
        transferring: null,
        parties: [one],
        failedRequest: { kind: "transfer", number: "7002", name: "Lena", outcome: "no_answer" },
      });
    }
  });

  it("that was taken back is no trouble", () => {
    expect(after(asked(transfer), called, { ...failed, outcome: "cancelled" })).toMatchObject({
      transferring: null,
      failedRequest: null,
    });
  });

  it("is refused", () => {
    expect(after(asked(transfer), refuse("invalid_target"))).toMatchObject({
      transferring: null,
      failedRequest: { problem: "invalid_target" },
    });
  });

  it("that nobody heard of before the connection was lost is told of", () => {
    expect(listed(asked(transfer), {})).toMatchObject({ transferring: { number: "7002" }, failedRequest: null });
    expect(listed(asked(transfer), {}, true)).toMatchObject({
      transferring: null,
      failedRequest: { problem: "not_connected" },
    });
  });

  it("is left to go on", () => {
    const state = phoneReducer(asked(transfer), { type: "leave-pressed", id: "c1", at: 9 });
    expect(state.lastEndedCall).toMatchObject({ outcome: "transferred", transferring: { number: "7002" } });
  });
});

describe("a conference", () => {
  const joins = (state: "trying" | "ringing" | "accepted"): ServerMessage => ({
    type: "party",
    callId: "c1",
    party: 2,
    number: "7003",
    name: "",
    state,
  });

  it("shows who is called at once, and once", () => {
    expect(activeCall(asked(add))?.parties).toEqual([one, { party: 0, number: "7003", name: "", state: "trying" }]);
    const call = after(asked(add), joins("ringing"));
    expect([call.parties, call.pending, isConference(call), canLeave(call)]).toEqual([[one, two], null, true, false]);
    expect(canLeave(after(asked(add), joins("accepted")))).toBe(true);
    expect(listed(asked(add), { parties: [one, two] })).toMatchObject({ parties: [one, two], pending: null });
    expect(listed(asked(add), { parties: [one] }).parties.length).toBe(2);
  });

  it("says why somebody did not come", () => {
    const call = after(asked(add), joins("ringing"), {
      ...joins("ringing"),
      state: "ended",
      outcome: "busy",
    } as ServerMessage);
    expect(call).toMatchObject({ parties: [one], failedRequest: { kind: "add", number: "7003", outcome: "busy" } });
  });

  it("says nothing of one who leaves or is dropped", () => {
    for (const outcome of ["completed", "cancelled"] as const) {
      const call = after(asked(add), joins("accepted"), {
        ...joins("accepted"),
        state: "ended",
        outcome,
      } as ServerMessage);
      expect(call).toMatchObject({ parties: [one], failedRequest: null });
    }
  });

  it("is about the one who is left", () => {
    const call = after(having(talking({ parties: [one, { ...two, state: "accepted" }] })), {
      ...joins("accepted"),
      party: 1,
      number: "600",
      state: "ended",
      outcome: "completed",
    } as ServerMessage);
    expect([connectedParty(call), isConference(call)]).toEqual([{ number: "7003", name: "" }, false]);
  });

  it("is refused", () => {
    expect(after(asked(add), refuse("too_many"))).toMatchObject({
      parties: [one],
      failedRequest: { problem: "too_many" },
    });
  });
});

describe("a recording", () => {
  const start: PendingRequest = { kind: "record", state: "on", before: "off" };

  it("is shown at once, and confirmed", () => {
    expect(activeCall(asked(start))?.recording).toBe("on");
    expect(after(asked(start), { type: "recording", callId: "c1", state: "on", name: "r" })).toMatchObject({
      recording: "on",
      pending: null,
    });
    expect(listed(asked(start), { recording: "off" }).recording).toBe("on");
  });

  it("that fails is told of, and the call goes on", () => {
    expect(after(asked(start), { type: "recording", callId: "c1", state: "off", reason: "disk full" })).toMatchObject({
      recording: "off",
      failedRequest: { kind: "record", reason: "disk full" },
    });
    expect(after(asked(start), refuse())).toMatchObject({ recording: "off", failedRequest: { kind: "record" } });
  });
});

it("what is asked of a call that does not talk comes to nothing", () => {
  const state = having(talking({ phase: "ringing", acceptedAt: null }));
  expect(phoneReducer(state, { type: "requested", id: "c1", request: hold })).toBe(state);
});
