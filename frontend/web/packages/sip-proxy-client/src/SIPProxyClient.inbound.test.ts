import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SIPProxyCall } from "./SIPProxyCall.js";
import type { SIPProxyClient } from "./SIPProxyClient.js";
import { fakeWorld, fate, pass, told, type World } from "./testing/clients.js";
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

  it("is answered by the next server at once where the first one died with the answer", async () => {
    const answers = world.proxy.replies.offer!;
    world.proxy.replies.offer = () => [];
    const call = await rings();
    const came = fate(call.answer());
    await settled();
    await world.proxy.vanish();
    const refusal = {
      type: "error",
      code: "unavailable",
      message: "The PBX is not reached yet.",
      callId: "in",
    } as const;
    world.proxy.replies.offer = () => [refusal]; // it knows the call only a moment later
    world.proxy.status = 503;
    world.proxy.reachable = true;
    await pass(600);
    expect(call.state).toBe("connecting");
    world.proxy.replies.offer = answers;
    world.proxy.status = 0;
    const before = world.proxy.of("offer").length;
    world.proxy.ring("in"); // as every server tells whoever registers
    await settled();
    expect(world.proxy.of("offer")).toHaveLength(before + 1);
    expect([came(), call.state]).toEqual(["done", "accepted"]);
    world.proxy.ring("in");
    await settled();
    expect(world.proxy.of("offer"), "the new offer was heard").toHaveLength(before + 1);
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
