import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SIPProxyCall } from "./call.js";
import type { SIPProxyClient } from "./client.js";
import type { CallEnd } from "./tell.js";
import { fate, fakeWorld, pass, told, type World } from "./testing/clients.js";
import { settled } from "./testing/fakes.js";
import { FakeConnection } from "./testing/page.js";
import { track } from "./testing/peers.js";
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

describe("a call from here", () => {
  it("tells its life in order", async () => {
    const call = client.call(" 600 ");
    const events = told(call);
    expect([call.state, call.direction, call.number, call.error]).toEqual(["connecting", "outbound", "600", null]);
    await settled();
    expect(world.proxy.of("offer")).toMatchObject([{ target: "600", callId: call.id, caller: "1001" }]);
    world.proxy.say(state(call.id, "ringing"), state(call.id, "early"), state(call.id, "ringing"), state(call.id, "trying"), state(call.id, "early"));
    expect(events).toEqual(["ringing"]);
    world.proxy.say(state(call.id, "accepted"), state(call.id, "accepted"));
    expect([call.state, call.isActive, client.activeCall]).toEqual(["accepted", true, call]);
    await pass(3000);
    const ends: CallEnd[] = [];
    call.on("disconnected", (end) => ends.push(end));
    world.proxy.say(state(call.id, "ended", { outcome: "completed", q850: 16, sip: 200 }), state(call.id, "ended", { outcome: "busy" }));
    expect(events).toEqual(["ringing", "accepted", "connected", "ended", "disconnected"]);
    expect(ends).toEqual([{ outcome: "completed", error: null, seconds: 3, q850: 16, sip: 200 }]);
    expect([call.state, call.error, client.calls, client.find(call.id)]).toEqual(["ended", null, [], null]);
  });

  it("fails in plain words", async () => {
    const call = client.createCall({ target: "600", options: { audio: true, video: false, recording: false } });
    const events = told(call);
    await settled();
    world.proxy.say(state(call.id, "ended", { outcome: "busy", q850: 17, sip: 486, reason: "User busy" }));
    expect(events).toEqual(["error busy", "failed busy", "disconnected"]);
    expect(call.error).toMatchObject({ code: "busy", fatal: true });
  });

  it.each(["NotAllowedError", "NotFoundError"])("fails without a microphone: %s", async (name) => {
    world.page.microphone.open = async () => {
      throw new DOMException("no", name);
    };
    const call = client.call("600");
    const events = told(call);
    await settled();
    const code = name === "NotAllowedError" ? "microphone_blocked" : "no_microphone";
    expect(events).toEqual([`error ${code}`, `failed ${code}`, "disconnected"]);
    expect(world.proxy.of("offer")).toEqual([]);
  });

  it("is refused where that makes no sense", async () => {
    expect(() => client.call("600", { video: true })).toThrow(expect.objectContaining({ code: "unsupported" }));
    expect(() => client.call("  ")).toThrow(expect.objectContaining({ code: "invalid_target" }));
    for (const target of ["1", "2", "3"]) client.call(target);
    expect(() => client.call("4")).toThrow(expect.objectContaining({ code: "too_many" }));
    expect(client.calls).toHaveLength(3);
  });

  it("is made without registering first", async () => {
    const other = world.client({ user: "1002" });
    const events = told(other);
    const call = other.call("600");
    await settled();
    expect(world.proxy.of("offer").at(-1)).toMatchObject({ callId: call.id });
    expect(other.isRegistered).toBe(false);
    await pass(6000);
    expect([call.state, events]).toEqual(["trying", []]);
  });

  it("waits for the microphone while the server comes", async () => {
    let allow = (): void => undefined;
    world.page.microphone.open = () => new Promise((resolve) => (allow = resolve));
    const other = world.client({ user: "1002" });
    const call = other.call("600");
    const events = told(call);
    await pass(20_000);
    expect([call.state, events]).toEqual(["connecting", []]);
    allow();
    await pass(100);
    world.proxy.say(state(call.id, "accepted"));
    expect(events).toEqual(["accepted", "connected"]);
  });

  it("fails where the server is not there", async () => {
    world.proxy.reachable = false;
    const other = world.client({ user: "1002" });
    const call = other.call("600");
    const events = told(call);
    await pass(4000);
    expect(events).toEqual(["error not_connected", "failed not_connected", "disconnected"]);
  });

  it("only listens, without a microphone", async () => {
    const call = client.call("600", { audio: false });
    await settled();
    world.proxy.say(state(call.id, "accepted"));
    await pass(1000);
    expect(world.page.microphone.asked).toBe(0);
    expect(FakeConnection.open.some(({ sends }) => (sends as { name?: string } | null)?.name === "copy of silence")).toBe(true);
  });

  it("fails where there is no silence to be had", async () => {
    vi.stubGlobal("AudioContext", undefined);
    const call = client.call("600", { audio: false });
    const events = told(call);
    await settled();
    expect(events).toEqual(["error microphone_failed", "failed microphone_failed", "disconnected"]);
  });

  it("sends a track of its own, and stops it never", async () => {
    const own = track("music");
    const call = client.call("600", { audio: own });
    await settled();
    world.proxy.say(state(call.id, "accepted"));
    await pass(1000);
    expect(FakeConnection.open.some(({ sends }) => (sends as { name?: string } | null)?.name === "copy of music")).toBe(true);
    call.hangup();
    await settled();
    expect(world.page.microphone.asked).toBe(0);
    expect(own).toMatchObject({ stopped: false });
  });

  it("is recorded from its beginning", async () => {
    const call = client.call("600", { recording: true });
    const events = told(call);
    await settled();
    expect(world.proxy.of("record")).toEqual([]);
    world.proxy.say(state(call.id, "accepted"));
    await settled();
    expect(world.proxy.of("record")).toEqual([{ type: "record", callId: call.id, action: "start" }]);
    world.proxy.say({ type: "error", code: "forbidden", message: "You may not record.", callId: call.id });
    await settled();
    expect(events).toEqual(["accepted", "connected", "recording on", "recording off", "error refused"]);
  });
});

