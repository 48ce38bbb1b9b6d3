import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ServerMessage } from "./protocol/messages.js";
import type { LinkStatus } from "./signaling/SignalingClient.js";
import { type Call, newCall, type PhoneAction, type PhoneState } from "./state/model.js";
import { findCall, IDLE_PHONE, phoneReducer } from "./state/phoneReducer.js";
import { type CallEventTuple, diffToEvents, type ObservedCall } from "./stateEvents.js";
import { having, ringing, talking } from "./testing/calls.js";

const names = (told: readonly CallEventTuple[]): string[] => told.map(([name]) => name);
const open = (call: Call): ObservedCall => ({ call, link: "open" });
const lost = (call: Call): ObservedCall => ({ call, link: "lost" });

describe("what a change tells", () => {
  const call = talking();

  it("nothing where nothing changed, and only its being there of a new call", () => {
    expect(diffToEvents(open(call), open(call))).toEqual([]);
    expect(names(diffToEvents(null, open(call)))).toEqual(["stateChanged"]);
  });

  it("all of it in the order of `ToldEvents`", () => {
    const before: Call = { ...call, phase: "trying", acceptedAt: null };
    const after: Call = {
      ...call,
      held: true,
      muted: true,
      recording: "on",
      transferring: { number: "601", name: "" },
      media: "interrupted",
      problem: "microphone_in_use",
      parties: [{ party: 1, number: "600", name: "", state: "accepted" }],
      failedRequest: { kind: "add", number: "602", name: "", outcome: "busy", problem: null, detail: null, reason: "" },
    };
    expect(names(diffToEvents(open(before), open(after)))).toEqual([
      "accepted",
      "connected",
      "hold",
      "mute",
      "party",
      "recording",
      "transferring",
      "error",
      "reconnecting",
      "error",
      "stateChanged",
    ]);
  });

  it("no parties that are the same as before", () => {
    const parties = [{ party: 1, number: "600", name: "", state: "accepted" }] as const;
    expect(
      names(diffToEvents(open({ ...call, parties: [...parties] }), open({ ...call, parties: [...parties] }))),
    ).toEqual(["stateChanged"]);
  });

  it("that a call is away, for each reason once", () => {
    expect(names(diffToEvents(open(call), lost(call)))).toEqual(["reconnecting"]);
    const returning: Call = { ...call, media: "returning" };
    expect(names(diffToEvents(lost(call), lost(returning)))).toEqual(["stateChanged"]);
    expect(names(diffToEvents(lost(returning), open(returning)))).toEqual([]);
    expect(names(diffToEvents(open(returning), open(call)))).toEqual(["reconnected", "stateChanged"]);
  });
});

// --- any life of a call ------------------------------------------------------------

const IDS = ["a", "b"];
const id = fc.constantFrom(...IDS, "a");
const number = fc.constantFrom("600", "601");
const outcome = fc.constantFrom("completed", "busy", "cancelled", "transferred", "no_answer", "lost" as const);

