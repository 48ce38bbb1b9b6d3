import { describe, expect, it } from "vitest";
import type { ServerMessage, State } from "../protocol/messages.js";
import { having, ringing, seen, talking } from "../testing/calls.js";
import { type Call, type PhoneAction, type PhoneState, resumedCall } from "./model.js";
import {
  activeCall,
  callsToHold,
  displayedCall,
  displayedPhase,
  findCall,
  IDLE_PHONE,
  MAX_CALLS,
  otherCalls,
  phoneReducer,
  waitingCall,
} from "./phoneReducer.js";

const run = (...events: PhoneAction[]): PhoneState => events.reduce(phoneReducer, IDLE_PHONE);
/** What the stage is about after this. */
const shown = (...events: PhoneAction[]): Call | null => displayedCall(run(...events));
const dialled: PhoneAction = { type: "dialled", id: "c1", number: "600", name: "Echo", at: 1000 };
const hangUp: PhoneAction = { type: "hangup-pressed", id: "c1", at: 3000 };
const server = (message: ServerMessage, at = 2000): PhoneAction => ({ type: "server", message, at });
const told = (state: State["state"], more: Partial<State> = {}, at = 2000): PhoneAction =>
  server(
    { type: "state", callId: "c1", state, direction: "outbound", target: "600", caller: "1001", at: 0, ...more },
    at,
  );
const rings = (id = "c2"): PhoneAction =>
  server({ type: "incoming-call", callId: id, caller: "7001", callerName: "Desk", target: "1001" });
const ended = (reason: "accepted_elsewhere" | "declined" | "cancelled" | "no_answer", id = "c2"): PhoneAction =>
  server({ type: "incoming-ended", callId: id, reason });
const accepted: PhoneAction = { type: "accept-pressed", id: "c2" };

describe("an outgoing call", () => {
  it("goes through its states", () => {
    const events = [dialled, told("trying"), told("ringing"), told("early"), told("accepted")];
    expect(events.map((_, index) => displayedPhase(run(...events.slice(0, index + 1))))).toEqual([
      "connecting",
      "trying",
      "ringing",
      "early",
      "accepted",
    ]);
  });

  const farHeard: PhoneAction = { type: "far-audio", id: "c1" };
  it.each<[string, PhoneAction[], string]>([
    ["a far side that is heard while it rings", [told("ringing"), farHeard], "early"],
    ["one that says only then that it rings", [told("trying"), farHeard, told("ringing")], "early"],
    ["one that is heard, and rings after", [told("early"), told("ringing")], "early"],
    ["one that is heard before it says anything", [told("trying"), farHeard], "trying"],
    ["one that answers", [told("ringing"), farHeard, told("accepted"), farHeard], "accepted"],
  ])("has no ringback over %s", (_, events, phase) => {
    expect(displayedPhase(run(dialled, ...events))).toBe(phase);
  });

  it("counts the time from the first acceptance", () => {
    expect(shown(dialled, told("accepted", {}, 5000), told("accepted", {}, 9000))?.acceptedAt).toBe(5000);
  });

  it("shows a hang-up at once, and the server's outcome when it comes", () => {
    const pressed = run(dialled, told("ringing"), hangUp);
    expect(pressed).toMatchObject({
      calls: [],
      activeId: null,
      lastEndedCall: { phase: "ended", outcome: "cancelled", endedAt: 3000 },
    });
    expect(displayedCall(phoneReducer(pressed, told("ended", { outcome: "busy", q850: 17 })))).toMatchObject({
      outcome: "busy",
      q850: 17,
      endedAt: 3000,
    });
  });

  it.each(["busy", "no_answer", "rejected", "unreachable", "forbidden", "failed_media", "failed_pbx"] as const)(
    "ends with %s",
    (outcome) => {
      expect(shown(dialled, told("trying"), told("ended", { outcome }))).toMatchObject({ phase: "ended", outcome });
    },
  );

  it("comes to no life again after its end", () => {
    expect(displayedPhase(run(dialled, hangUp, told("accepted")))).toBe("ended");
  });

  it("does not hear of other calls", () => {
    const state = run(dialled, told("ringing"));
    expect(phoneReducer(state, told("ended", { callId: "other", outcome: "busy" }))).toBe(state);
  });

  it("is refused by an error without call id only before anything else was heard", () => {
    const error = server({ type: "error", code: "invalid_target", message: "no" });
    expect(shown(dialled, error)).toMatchObject({ phase: "ended", problem: "invalid_target", reason: "no" });
    expect(displayedPhase(run(dialled, told("accepted"), error))).toBe("accepted");
  });

  it("is refused while the phone system is not there", () => {
    const refused = server({ type: "error", code: "unavailable", message: "later", callId: "c1", retryAfter: 5 });
    expect(shown(dialled, refused)).toMatchObject({ phase: "ended", outcome: "failed_pbx", reason: "later" });
  });

  it("ends when there is no sound after all tries, and keeps that reason", () => {
    expect(
      shown(
        dialled,
        told("accepted"),
        { type: "media-failed", id: "c1", at: 3 },
        told("ended", { outcome: "completed" }),
      )?.outcome,
    ).toBe("failed_media");
  });

  it("goes on while its media is interrupted", () => {
    expect(shown(dialled, told("accepted"), { type: "media", id: "c1", state: "interrupted" })).toMatchObject({
      phase: "accepted",
      media: "interrupted",
    });
  });

  it("keeps the microphone's problem", () => {
    const failed: PhoneAction = { type: "failed", id: "c1", problem: "microphone_blocked", at: 2 };
    expect(shown(dialled, failed, told("ended", { outcome: "cancelled" }))).toMatchObject({
      problem: "microphone_blocked",
      outcome: null,
    });
  });

  it("remembers mute and digits", () => {
    const state = shown(
      dialled,
      told("accepted"),
      { type: "muted", id: "c1", muted: true },
      { type: "digits-sent", id: "c1", digits: "4" },
      { type: "digits-sent", id: "c1", digits: "2" },
    );
    expect(state).toMatchObject({ muted: true, digits: "42" });
  });

  it("is dismissed only after its end", () => {
    expect(displayedPhase(run(dialled, { type: "last-call-cleared" }))).toBe("connecting");
    expect(run(dialled, hangUp, { type: "last-call-cleared" })).toEqual(IDLE_PHONE);
  });
});

