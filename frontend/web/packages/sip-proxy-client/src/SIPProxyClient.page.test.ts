import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SIPProxyCall } from "./SIPProxyCall.js";
import type { SIPProxyClient } from "./SIPProxyClient.js";
import { fakeWorld, pass, told, type World } from "./testing/clients.js";
import { settled } from "./testing/fakes.js";
import { summary } from "./testing/proxy.js";

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
    world.proxy.replies.offer = ({ callId }: { callId: string }) => [
      { type: "error", code: "unknown_call", message: "No such call.", callId },
    ];
    client = world.client();
    const calls: string[][] = [];
    client.on("resumed", (one) => calls.push(told(one)));
    await client.register();
    await pass(6000);
    expect(client.find(call.id)).toBeNull();
    expect(calls).toEqual([["error connection_lost", "failed connection_lost", "disconnected"]]);
  });
});