describe("a call to here", () => {
  const rings = async (): Promise<SIPProxyCall> => {
    const came = new Promise<SIPProxyCall>((resolve) => client.once("incoming", resolve));
    world.proxy.ring("in");
    return came;
  };

  it("rings, and is answered", async () => {
    const call = await rings();
    const events = told(call);
    expect([call.state, call.number, call.name, call.direction]).toEqual(["incoming", "7001", "Desk", "inbound"]);
    const came = fate(call.answer());
    await settled();
    expect(came()).toBe("done");
    expect(events).toEqual(["accepted", "connected"]);
    expect(fate(call.answer())()).toBe("");
    await expect(call.answer()).rejects.toMatchObject({ code: "wrong_state" });
  });

  it("rings, and is declined", async () => {
    const call = await rings();
    const events = told(call);
    call.reject();
    call.reject();
    call.hangup();
    expect(events).toEqual(["ended", "disconnected"]);
    expect(call.error).toBeNull();
    expect(world.proxy.of("decline")).toEqual([{ type: "decline", callId: "in" }]);
    expect(world.proxy.of("hangup")).toEqual([]);
  });

  it.each([
    ["accepted_elsewhere", ["ended", "disconnected"]],
    ["declined", ["ended", "disconnected"]],
    ["cancelled", ["ended", "disconnected"]],
    ["no_answer", ["error no_answer", "failed no_answer", "disconnected"]],
  ] as const)("stops ringing: %s", async (reason, expected) => {
    const call = await rings();
    const events = told(call);
    world.proxy.say({ type: "incoming-ended", callId: "in", reason });
    expect(events).toEqual(expected);
  });

  it("rings on where the microphone is blocked", async () => {
    world.page.microphone.open = async () => {
      throw new DOMException("no", "NotAllowedError");
    };
    const call = await rings();
    const events = told(call);
    await expect(call.answer()).rejects.toMatchObject({ code: "microphone_blocked" });
    expect([call.state, events]).toEqual(["incoming", ["error microphone_blocked"]]);
    world.page.microphone.open = async () => undefined;
    await call.answer();
    expect(call.state).toBe("accepted");
  });

  it("waits for as long as somebody is asked for the microphone", async () => {
    let allow = (): void => undefined;
    world.page.microphone.open = () => new Promise((resolve) => (allow = resolve));
    const came = fate((await rings()).answer());
    await pass(40_000);
    expect(came()).toBe("");
    allow();
    await settled();
    expect(came()).toBe("done");
  });

  it("was given up while it was being answered", async () => {
    world.proxy.replies.offer = () => [];
    const call = await rings();
    const came = fate(call.answer());
    await settled();
    world.proxy.say(state("in", "ended", { outcome: "cancelled", direction: "inbound" }));
    await settled();
    expect(came()).toBe("cancelled");
  });

  it("holds the call that talks", async () => {
    const first = await world.talking(client);
    const events = told(first);
    const call = await rings();
    await call.answer();
    expect(events).toEqual(["hold true us"]);
    expect([first.isActive, call.isActive]).toEqual([false, true]);
  });

  it("rings again after it was over, as another call", async () => {
    const call = await rings();
    const events = told(call);
    world.proxy.say({ type: "incoming-ended", callId: "in", reason: "cancelled" });
    const again = await rings();
    expect(again).not.toBe(call);
    expect([call.state, again.state]).toEqual(["ended", "incoming"]);
    expect(events).toEqual(["ended", "disconnected"]);
    expect(client.find("in")).toBe(again);
  });
});