describe("an incoming call", () => {
  it("rings, is accepted and talks", () => {
    const connecting = run(rings(), accepted);
    expect(displayedPhase(connecting)).toBe("connecting");
    const trying = phoneReducer(connecting, told("ringing", { callId: "c2", direction: "inbound" }));
    expect(displayedPhase(trying)).toBe("connecting");
    expect(displayedPhase(phoneReducer(trying, told("accepted", { callId: "c2", direction: "inbound" })))).toBe(
      "accepted",
    );
  });

  it.each([
    ["cancelled", { outcome: "cancelled" }],
    ["declined", { outcome: "rejected" }],
    ["no_answer", { outcome: "no_answer" }],
    ["accepted_elsewhere", { problem: "accepted_elsewhere" }],
  ] as const)("stops ringing: %s", (reason, why) => {
    expect(shown(rings(), ended(reason))).toMatchObject({ phase: "ended", ...why });
  });

  it("rings on where the microphone fails, and says why", () => {
    expect(shown(rings(), accepted, { type: "accept-failed", id: "c2", problem: "no_microphone" })).toMatchObject({
      phase: "incoming",
      problem: "no_microphone",
    });
  });

  it("is declined", () => {
    expect(shown(rings(), { type: "decline-pressed", id: "c2", at: 3 })).toMatchObject({
      phase: "ended",
      outcome: "rejected",
    });
  });

  it("was taken elsewhere where the server refuses the acceptance", () => {
    const refused = server({ type: "error", code: "wrong_state", message: "taken", callId: "c2" });
    expect(shown(rings(), accepted, refused)?.problem).toBe("accepted_elsewhere");
  });

  it("is told once, though two messages come", () => {
    const state = run(rings());
    expect(phoneReducer(state, rings())).toBe(state);
  });
});

describe("a call beside another one", () => {
  const both = having(talking(), talking({ id: "c2", held: true }));

  it("waits while another one stands, and rings on the stage after it", () => {
    const state = run(dialled, told("accepted"), rings());
    expect([activeCall(state)?.id, waitingCall(state)?.id]).toEqual(["c1", "c2"]);
    const free = phoneReducer(state, hangUp);
    expect([activeCall(free)?.id, displayedPhase(free), waitingCall(free)]).toEqual(["c2", "incoming", null]);
  });

  it("stops waiting when the caller gives up, and is told of", () => {
    const state = run(dialled, rings(), ended("cancelled"));
    expect([waitingCall(state), state.lastEndedCall?.outcome, activeCall(state)?.id]).toEqual([
      null,
      "cancelled",
      "c1",
    ]);
  });

  it.each([
    ["accepted", accepted, ringing("c2")],
    ["dialled", { ...dialled, id: "c3" } as PhoneAction, null],
    ["gone back to", { type: "activated", id: "c2" } as PhoneAction, talking({ id: "c2", held: true })],
  ])("is %s: the one that talks is to be held", (_, event, other) => {
    const state = phoneReducer(having(talking(), ...(other ? [other] : [])), event);
    expect([activeCall(state)?.id === "c1", callsToHold(state).map(({ id }) => id)]).toEqual([false, ["c1"]]);
  });

  it("is held once it is answered, when it is not the active one", () => {
    const state = having(talking(), talking({ id: "c2", phase: "ringing", acceptedAt: null }));
    expect(callsToHold(state)).toEqual([]);
    expect(callsToHold(phoneReducer(state, told("accepted", { callId: "c2" }))).map(({ id }) => id)).toEqual(["c2"]);
  });

  it("is not held while it is given away", () => {
    expect(callsToHold(having(talking({ id: "c2" }), talking({ transferring: { number: "7002", name: "" } })))).toEqual(
      [],
    );
  });

  it("comes to the stage when the active one ends, and stays on hold", () => {
    const state = phoneReducer(both, hangUp);
    expect([activeCall(state), state.lastEndedCall?.id, otherCalls(state)]).toMatchObject([
      { id: "c2", held: true },
      "c1",
      [],
    ]);
  });

  it("tells how another one ended, until something new begins", () => {
    const state = phoneReducer(both, hangUp);
    expect(phoneReducer(state, { type: "last-call-cleared" }).lastEndedCall).toBeNull();
    expect(
      phoneReducer(state, { type: "requested", id: "c2", request: { kind: "hold", held: false } }).lastEndedCall,
    ).toBeNull();
    expect(phoneReducer(state, { ...dialled, id: "c9" }).lastEndedCall).toBeNull();
  });

  it("rings on the stage rather than one that is held", () => {
    expect(
      activeCall(phoneReducer(having(talking(), talking({ id: "c2", held: true }), ringing("c3")), hangUp))?.id,
    ).toBe("c3");
  });

  it("is its own: mute, digits and messages do not reach the other", () => {
    const state = [
      { type: "muted", id: "c2", muted: true },
      server({ type: "hold", callId: "c2", held: true, by: "far" }),
      server({ type: "error", code: "wrong_state", message: "", callId: "c2" }),
    ].reduce<PhoneState>((before, event) => phoneReducer(before, event as PhoneAction), both);
    expect(findCall(state, "c1")).toBe(both.calls[0]);
    expect(findCall(state, "c2")).toMatchObject({ muted: true, heldByFar: true });
  });

  it("is not made where there are as many as anybody can keep apart", () => {
    const full = having(...Array.from({ length: MAX_CALLS }, (_, index) => talking({ id: `f${index}` })));
    expect(phoneReducer(full, dialled)).toBe(full);
    expect(phoneReducer(full, rings()).calls.length).toBe(MAX_CALLS + 1);
  });
});

