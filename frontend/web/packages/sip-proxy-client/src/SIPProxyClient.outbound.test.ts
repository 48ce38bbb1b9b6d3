import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SIPProxyClient } from "./SIPProxyClient.js";
import type { CallEnd } from "./stateEvents.js";
import { fakeWorld, fate, pass, told, type World } from "./testing/clients.js";
import { settled } from "./testing/fakes.js";
import { FakeConnection } from "./testing/page.js";
import { track } from "./testing/peers.js";
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

describe("a call from here", () => {
  it("tells its life in order", async () => {
    const call = client.call(" 600 ");
    const events = told(call);
    expect([call.state, call.direction, call.number, call.error]).toEqual(["connecting", "outbound", "600", null]);
    await settled();
    expect(world.proxy.of("offer")).toMatchObject([{ target: "600", callId: call.id, caller: "1001" }]);
    world.proxy.say(
      state(call.id, "ringing"),
      state(call.id, "early"),
      state(call.id, "ringing"),
      state(call.id, "trying"),
      state(call.id, "early"),
    );
    expect(events).toEqual(["ringing"]);
    world.proxy.say(state(call.id, "accepted"), state(call.id, "accepted"));
    expect([call.state, call.isActive, client.activeCall]).toEqual(["accepted", true, call]);
    await pass(3000);
    const ends: CallEnd[] = [];
    call.on("disconnected", (end) => ends.push(end));
    world.proxy.say(
      state(call.id, "ended", { outcome: "completed", q850: 16, sip: 200 }),
      state(call.id, "ended", { outcome: "busy" }),
    );
    expect(events).toEqual(["ringing", "accepted", "connected", "ended", "disconnected"]);
    expect(ends).toEqual([{ outcome: "completed", error: null, seconds: 3, q850: 16, sip: 200 }]);
    expect([call.state, call.error, client.calls, client.find(call.id)]).toEqual(["ended", null, [], null]);
  });

  it("fails in plain words", async () => {
    const call = client.call("600", { audio: true, video: false, recording: false });
    const events = told(call);
    await settled();
    world.proxy.say(state(call.id, "ended", { outcome: "busy", q850: 17, sip: 486, reason: "User busy" }));
    expect(events).toEqual(["error busy", "failed busy", "disconnected"]);
    expect(call.error).toMatchObject({ code: "busy", fatal: true });
  });

  describe("as a promise", () => {
    const last = (): string => client.state.calls.at(-1)!.id;

    it.each(["ringing", "early", "accepted"] as const)("holds when the other side does: %s", async (how) => {
      const promise = client.createCall({ target: "600", options: { audio: true, video: false, recording: false } });
      const came = fate(promise);
      await settled();
      world.proxy.say(state(last(), "trying"));
      await settled();
      expect(came()).toBe("");
      world.proxy.say(state(last(), how));
      const call = await promise;
      expect([call.id, client.activeCall]).toEqual([last(), call]);
    });

    it("tells who waited for it what was told meanwhile, once", async () => {
      const promise = client.createCall({ target: "601" });
      await settled();
      world.proxy.say(state(last(), "accepted"));
      const call = await promise;
      const told: string[] = [];
      call.on("connected", () => told.push("connected"));
      call.once("accepted", () => told.push("accepted"));
      call.on("ringing", () => told.push("ringing"));
      call.on("accepted", () => told.push("nothing"))();
      await settled();
      expect(told).toEqual(["connected", "accepted"]);
      await pass(1);
      call.on("connected", () => told.push("late"));
      await settled();
      world.proxy.say(state(call.id, "accepted"));
      expect(told).toEqual(["connected", "accepted"]);
    });

    it("lets who does not wait listen at once, and hang up", async () => {
      const promise = client.createCall({ target: "600" });
      const told: string[] = [];
      promise.on("connected", () => told.push("connected"));
      promise.on("disconnected", () => told.push("disconnected"));
      await settled();
      world.proxy.say(state(last(), "accepted"));
      promise.hangup();
      await settled();
      expect(told).toEqual(["connected", "disconnected"]);
    });

    it.each(["busy", "unreachable", "forbidden", "failed_pbx", "no_answer", "rejected", "failed_media"] as const)(
      "is rejected by what ended it before it rang: %s",
      async (outcome) => {
        const promise = client.createCall({ target: "600" });
        await settled();
        world.proxy.say(state(last(), "ended", { outcome }));
        await expect(promise).rejects.toMatchObject({ name: "SIPProxyError", code: outcome, fatal: true });
      },
    );

    it("is rejected where it was given up before it rang", async () => {
      const promise = client.createCall({ target: "600" });
      await settled();
      promise.hangup();
      await expect(promise).rejects.toMatchObject({ code: "cancelled" });
    });

    it.each(["", "  ", "6&7", "600@other", "not a number"])(
      "is rejected for a number that is none, by one rule: %j",
      async (target) => {
        await expect(client.createCall({ target })).rejects.toMatchObject({ code: "invalid_target" });
        expect(world.proxy.of("offer")).toEqual([]);
      },
    );

    it("is rejected for a number that only the server knows to be none", async () => {
      const promise = client.createCall({ target: "600" });
      await settled();
      world.proxy.say({ type: "error", code: "invalid_target", message: "There is no such number.", callId: last() });
      await expect(promise).rejects.toMatchObject({ code: "invalid_target", message: "There is no such number." });
    });

    it("is rejected without a microphone", async () => {
      world.page.microphone.open = async () => {
        throw new DOMException("no", "NotAllowedError");
      };
      await expect(client.createCall({ target: "600" })).rejects.toMatchObject({ code: "microphone_blocked" });
    });

    it("is rejected where there are too many, with video, and after the end", async () => {
      await expect(client.createCall({ target: "600", options: { video: true } })).rejects.toMatchObject({
        code: "unsupported",
      });
      for (const target of ["1", "2", "3"]) client.call(target);
      await expect(client.createCall({ target: "4" })).rejects.toMatchObject({ code: "too_many" });
      client.close();
      await expect(client.createCall({ target: "4" })).rejects.toMatchObject({ code: "closed" });
    });

    it("is rejected where the server is not there", async () => {
      const other = world.client({ proxyUrl: "https://other.example" });
      world.proxy.reachable = false;
      const came = fate(other.createCall({ target: "600" }));
      await pass(20_000);
      expect(came()).toBe("not_connected");
    });

    it("is rejected where the sign-in is", async () => {
      world.proxy.authentication = true;
      const other = world.client({ credentials: { user: "1001", password: "wrong" } });
      await expect(other.createCall({ target: "600" })).rejects.toMatchObject({ code: "unauthorized" });
    });
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
    expect(() => client.call("600@other")).toThrow(
      expect.objectContaining({ code: "invalid_target", message: expect.stringContaining("it has “@”") as string }),
    );
    for (const target of ["1", "2", "3"]) client.call(target);
    expect(() => client.call("4")).toThrow(expect.objectContaining({ code: "too_many" }));
    expect(client.calls).toHaveLength(3);
  });

  it("takes the number as it was pasted", async () => {
    const call = client.call("\u202a+49\u00a0(0)30\u20131234\u202c");
    await settled();
    expect([call.number, world.proxy.of("offer").at(-1)]).toEqual([
      "+49301234",
      expect.objectContaining({ target: "+49301234" }),
    ]);
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
    expect(
      FakeConnection.open.some(({ sends }) => (sends as { name?: string } | null)?.name === "copy of silence"),
    ).toBe(true);
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
    expect(FakeConnection.open.some(({ sends }) => (sends as { name?: string } | null)?.name === "copy of music")).toBe(
      true,
    );
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
