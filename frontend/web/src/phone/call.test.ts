import { describe, expect, it } from "vitest";
import type { ServerMessage, State } from "../messages";
import { IDLE, callOf, phaseOf, promoteWaiting, step, type PhoneEvent, type PhoneState } from "./call";

const run = (...events: PhoneEvent[]): PhoneState => events.reduce(step, IDLE);
const dialled: PhoneEvent = { type: "dialled", id: "c1", number: "600", name: "Echo", at: 1000 };
const server = (message: ServerMessage, at = 2000): PhoneEvent => ({ type: "server", message, at });
const told = (state: State["state"], more: Partial<State> = {}, at = 2000): PhoneEvent =>
  server({ type: "state", callId: "c1", state, direction: "outbound", target: "600", caller: "1001", at: 0, ...more }, at);
const rings = (id = "c2"): PhoneEvent =>
  server({ type: "incoming-call", callId: id, caller: "7001", callerName: "Desk", target: "1001" });
const ended = (reason: "accepted_elsewhere" | "declined" | "cancelled" | "no_answer", id = "c2"): PhoneEvent =>
  server({ type: "incoming-ended", callId: id, reason });

describe("an outgoing call", () => {
  it("goes through its states", () => {
    const seen = [dialled, told("trying"), told("ringing"), told("early"), told("accepted")];
    expect(seen.map((_, index) => phaseOf(run(...seen.slice(0, index + 1))))).toEqual([
      "connecting", "trying", "ringing", "early", "accepted",
    ]);
  });

  it("counts the time from the first acceptance", () => {
    expect(run(dialled, told("accepted", {}, 5000), told("accepted", {}, 9000)).call?.acceptedAt).toBe(5000);
  });

  it("shows a hang-up at once, and the server's outcome when it comes", () => {
    const pressed = run(dialled, told("ringing"), { type: "hangup-pressed", at: 3000 });
    expect(pressed.call).toMatchObject({ phase: "ended", outcome: "cancelled", endedAt: 3000 });
    const corrected = step(pressed, told("ended", { outcome: "busy", q850: 17 }));
    expect(corrected.call).toMatchObject({ outcome: "busy", q850: 17, endedAt: 3000 });
  });

  it.each(["busy", "no_answer", "rejected", "unreachable", "forbidden", "failed_media", "failed_pbx"] as const)(
    "ends with %s",
    (outcome) => {
      expect(run(dialled, told("trying"), told("ended", { outcome })).call).toMatchObject({ phase: "ended", outcome });
    },
  );

  it("comes to no life again after its end", () => {
    expect(phaseOf(run(dialled, { type: "hangup-pressed", at: 1 }, told("accepted")))).toBe("ended");
  });

  it("does not hear of other calls", () => {
    const state = run(dialled, told("ringing"));
    expect(step(state, told("ended", { callId: "other", outcome: "busy" }))).toBe(state);
  });

  it("cannot be dialled over", () => {
    const state = run(dialled);
    expect(step(state, { ...dialled, id: "c9" } as PhoneEvent)).toBe(state);
  });

  it("is refused by an error without call id only before anything else was heard", () => {
    const error = server({ type: "error", code: "invalid_target", message: "no" });
    expect(run(dialled, error).call).toMatchObject({ phase: "ended", problem: "invalid_target", reason: "no" });
    expect(phaseOf(run(dialled, told("accepted"), error))).toBe("accepted");
  });

  it("ends when there is no sound after all tries, and keeps that reason", () => {
    const state = run(dialled, told("accepted"), { type: "no-sound", at: 3 }, told("ended", { outcome: "completed" }));
    expect(state.call?.outcome).toBe("failed_media");
  });

  it("goes on while its media is interrupted", () => {
    const state = run(dialled, told("accepted"), { type: "media", state: "interrupted" });
    expect(state.call).toMatchObject({ phase: "accepted", media: "interrupted" });
  });

  it("keeps the microphone's problem", () => {
    const failed: PhoneEvent = { type: "failed", problem: "microphone_blocked", at: 2 };
    const state = run(dialled, failed, told("ended", { outcome: "cancelled" }));
    expect(state.call).toMatchObject({ problem: "microphone_blocked", outcome: null });
  });

  it("remembers mute, digits and hold", () => {
    const state = run(
      dialled, told("accepted"), { type: "muted", muted: true }, { type: "digit-sent", digit: "4" },
      { type: "digit-sent", digit: "2" }, server({ type: "hold", callId: "c1", held: true }),
    );
    expect(state.call).toMatchObject({ muted: true, digits: "42", held: true });
  });

  it("is dismissed only after its end", () => {
    expect(phaseOf(run(dialled, { type: "dismissed" }))).toBe("connecting");
    expect(run(dialled, { type: "hangup-pressed", at: 1 }, { type: "dismissed" })).toEqual(IDLE);
  });
});

