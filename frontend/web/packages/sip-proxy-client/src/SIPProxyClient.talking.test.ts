import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SIPProxyCall } from "./SIPProxyCall.js";
import type { SIPProxyClient } from "./SIPProxyClient.js";
import type { CallEnd } from "./stateEvents.js";
import { fakeWorld, fate, pass, told, type World } from "./testing/clients.js";
import { settled } from "./testing/fakes.js";
import { FakeConnection } from "./testing/page.js";
import { state, summary } from "./testing/proxy.js";

let world: World;
let client: SIPProxyClient;
beforeEach(async () => {
  world = fakeWorld();
  client = world.client();
  await client.register();
});
afterEach(async () => {
  await world.end();
  expect(world.unhandled).toEqual([]);
});

describe("a call that talks", () => {
  let call: SIPProxyCall;
  let events: string[];
  const refuse = (code = "wrong_state", message = "Not now."): void =>
    world.proxy.say({ type: "error", code, message, callId: call.id });
  beforeEach(async () => {
    call = await world.talking(client);
    events = told(call);
  });

  it("is held and taken back, once the server has it", async () => {
    const came = fate(call.hold());
    expect([call.held, events]).toEqual([true, ["hold true us"]]);
    await pass(100);
    expect(came()).toBe("");
    world.proxy.say({ type: "hold", callId: call.id, held: true, by: "us" });
    await settled();
    expect(came()).toBe("done");
    const back = fate(call.unhold());
    world.proxy.say({ type: "hold", callId: call.id, held: false, by: "us" });
    await settled();
    expect([back(), call.held]).toEqual(["done", false]);
    world.proxy.say({ type: "hold", callId: call.id, held: true, by: "far" });
    expect(events).toEqual(["hold true us", "hold false us", "hold true far"]);
  });

  it("is not held where the server refuses it", async () => {
    const came = fate(call.hold());
    refuse();
    await settled();
    expect([came(), call.held]).toEqual(["refused", false]);
    expect(events).toEqual(["hold true us", "hold false us", "error refused"]);
    await call.unhold();
  });

  it("says nothing twice where nobody waits for it", async () => {
    void call.hold();
    refuse();
    void call.transfer("601");
    refuse("invalid_target");
    void call.sendDTMF("x");
    void call.addParty("");
    await settled();
    expect(events.filter((one) => one.startsWith("error") || one.startsWith("transferFailed"))).toEqual([
      "error refused",
      "transferFailed invalid_target",
    ]);
  });

  it("gives up waiting for a server that says nothing", async () => {
    const came = fate(call.record("start"));
    await pass(16_000);
    expect(came()).toBe("not_connected");
  });

  it("is held after all, once the server is back", async () => {
    await world.proxy.vanish();
    const came = fate(call.hold());
    expect(call.held).toBe(true);
    world.proxy.reachable = true;
    world.proxy.calls = [summary(call.id)];
    await pass(2000);
    expect(world.proxy.of("hold").at(-1)).toEqual({ type: "hold", callId: call.id, held: true });
    world.proxy.say({ type: "hold", callId: call.id, held: true, by: "us" });
    await settled();
    expect(came()).toBe("done");
  });

  it("is silent, and is not", () => {
    call.mute();
    call.mute();
    expect(call.muted).toBe(true);
    call.unmute();
    expect(events).toEqual(["mute true", "mute false"]);
  });

  it("has digits both ways", async () => {
    await call.sendDTMF("12a*#");
    expect(world.proxy.of("dtmf")).toEqual([{ type: "dtmf", callId: call.id, digits: "12A*#" }]);
    world.proxy.say({ type: "dtmf", callId: call.id, digits: "5" });
    expect(events).toEqual(["dtmf 5"]);
    for (const digits of ["", "x", "1 2", "1".repeat(33)])
      await expect(call.sendDTMF(digits)).rejects.toMatchObject({ code: "invalid_digits" });
  });

  it("is given away", async () => {
    const came = fate(call.transfer("601"));
    expect(events).toEqual(["transferring"]);
    world.proxy.say({ type: "transferred", callId: call.id, target: "601" });
    await settled();
    expect(came()).toBe("done");
    const ends: CallEnd[] = [];
    call.on("ended", (end) => ends.push(end));
    world.proxy.say(state(call.id, "ended", { outcome: "transferred" }));
    expect(events).toEqual(["transferring", "transferred", "ended", "disconnected"]);
    expect(ends[0]).toMatchObject({ outcome: "transferred", error: null });
  });

  it("comes back where nobody takes it", async () => {
    const came = fate(call.transfer("601"));
    world.proxy.say({ type: "transfer-failed", callId: call.id, target: "601", outcome: "busy", reason: "User busy" });
    await settled();
    expect(came()).toBe("busy");
    expect(events).toEqual(["transferring", "transferFailed busy"]);
    expect(call.state).toBe("accepted");
    for (const ask of [call.transfer(" "), call.addParty("601&602")])
      await expect(ask).rejects.toMatchObject({ code: "invalid_target" });
    void call.transfer("tel:\u202a60-1\u202c");
    expect(world.proxy.of("transfer").at(-1)).toMatchObject({ target: "601" });
  });

  it("is connected with another one", async () => {
    const other = await world.talking(client, "601");
    const others = told(other);
    const came = fate(call.attendedTransfer(other));
    expect(world.proxy.of("transfer")).toEqual([{ type: "transfer", callId: call.id, toCallId: other.id }]);
    world.proxy.say({ type: "transferred", callId: call.id, target: "601" });
    for (const { id } of [call, other]) world.proxy.say(state(id, "ended", { outcome: "transferred" }));
    await settled();
    expect(came()).toBe("done");
    expect(events.slice(-3)).toEqual(["transferred", "ended", "disconnected"]);
    expect(others).toEqual(["transferred", "ended", "disconnected"]);
    await expect(other.attendedTransfer(call)).rejects.toMatchObject({ code: "wrong_state" });
  });

  it("takes one more party, and lets it go", async () => {
    const came = fate(call.addParty("601"));
    const party = { type: "party", callId: call.id, party: 2, number: "601", name: "" } as const;
    world.proxy.say({ ...party, state: "trying" });
    await settled();
    expect(came()).toBe("done");
    world.proxy.say({ ...party, state: "accepted" });
    expect(call.parties).toEqual([{ party: 2, number: "601", name: "", state: "accepted" }]);
    await call.dropParty(2);
    expect(world.proxy.of("drop-party")).toEqual([{ type: "drop-party", callId: call.id, party: 2 }]);
    world.proxy.say({ ...party, state: "ended", outcome: "completed" });
    expect(call.parties).toEqual([]);
    expect(new Set(events)).toEqual(new Set(["party"]));
  });

  it("says that a party does not come", async () => {
    void call.addParty("601");
    world.proxy.say({
      type: "party",
      callId: call.id,
      party: 2,
      number: "601",
      name: "",
      state: "ended",
      outcome: "busy",
    });
    expect(events).toEqual(["party", "party", "error busy"]);
  });

  it("becomes one with another call", async () => {
    const other = await world.talking(client, "601");
    const came = fate(call.merge(other));
    expect(world.proxy.of("add-party")).toEqual([{ type: "add-party", callId: call.id, fromCallId: other.id }]);
    world.proxy.say({ type: "party", callId: call.id, party: 2, number: "601", name: "", state: "accepted" });
    world.proxy.say(state(other.id, "ended", { outcome: "completed" }));
    await settled();
    expect([came(), other.state, client.calls]).toEqual(["done", "ended", [call]]);
  });

  it("is recorded, paused, and no more", async () => {
    const done: (() => string)[] = [];
    for (const [action, to] of [
      ["start", "on"],
      ["pause", "paused"],
      ["resume", "on"],
      ["stop", "off"],
    ] as const) {
      done.push(fate(call.record(action)));
      world.proxy.say({ type: "recording", callId: call.id, state: to });
      await settled();
    }
    expect(done.map((one) => one())).toEqual(["done", "done", "done", "done"]);
    expect(events).toEqual(["recording on", "recording paused", "recording on", "recording off"]);
  });

  it("holds nothing against a hold that a recording failed meanwhile", async () => {
    const came = fate(call.hold());
    world.proxy.say({ type: "recording", callId: call.id, state: "off", reason: "The disk is full." });
    world.proxy.say({ type: "hold", callId: call.id, held: true, by: "us" });
    await settled();
    expect(came()).toBe("done");
    expect(events).toEqual(["hold true us", "error refused"]);
  });

  it("tells what it waited for where the call ends", async () => {
    const waits = [fate(call.hold()), fate(call.record("start"))];
    world.proxy.say(state(call.id, "ended", { outcome: "completed" }));
    await settled();
    expect(waits.map((one) => one())).toEqual(["wrong_state", "wrong_state"]);
  });

  it("is measured, and warns", async () => {
    const samples: number[] = [];
    call.on("sample", ({ lossPercent }) => samples.push(lossPercent));
    await pass(3000);
    expect(samples.length).toBeGreaterThanOrEqual(2);
    for (const connection of FakeConnection.open) connection.lossPercent = 20;
    await pass(6000);
    expect(events).toContain("warning loss");
    for (const connection of FakeConnection.open) connection.lossPercent = 0;
    await pass(10_000);
    expect(events.filter((one) => one.endsWith(" loss"))).toEqual(["warning loss", "warning-cleared loss"]);
    expect((await call.getStats()).quality).toMatchObject({ lossPercent: 0 });
    expect((await call.getStats()).report).not.toBeNull();
    expect(call.connection).not.toBeNull();
    expect(call.remoteStream).not.toBeNull();
    call.hangup();
    expect(await call.getStats()).toEqual({ quality: null, report: null });
    expect(call.connection).toBeNull();
  });

  it("is away while the server is, and comes back", async () => {
    await world.proxy.vanish();
    expect(events).toEqual(["reconnecting"]);
    world.proxy.reachable = true;
    world.proxy.calls = [summary(call.id)];
    await pass(3000);
    expect(events).toEqual(["reconnecting", "reconnected"]);
  });

  it("is away while its sound is", async () => {
    world.proxy.replies.offer = () => [];
    for (const connection of FakeConnection.open)
      if (connection.connectionState === "connected") connection.become("disconnected");
    await pass(500);
    expect(events).toEqual(["reconnecting"]);
    world.proxy.say({ type: "answer", callId: call.id, sdp: "another" });
    await pass(1000);
    expect(events).toEqual(["reconnecting", "reconnected"]);
  });

  it("goes on in another window", async () => {
    const ends: CallEnd[] = [];
    const states: string[] = [];
    call.on("ended", (end) => ends.push(end));
    call.on("stateChanged", ({ phase }) => states.push(phase));
    world.proxy.say({ type: "taken-over", callId: call.id });
    await settled();
    expect(events).toEqual(["ended", "disconnected"]);
    expect(ends[0]!.error?.code).toBe("owned_elsewhere");
    expect([call.state, call.error?.code, states.at(-1), client.calls]).toEqual([
      "ended",
      "owned_elsewhere",
      "ended",
      [],
    ]);
    expect(client.state.otherDeviceCalls.map(({ id }) => id)).toEqual([call.id]);
    await expect(call.hold()).rejects.toMatchObject({ code: "wrong_state" });
    expect(world.proxy.of("hangup")).toEqual([]);
    const back = new Promise<SIPProxyCall>((resolve) => client.once("resumed", resolve));
    client.takeOver();
    const again = await back;
    expect([again === call, again.id, again.state]).toEqual([false, call.id, "accepted"]);
  });

  it("is given a score", async () => {
    await call.postFeedback({ score: 4, issue: "echo" });
    expect(world.proxy.of("feedback")).toEqual([{ type: "feedback", callId: call.id, score: 4, issue: "echo" }]);
    for (const score of [0, 6, Number.NaN])
      await expect(call.postFeedback({ score })).rejects.toMatchObject({ code: "invalid_request" });
    call.hangup();
    await call.postFeedback({ score: 5 });
    await client.postFeedback(call.id, { score: 5 });
    expect(world.proxy.of("feedback")).toHaveLength(3);
  });

  it("says that nobody hears it", async () => {
    await world.proxy.vanish();
    await expect(call.transfer("601")).rejects.toMatchObject({ code: "not_connected" });
    await expect(call.sendDTMF("1")).rejects.toMatchObject({ code: "not_connected" });
    await expect(call.postFeedback({ score: 1 })).rejects.toMatchObject({ code: "not_connected" });
  });

  it.each([
    "hold",
    "unhold",
    "transfer",
    "attendedTransfer",
    "addParty",
    "merge",
    "dropParty",
    "record",
    "sendDTMF",
    "answer",
  ] as const)("cannot %s once it is over", async (verb) => {
    call.hangup();
    const ask = call[verb] as (value: unknown) => Promise<void>;
    await expect(ask.call(call, verb === "sendDTMF" ? "1" : verb === "merge" ? call : "2")).rejects.toMatchObject({
      code: "wrong_state",
    });
    for (const quiet of ["mute", "unmute", "hangup", "reject", "leave", "cancelTransfer"] as const) call[quiet]();
    expect(events).toEqual(["ended", "disconnected"]);
  });

  it("ends with its client, and whoever waits knows", async () => {
    const waits = [fate(call.hold()), fate(call.transfer("601"))];
    client.close();
    await pass(0);
    expect(waits.map((one) => one())).toEqual(["closed", "closed"]);
    expect(events.slice(-2)).toEqual(["ended", "disconnected"]);
    expect(world.proxy.of("hangup")).toEqual([{ type: "hangup", callId: call.id }]);
    expect(FakeConnection.open).toEqual([]);
    expect(world.page.contexts()).toBe(0);
    expect(world.page.microphone.opened.every(({ stopped }) => stopped)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
