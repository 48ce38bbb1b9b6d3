import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SIPProxyCall } from "./SIPProxyCall.js";
import type { SIPProxyClient } from "./SIPProxyClient.js";
import { fakeWorld, pass, told, type World } from "./testing/clients.js";
import { settled } from "./testing/fakes.js";
import { state } from "./testing/proxy.js";

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
    expect(
      await navigator.locks.request(`sip-proxy.call.${call.id}`, { ifAvailable: true }, (lock) => lock !== null),
    ).toBe(true);
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
    expect([events, states]).toEqual([
      ["ended", "disconnected"],
      ["incoming", "ended"],
    ]);
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