const progress: fc.Arbitrary<ServerMessage> = fc.record({
  type: fc.constant("state" as const),
  callId: id,
  state: fc.constantFrom("trying", "ringing", "early", "ringing", "trying", "accepted" as const),
  direction: fc.constantFrom("inbound", "outbound" as const),
  target: number,
  caller: number,
  at: fc.constant(1),
});
const message: fc.Arbitrary<ServerMessage> = fc.oneof(
  { weight: 8, arbitrary: progress },
  fc.record({
    type: fc.constant("state" as const),
    callId: id,
    state: fc.constant("ended" as const),
    outcome,
    direction: fc.constant("outbound" as const),
    target: number,
    caller: number,
    at: fc.constant(1),
  }),
  fc.record({
    type: fc.constant("incoming-call" as const),
    callId: id,
    caller: number,
    callerName: fc.constant(""),
    target: number,
  }),
  fc.record({
    type: fc.constant("incoming-ended" as const),
    callId: id,
    reason: fc.constantFrom("accepted_elsewhere", "declined", "cancelled", "no_answer" as const),
  }),
  fc.record({
    type: fc.constant("hold" as const),
    callId: id,
    held: fc.boolean(),
    by: fc.constantFrom("us", "far" as const),
  }),
  fc.record({ type: fc.constant("transferred" as const), callId: id, target: number }),
  fc.record({
    type: fc.constant("transfer-failed" as const),
    callId: id,
    target: number,
    outcome,
    reason: fc.constant(""),
  }),
  fc.record({
    type: fc.constant("party" as const),
    callId: id,
    party: fc.integer({ min: 1, max: 3 }),
    number,
    name: fc.constant(""),
    state: fc.constantFrom("trying", "ringing", "accepted" as const),
  }),
  fc.record({
    type: fc.constant("party" as const),
    callId: id,
    party: fc.integer({ min: 1, max: 3 }),
    number,
    name: fc.constant(""),
    state: fc.constant("ended" as const),
    outcome,
  }),
  fc.record({
    type: fc.constant("recording" as const),
    callId: id,
    state: fc.constantFrom("off", "on", "paused" as const),
  }),
  fc.record({ type: fc.constant("taken-over" as const), callId: id }),
  fc.record({
    type: fc.constant("error" as const),
    code: fc.constantFrom("wrong_state", "unavailable", "forbidden", "unheard_of"),
    message: fc.constant("No."),
    callId: id,
  }),
);

const person = fc.record({ number, name: fc.constant("") });
const pressed: fc.Arbitrary<PhoneAction> = fc.oneof(
  fc.record({ type: fc.constant("dialled" as const), id, number, name: fc.constant(""), at: fc.constant(1) }),
  fc.record({ type: fc.constantFrom("accept-pressed", "activated" as const), id }),
  fc.record({
    type: fc.constantFrom("decline-pressed", "hangup-pressed", "leave-pressed", "media-failed" as const),
    id,
    at: fc.constant(2),
  }),
  fc.record({ type: fc.constant("accept-failed" as const), id, problem: fc.constant("microphone_blocked" as const) }),
  fc.record({
    type: fc.constant("failed" as const),
    id,
    problem: fc.constant("not_connected" as const),
    at: fc.constant(2),
  }),
  fc.record({ type: fc.constant("muted" as const), id, muted: fc.boolean() }),
  fc.record({
    type: fc.constant("media" as const),
    id,
    state: fc.constantFrom("new", "connected", "interrupted", "returning", "failed" as const),
  }),
  fc.record({
    type: fc.constant("microphone" as const),
    id,
    problem: fc.constantFrom(null, "microphone_in_use" as const),
  }),
  fc.record({
    type: fc.constant("requested" as const),
    id,
    request: fc.oneof(
      fc.record({ kind: fc.constant("hold" as const), held: fc.boolean() }),
      person.map((to) => ({ kind: "transfer" as const, ...to })),
      person.map((to) => ({ kind: "add" as const, ...to })),
      fc.record({
        kind: fc.constant("record" as const),
        state: fc.constantFrom("on", "off", "paused" as const),
        before: fc.constantFrom("on", "off" as const),
      }),
    ),
  }),
  fc.constant({ type: "last-call-cleared" as const }),
);

type Happening = { event: PhoneAction } | { link: LinkStatus };
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: message.map((told) => ({ event: { type: "server", message: told, at: 2 } as PhoneAction })) },
  { weight: 4, arbitrary: pressed.map((event) => ({ event })) },
  { weight: 1, arbitrary: fc.constantFrom("open", "lost" as const).map((link) => ({ link })) },
);
const dialled = { ...newCall("a", "outbound", "600", "", "connecting", 1), phase: "connecting" } as const;
const beginning = fc.constantFrom(
  IDLE_PHONE,
  having(dialled),
  having(talking({ id: "a" })),
  having(talking({ id: "a" }), talking({ id: "b", held: true })),
  having(ringing("a"), ringing("b")),
);

