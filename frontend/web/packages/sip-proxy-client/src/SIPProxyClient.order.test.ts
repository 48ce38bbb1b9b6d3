// Whatever a listener does, and whenever: what it was told before comes before, and nothing comes after the end.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CallEvents, SIPProxyCall } from "./SIPProxyCall.js";
import { fakeWorld, pass, told, type World } from "./testing/clients.js";
import { settled } from "./testing/fakes.js";
import { state, summary } from "./testing/proxy.js";

let world: World;
let reported: unknown[];
beforeEach(() => {
  world = fakeWorld();
  reported = [];
  vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
});
afterEach(async () => {
  await world.end();
  expect(world.unhandled).toEqual([]);
});

/** A call in which everything happens; gives what it told. `listen` comes before all. */
async function life(listen: (call: SIPProxyCall) => void): Promise<string[]> {
  const client = world.client();
  await client.register();
  const { proxy } = world;
  const call = client.call("600");
  const { id } = call;
  listen(call);
  const events = told(call);
  call.on("stateChanged", ({ phase }) => events.push(`stateChanged ${phase}`));
  await settled();
  proxy.say(state(id, "ringing"), state(id, "accepted"));
  await pass(200);
  void call.hold();
  proxy.say({ type: "hold", callId: id, held: true, by: "us" });
  for (const held of [true, false]) proxy.say({ type: "hold", callId: id, held, by: "far" });
  void call.unhold();
  proxy.say({ type: "hold", callId: id, held: false, by: "us" });
  call.mute();
  call.unmute();
  void call.record("start");
  proxy.say(
    { type: "error", code: "forbidden", message: "No.", callId: id },
    { type: "dtmf", callId: id, digits: "1" },
  );
  void call.addParty("601");
  proxy.say({ type: "party", callId: id, party: 2, number: "601", name: "", state: "ended", outcome: "busy" });
  proxy.calls = call.state === "ended" ? [] : [summary(id)];
  await proxy.vanish();
  proxy.reachable = true;
  await pass(3000);
  void call.transfer("602");
  proxy.say({ type: "transfer-failed", callId: id, target: "602", outcome: "busy", reason: "" });
  void call.transfer("602");
  proxy.say({ type: "transferred", callId: id, target: "602" }, state(id, "ended", { outcome: "transferred" }));
  await pass(3000);
  return events;
}

const WHOLE: (keyof CallEvents)[] = [
  "ringing",
  "accepted",
  "connected",
  "hold",
  "mute",
  "recording",
  "error",
  "dtmf",
  "party",
  "reconnecting",
  "reconnected",
  "transferring",
  "transferFailed",
  "transferred",
  "ended",
  "disconnected",
  "stateChanged",
];

const name = (event: string): string => event.split(" ")[0]!;

function isInOrder(events: readonly string[]): void {
  const once = events
    .map(name)
    .filter((one) => ["ringing", "accepted", "connected", "ended", "failed", "disconnected"].includes(one));
  expect(new Set(once).size).toBe(once.length);
  const over = events.findIndex((event) => ["ended", "failed"].includes(name(event)));
  expect(events.slice(over + 1)).toEqual(["disconnected", "stateChanged ended"]);
  for (const pair of [
    ["reconnecting", "reconnected"],
    ["mute true", "mute false"],
    ["hold true us", "hold false us"],
    ["hold true far", "hold false far"],
  ]) {
    const told = events.filter((event) => pair.includes(event));
    for (const [index, event] of told.entries()) expect(event).toBe(pair[index % 2]);
  }
}

describe("a listener", () => {
  let whole: string[];
  it("hears all that there is", async () => {
    whole = await life(() => undefined);
    isInOrder(whole);
    expect(new Set(whole.map(name))).toEqual(new Set(WHOLE));
  });

  it.each(WHOLE)("that throws at `%s` changes nothing", async (at) => {
    const events = await life((call) =>
      call.on(at, () => {
        throw new Error("mine");
      }),
    );
    expect(events).toEqual(whole);
    expect(reported.length).toBeGreaterThan(0);
  });

  it.each(WHOLE)("that hangs up at `%s` ends it in order", async (at) => {
    const events = await life((call) => call.on(at, () => call.hangup()));
    isInOrder(events);
  });

  it.each(WHOLE)("that closes the client at `%s` ends it in order", async (at) => {
    const events = await life((call) => call.on(at, () => client(call).close()));
    isInOrder(events);
  });

  it.each(WHOLE)("that holds at `%s` has it in order", async (at) => {
    isInOrder(await life((call) => call.on(at, () => void call.hold())));
  });
});

/** The client of the one call that there is. */
function client(call: SIPProxyCall): { close(): void } {
  return (
    world.clients.find((one) => one.find(call.id) === call || one.state.lastEndedCall?.id === call.id) ?? {
      close: () => undefined,
    }
  );
}