describe("a call that comes and goes", () => {
  const standing = run(dialled, told("accepted", {}, 5000));

  it("returns with its time, and without sound yet", () => {
    const state = phoneReducer(IDLE_PHONE, { type: "resumed", call: resumedCall(seen({ acceptedAt: 5000 })) });
    expect(displayedCall(state)).toMatchObject({
      phase: "accepted",
      acceptedAt: 5000,
      startedAt: 1000,
      media: "returning",
    });
    expect(displayedCall(phoneReducer(state, { type: "media", id: "c1", state: "connected" }))?.media).toBe(
      "connected",
    );
  });

  it("returns beside another one: who is not held is talked on", () => {
    const held = resumedCall(seen({ id: "c2", held: true }));
    expect(phoneReducer(standing, { type: "resumed", call: held })).toMatchObject({
      activeId: "c1",
      calls: [{ id: "c1" }, { id: "c2" }],
    });
    const first = phoneReducer(IDLE_PHONE, { type: "resumed", call: held });
    expect(phoneReducer(first, { type: "resumed", call: resumedCall(seen()) }).activeId).toBe("c1");
  });

  it("is brought from another page", () => {
    const state = phoneReducer(
      { ...IDLE_PHONE, otherDeviceCalls: [seen(), seen({ id: "c2" })] },
      { type: "resumed", call: resumedCall(seen()) },
    );
    expect(state).toMatchObject({ activeId: "c1", otherDeviceCalls: [{ id: "c2" }] });
  });

  it("is taken over by another page, and goes on there", () => {
    const state = phoneReducer(standing, server({ type: "taken-over", callId: "c1" }));
    expect(state).toMatchObject({
      calls: [],
      activeId: null,
      lastEndedCall: null,
      otherDeviceCalls: [{ id: "c1", acceptedAt: 5000, here: false, attached: true }],
    });
    expect(phoneReducer(standing, server({ type: "taken-over", callId: "c9" }))).toBe(standing);
  });

  it("ends as the server says that it did meanwhile", () => {
    const fate: PhoneAction = {
      type: "ended",
      id: "c1",
      reason: { outcome: "lost", q850: 16 },
      acceptedAt: 3000,
      at: 8000,
    };
    expect(shown(dialled, told("ringing"), fate)).toMatchObject({
      phase: "ended",
      outcome: "lost",
      q850: 16,
      acceptedAt: 3000,
      endedAt: 8000,
    });
  });

  it("is forgotten where nobody knows it", () => {
    expect(phoneReducer(standing, { type: "call-unknown", id: "c1" })).toMatchObject({
      calls: [],
      lastEndedCall: null,
    });
    expect(phoneReducer(standing, { type: "call-unknown", id: "c2" })).toBe(standing);
  });

  it("goes on without a microphone, and says so", () => {
    const deaf = phoneReducer(standing, { type: "microphone", id: "c1", problem: "no_microphone" });
    expect(displayedCall(deaf)).toMatchObject({ phase: "accepted", problem: "no_microphone" });
    expect(displayedCall(phoneReducer(deaf, { type: "microphone", id: "c1", problem: null }))?.problem).toBeNull();
  });

  it("is not ended by a refused digit, nor by a new connection that is refused", () => {
    expect(phoneReducer(standing, server({ type: "error", code: "owned_elsewhere", message: "", callId: "c1" }))).toBe(
      standing,
    );
  });
});