const happenings = fc.array(happening, { maxLength: 40, size: "max" });

/** All that is told of each call that there was: one that rings again is another one. */
function lives(from: PhoneState, happened: readonly Happening[]): CallEventTuple[][] {
  const all: CallEventTuple[][] = [];
  const living = new Map<string, CallEventTuple[]>();
  let state = from;
  let link: LinkStatus = "open";
  const begin = (callId: string): CallEventTuple[] => {
    const life: CallEventTuple[] = [];
    all.push(life);
    living.set(callId, life);
    return life;
  };
  for (const call of from.calls) begin(call.id).push(...diffToEvents(null, { call, link }));
  for (const one of happened) {
    const before = { state, link };
    if ("link" in one) link = one.link;
    else state = phoneReducer(state, one.event);
    for (const call of state.calls) {
      const was = findCall(before.state, call.id);
      const life = was ? living.get(call.id)! : begin(call.id);
      life.push(...diffToEvents(was && { call: was, link: before.link }, { call, link }));
    }
    for (const was of before.state.calls) {
      if (findCall(state, was.id)) continue;
      if (state.lastEndedCall?.id === was.id)
        living
          .get(was.id)!
          .push(...diffToEvents({ call: was, link: before.link }, { call: state.lastEndedCall, link }));
      living.delete(was.id);
    }
  }
  return all;
}

const alternates = (values: readonly boolean[]): boolean =>
  values.every((value, index) => index === 0 || value !== values[index - 1]);

describe("whatever happens to a call", () => {
  const everyLife = (check: (life: readonly CallEventTuple[]) => void): void =>
    fc.assert(
      fc.property(beginning, happenings, (from, happened) => lives(from, happened).forEach(check)),
      { numRuns: 1000 },
    );

  it.each([["ringing"], ["accepted"], ["connected"], ["ended", "failed"], ["disconnected"], ["transferred"]])(
    "it tells at most once: %s",
    (...once) => {
      everyLife((life) => expect(names(life).filter((name) => once.includes(name)).length).toBeLessThan(2));
    },
  );

  it("it ends by `ended` or `failed`, `disconnected`, and its last state", () => {
    everyLife((life) => {
      const told = names(life);
      const over = told.findIndex((name) => name === "ended" || name === "failed");
      if (over >= 0) expect(told.slice(over + 1)).toEqual(["disconnected", "stateChanged"]);
      else expect(told).not.toContain("disconnected");
      const states = life.flatMap((one) => (one[0] === "stateChanged" ? [one[1].phase] : []));
      expect(states.indexOf("ended")).toBe(over < 0 ? -1 : states.length - 1);
    });
  });

  it("it is accepted before it is anything that a call is only then", () => {
    everyLife((life) => {
      const told = names(life);
      const accepted = told.indexOf("accepted");
      if (accepted < 0) return;
      expect(told[accepted + 1]).toBe("connected");
      expect(told.slice(accepted)).not.toContain("ringing");
      for (const name of ["reconnecting", "reconnected"]) expect(told.slice(0, accepted)).not.toContain(name);
    });
  });

  it("it is held and not, silent and not, away and back in turn", () => {
    everyLife((life) => {
      for (const by of ["us", "far"])
        expect(alternates(life.flatMap((one) => (one[0] === "hold" && one[1].by === by ? [one[1].held] : [])))).toBe(
          true,
        );
      expect(alternates(life.flatMap((one) => (one[0] === "mute" ? [one[1]] : [])))).toBe(true);
      expect(
        alternates(
          names(life).flatMap((name) =>
            name === "reconnecting" || name === "reconnected" ? [name === "reconnecting"] : [],
          ),
        ),
      ).toBe(true);
    });
  });

  it("it tells an error that is fatal only with its end", () => {
    everyLife((life) => {
      life.forEach((one, index) => {
        if (one[0] === "error" && one[1].fatal) expect(life[index + 1]).toEqual(["failed", one[1]]);
      });
    });
  });
});