describe("a call that talks", () => {
  let call: SIPProxyCall;
  let events: string[];
  const refuse = (code = "wrong_state", message = "Not now."): void => world.proxy.say({ type: "error", code, message, callId: call.id });
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
    expect(events.filter((one) => one.startsWith("error") || one.startsWith("transferFailed"))).toEqual(["error refused", "transferFailed invalid_target"]);
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
    for (const digits of ["", "x", "1 2", "1".repeat(33)]) await expect(call.sendDTMF(digits)).rejects.toMatchObject({ code: "invalid_digits" });
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
    await expect(call.transfer(" ")).rejects.toMatchObject({ code: "invalid_target" });
  });

  it("is connected with another one", async () => {
    const other = await world.talking(client, "601");
    const others = told(other);
    const came = fate(call.attendedTransfer(other));
    expect(world.proxy.of("transfer")).toEqual([{ type: "transfer", callId: call.id, toCallId: other.id }]);
    world.proxy.say({ type: "transferred", callId: call.id, target: "601" }, state(call.id, "ended", { outcome: "transferred" }), state(other.id, "ended", { outcome: "transferred" }));
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
    world.proxy.say({ type: "party", callId: call.id, party: 2, number: "601", name: "", state: "ended", outcome: "busy" });
    expect(events).toEqual(["party", "party", "error busy"]);
  });

  it("becomes one with another call", async () => {
    const other = await world.talking(client, "601");
    const came = fate(call.merge(other));
    expect(world.proxy.of("add-party")).toEqual([{ type: "add-party", callId: call.id, fromCallId: other.id }]);
    world.proxy.say({ type: "party", callId: call.id, party: 2, number: "601", name: "", state: "accepted" }, state(other.id, "ended", { outcome: "completed" }));
    await settled();
    expect([came(), other.state, client.calls]).toEqual(["done", "ended", [call]]);
  });

  it("is recorded, paused, and no more", async () => {
    const done: (() => string)[] = [];
    for (const [action, to] of [["start", "on"], ["pause", "paused"], ["resume", "on"], ["stop", "off"]] as const) {
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
    for (const connection of FakeConnection.open) if (connection.connectionState === "connected") connection.become("disconnected");
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
    expect(ends[0]!.error?.code).toBe("held_elsewhere");
    expect([call.state, call.error?.code, states.at(-1), client.calls]).toEqual(["ended", "held_elsewhere", "ended", []]);
    expect(client.state.elsewhere.map(({ id }) => id)).toEqual([call.id]);
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
    for (const score of [0, 6, Number.NaN]) await expect(call.postFeedback({ score })).rejects.toMatchObject({ code: "invalid_request" });
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

  it.each(["hold", "unhold", "transfer", "attendedTransfer", "addParty", "merge", "dropParty", "record", "sendDTMF", "answer"] as const)(
    "cannot %s once it is over",
    async (verb) => {
      call.hangup();
      await expect((call[verb] as (value: unknown) => Promise<void>).call(call, verb === "sendDTMF" ? "1" : verb === "merge" ? call : "2")).rejects.toMatchObject({ code: "wrong_state" });
      for (const quiet of ["mute", "unmute", "hangup", "reject", "leave", "cancelTransfer"] as const) call[quiet]();
      expect(events).toEqual(["ended", "disconnected"]);
    },
  );

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

describe("the page's devices", () => {
  it("are told where they change, and only then", async () => {
    const told: string[][] = [];
    client.on("devicesChanged", ({ microphones }) => told.push(microphones.map(({ name }) => name)));
    world.page.plug("Headset");
    await settled();
    world.page.plug();
    await settled();
    expect(told).toEqual([["Headset"]]);
    expect(client.devices.microphones).toHaveLength(1);
  });

  it("tell that sound is blocked, until somebody presses something", async () => {
    const events = told(client);
    world.page.block(true);
    const call = await world.talking(client);
    expect([events, client.state.soundBlocked]).toEqual([["soundBlocked true"], true]);
    world.page.block(false);
    dispatchEvent(new Event("pointerdown"));
    await settled();
    expect(events).toEqual(["soundBlocked true", "soundBlocked false"]);
    call.hangup();
  });
});

describe("a page that was reloaded", () => {
  it("has its call again, as it was", async () => {
    const call = await world.talking(client);
    call.mute();
    world.proxy.calls = [summary(call.id)];
    world.reload();
    client = world.client();
    const events = told(client);
    let calls: string[] = [];
    let again: SIPProxyCall | undefined;
    client.on("resumed", (one) => (calls = told((again = one))));
    await client.register();
    await pass(1000);
    expect([again?.id, again?.state, again?.muted]).toEqual([call.id, "accepted", true]);
    expect(events).toEqual(["registering", "resumed", "registered"]);
    expect(world.proxy.of("resume")).toHaveLength(1);
    expect(calls).toEqual(["reconnected"]);
  });

  it("fails a call that nobody knows any more", async () => {
    const call = await world.talking(client);
    world.reload();
    world.proxy.replies.offer = ({ callId }: { callId: string }) => [{ type: "error", code: "unknown_call", message: "No such call.", callId }];
    client = world.client();
    const calls: string[][] = [];
    client.on("resumed", (one) => calls.push(told(one)));
    await client.register();
    await pass(6000);
    expect(client.find(call.id)).toBeNull();
    expect(calls).toEqual([["error connection_lost", "failed connection_lost", "disconnected"]]);
  });
});

describe("listeners", () => {
  it("may hang up in the middle of it all", async () => {
    const call = client.call("600");
    const events = told(call);
    const states: string[] = [];
    call.on("accepted", () => call.hangup());
    call.on("stateChanged", ({ phase }) => states.push(phase));
    await settled();
    world.proxy.say(state(call.id, "accepted"));
    expect(events).toEqual(["accepted", "connected", "ended", "disconnected"]);
    expect([...new Set(states)]).toEqual(["connecting", "trying", "accepted", "ended"]);
    await pass(1000);
    expect(await navigator.locks.request(`sip-proxy.call.${call.id}`, { ifAvailable: true }, (lock) => lock !== null)).toBe(true);
  });

  it("may decline what rings at once", async () => {
    let events: string[] = [];
    const states: string[] = [];
    client.on("incoming", (call) => {
      events = told(call);
      call.on("stateChanged", ({ phase }) => states.push(phase));
      call.reject();
    });
    world.proxy.ring("in");
    expect([events, states]).toEqual([["ended", "disconnected"], ["incoming", "ended"]]);
  });

  it("may answer what rings at once", async () => {
    client.on("incoming", (call) => void call.answer());
    world.proxy.ring("in");
    await settled();
    expect(client.activeCall?.state).toBe("accepted");
  });

  it("may call again at a call's end", async () => {
    const call = client.call("600");
    let next: SIPProxyCall | undefined;
    call.on("ended", () => (next = client.call("601")));
    call.hangup();
    expect([next?.number, client.activeCall]).toEqual(["601", next]);
    await settled();
    expect(world.proxy.of("offer").map(({ target }) => target)).toEqual(["601"]);
  });

  it("may close the client", async () => {
    const call = await world.talking(client);
    const events = told(call);
    call.on("hold", () => client.close());
    void call.hold();
    expect(events).toEqual(["hold true us", "ended", "disconnected"]);
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("may throw", async () => {
    const reported: unknown[] = [];
    vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
    const angry = (): never => {
      throw new Error("mine");
    };
    client.subscribe(angry);
    client.on("stateChanged", angry);
    const call = client.call("600");
    call.on("accepted", angry);
    const events = told(call);
    await settled();
    world.proxy.say(state(call.id, "accepted"));
    call.hangup();
    expect(events).toEqual(["accepted", "connected", "ended", "disconnected"]);
    expect(reported.length).toBeGreaterThan(3);
  });

  it("may end a call before it is there", async () => {
    const stop = client.on("stateChanged", () => client.activeCall?.hangup());
    const stopped = client.subscribe(() => client.activeCall?.hangup());
    const call = client.call("600");
    expect([call.state, client.calls]).toEqual(["ended", []]);
    stop();
    stopped();
    await pass(100);
    expect(world.proxy.of("offer")).toEqual([]);
    expect(world.page.microphone.asked).toBe(0);
  });

  it("that hear of state may act on it", async () => {
    const stop = client.subscribe(() => client.activeCall?.state === "accepted" && client.activeCall.hangup());
    const call = client.call("600");
    const events = told(call);
    await settled();
    world.proxy.say(state(call.id, "accepted"));
    stop();
    expect(events).toEqual(["accepted", "connected", "ended", "disconnected"]);
  });
});