describe("an incoming call", () => {
  it("rings, is accepted and talks", () => {
    const accepted = run(rings(), { type: "accept-pressed", at: 3 });
    expect(phaseOf(accepted)).toBe("connecting");
    const trying = step(accepted, told("ringing", { callId: "c2", direction: "inbound" }));
    expect(phaseOf(trying)).toBe("connecting");
    expect(phaseOf(step(trying, told("accepted", { callId: "c2", direction: "inbound" })))).toBe("accepted");
  });

  it.each([
    ["cancelled", { outcome: "cancelled" }],
    ["declined", { outcome: "rejected" }],
    ["no_answer", { outcome: "no_answer" }],
    ["accepted_elsewhere", { problem: "accepted_elsewhere" }],
  ] as const)("stops ringing: %s", (reason, why) => {
    expect(run(rings(), ended(reason)).call).toMatchObject({ phase: "ended", ...why });
  });

  it("rings on where the microphone fails, and says why", () => {
    const state = run(rings(), { type: "accept-pressed", at: 3 }, { type: "accept-failed", problem: "no_microphone" });
    expect(state.call).toMatchObject({ phase: "incoming", problem: "no_microphone" });
  });

  it("is declined", () => {
    expect(run(rings(), { type: "decline-pressed", at: 3 }).call).toMatchObject({ phase: "ended", outcome: "rejected" });
  });

  it("was taken elsewhere where the server refuses the acceptance", () => {
    const refused = server({ type: "error", code: "wrong_state", message: "taken", callId: "c2" });
    expect(run(rings(), { type: "accept-pressed", at: 3 }, refused).call?.problem).toBe("accepted_elsewhere");
  });

  it("is told once, though two messages come", () => {
    const state = run(rings());
    expect(step(state, rings())).toBe(state);
  });

  it("waits while another call stands, and rings after it", () => {
    const state = run(dialled, told("accepted"), rings());
    expect(state).toMatchObject({ call: { id: "c1" }, waiting: { id: "c2", number: "7001" } });
    expect(promoteWaiting(state, 5)).toBe(state);
    const free = promoteWaiting(step(state, { type: "hangup-pressed", at: 4 }), 5);
    expect(free).toMatchObject({ call: { id: "c2", phase: "incoming", startedAt: 5 }, waiting: null });
  });

  it("stops waiting when the caller gives up or is declined", () => {
    const state = run(dialled, rings());
    expect(step(state, ended("cancelled")).waiting).toBeNull();
    expect(step(state, { type: "waiting-gone" }).waiting).toBeNull();
  });
});

describe("a call that comes and goes", () => {
  const talking = run(dialled, told("accepted", {}, 5000));
  const seen = { id: "c1", direction: "outbound", number: "600", name: "Echo", phase: "accepted", startedAt: 1000, acceptedAt: 5000, held: false, here: false, attached: true } as const;

  it("returns with its time, and without sound yet", () => {
    const state = step(IDLE, { type: "returned", call: callOf(seen) });
    expect(state.call).toMatchObject({ phase: "accepted", acceptedAt: 5000, startedAt: 1000, media: "returning" });
    expect(step(state, { type: "media", state: "connected" }).call?.media).toBe("connected");
  });

  it("returns in the place of one that has ended, not of one that stands", () => {
    const ended = step(talking, { type: "hangup-pressed", at: 6000 });
    expect(step(ended, { type: "returned", call: callOf({ ...seen, id: "c2" }) }).call?.id).toBe("c2");
    expect(step(talking, { type: "returned", call: callOf({ ...seen, id: "c2" }) })).toBe(talking);
  });

  it("is brought from another page", () => {
    const state = step({ ...IDLE, elsewhere: seen }, { type: "returned", call: callOf(seen) });
    expect(state).toMatchObject({ call: { id: "c1" }, elsewhere: null });
  });

  it("is taken over by another page, and goes on there", () => {
    const state = step(talking, server({ type: "taken-over", callId: "c1" }));
    expect(state.call).toBeNull();
    expect(state.elsewhere).toMatchObject({ id: "c1", number: "600", acceptedAt: 5000, here: false, attached: true });
    expect(step(talking, server({ type: "taken-over", callId: "c9" }))).toBe(talking);
  });

  it("ends as the server says that it did meanwhile", () => {
    const state = step(run(dialled, told("ringing")), { type: "ended-meanwhile", id: "c1", ending: { outcome: "lost", q850: 16 }, acceptedAt: 3000, at: 8000 });
    expect(state.call).toMatchObject({ phase: "ended", outcome: "lost", q850: 16, acceptedAt: 3000, endedAt: 8000 });
  });

  it("is forgotten where nobody knows it", () => {
    expect(step(talking, { type: "forgotten", id: "c1" }).call).toBeNull();
    expect(step(talking, { type: "forgotten", id: "c2" })).toBe(talking);
  });

  it("goes on without a microphone, and says so", () => {
    const deaf = step(talking, { type: "unheard", problem: "no_microphone" });
    expect(deaf.call).toMatchObject({ phase: "accepted", problem: "no_microphone" });
    expect(step(deaf, { type: "unheard", problem: null }).call?.problem).toBeNull();
  });

  it("is not ended by a refused digit, nor by a new connection that is refused", () => {
    expect(step(talking, server({ type: "error", code: "held_elsewhere", message: "", callId: "c1" }))).toBe(talking);
  });
});

it("is refused while the phone system is not there", () => {
  const refused = server({ type: "error", code: "unavailable", message: "later", callId: "c1", retryAfter: 5 });
  expect(run(dialled, refused).call).toMatchObject({ phase: "ended", outcome: "failed_pbx", reason: "later" });
});
