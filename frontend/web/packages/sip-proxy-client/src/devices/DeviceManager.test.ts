import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { settled } from "../testing/fakes.js";
import { DeviceManager, type DeviceState, NO_DEVICES } from "./DeviceManager.js";
import { Microphone } from "./Microphone.js";
import { RemoteAudio } from "./RemoteAudio.js";

const HEADSET = { kind: "audioinput", deviceId: "headset", label: "USB headset" };
const BUILT_IN = { kind: "audioinput", deviceId: "built-in", label: "Built-in microphone" };
const LOUDSPEAKER = { kind: "audiooutput", deviceId: "loud", label: "Loudspeaker" };

/** A browser with devices that come and go; `asked`: the ids that were opened, in order. */
class FakeDevices extends EventTarget {
  there: object[] = [HEADSET, BUILT_IN, LOUDSPEAKER];
  asked: string[] = [];
  refuses = new Map<string, string>(); // id to the error's name
  open = new Set<{ id: string; readyState: string; onended: (() => void) | null; stop(): void }>();

  enumerateDevices = async (): Promise<object[]> => this.there;

  getUserMedia = async ({ audio }: { audio: { deviceId?: { exact: string } } }): Promise<object> => {
    const id = audio.deviceId?.exact ?? "";
    this.asked.push(id);
    await Promise.resolve();
    const refused =
      this.refuses.get(id) ??
      (id && !this.there.some((one) => (one as typeof HEADSET).deviceId === id) ? "OverconstrainedError" : "");
    if (refused) throw new DOMException(id, refused);
    const track = { id, readyState: "live", onended: null, stop: () => void this.open.delete(track) };
    this.open.add(track);
    return { getAudioTracks: () => [track] };
  };

  unplug(gone: typeof HEADSET): void {
    this.there = this.there.filter((one) => one !== gone);
    for (const track of [...this.open]) {
      if (track.id !== gone.deviceId) continue;
      this.open.delete(track);
      track.readyState = "ended";
      track.onended?.();
    }
    this.dispatchEvent(new Event("devicechange"));
  }

  plug(device: typeof HEADSET): void {
    this.there = [...this.there, device];
    this.dispatchEvent(new Event("devicechange"));
  }
}

let world: FakeDevices;
let sinks: string[];
let store: Map<string, string>;

beforeEach(() => {
  world = new FakeDevices();
  store = new Map();
  vi.stubGlobal("navigator", { mediaDevices: world, permissions: { query: async () => ({ state: "granted" }) } });
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => void store.set(key, value),
  });
  sinks = [];
  vi.stubGlobal(
    "Audio",
    class {
      srcObject = null;
      setSinkId = async (id: string): Promise<void> => void sinks.push(id);
    },
  );
});
afterEach(() => vi.unstubAllGlobals());

/** A page. `sent`: the ids of the microphones that went into the call. */
async function page(): Promise<{
  devices: DeviceManager;
  microphone: Microphone;
  state(): DeviceState;
  sent: string[];
}> {
  let state = NO_DEVICES;
  const sent: string[] = [];
  const microphone = new Microphone();
  const onTrack = async (track: MediaStreamTrack): Promise<void> => void sent.push(track.id);
  const devices = new DeviceManager({
    microphone,
    remoteAudio: new RemoteAudio(),
    onChange: (values) => (state = { ...state, ...values }),
    onTrack,
  });
  await settled();
  return { devices, microphone, state: () => state, sent };
}

it("a load opens no microphone, though it may", async () => {
  const { state, microphone } = await page();
  expect([world.asked, state().microphoneOpen, microphone.isGranted]).toEqual([[], false, true]);
});

it("what is chosen counts for the next page too", async () => {
  const first = await page();
  await first.devices.chooseMicrophone("headset");
  first.devices.chooseSpeaker("loud");
  first.devices.chooseRing("loud");
  first.devices.close();
  sinks = [];
  const { state, devices } = await page();
  expect([state().chosen, state().missing]).toEqual([{ microphone: "headset", speaker: "loud", ring: "loud" }, {}]);
  expect(sinks).toEqual(["loud"]);
  expect(await devices.tryMicrophone()).toBeNull();
  expect(world.asked).toEqual(["headset"]);
});

it("what has another id by now is known by its name", async () => {
  const first = await page();
  await first.devices.chooseMicrophone("headset");
  world.there = [{ ...HEADSET, deviceId: "another id" }, BUILT_IN];
  const { state, devices } = await page();
  expect([state().chosen.microphone, state().missing]).toEqual(["another id", {}]);
  await devices.tryMicrophone();
  expect(world.asked).toEqual(["another id"]);
});

it("in a call another microphone takes the place of the one that is unplugged, until that is back", async () => {
  const { devices, state, sent, microphone } = await page();
  await devices.chooseMicrophone("headset");
  await devices.tryMicrophone();
  microphone.retain();
  world.unplug(HEADSET);
  await settled();
  expect([state().chosen.microphone, state().missing, sent]).toEqual([
    "",
    { microphone: "USB headset" },
    ["headset", ""],
  ]);
  world.plug(HEADSET);
  await settled();
  expect([state().chosen.microphone, state().missing, sent.at(-1)]).toEqual(["headset", {}, "headset"]);
  expect(world.open.size).toBe(1);
});

it("voice and ringing come out elsewhere while their device is away", async () => {
  const { devices, state } = await page();
  devices.chooseSpeaker("loud");
  devices.chooseRing("loud");
  world.unplug(LOUDSPEAKER);
  world.plug({ ...LOUDSPEAKER, deviceId: "other", label: "Other" });
  await settled();
  expect([state().chosen, state().missing]).toEqual([
    { microphone: "", speaker: "", ring: "" },
    { speaker: "Loudspeaker", ring: "Loudspeaker" },
  ]);
  world.plug(LOUDSPEAKER);
  await settled();
  expect([state().chosen.ring, state().missing, sinks]).toEqual(["loud", {}, ["loud", "", "loud"]]);
});

it("one that is there and cannot be opened does not silence the call", async () => {
  const { devices, state, sent } = await page();
  await devices.tryMicrophone();
  world.refuses.set("headset", "NotReadableError");
  await devices.chooseMicrophone("headset");
  expect([sent, state().chosen.microphone, state().missing]).toEqual([["", ""], "", { microphone: "USB headset" }]);
  world.refuses.clear();
  await devices.chooseMicrophone("headset");
  expect([sent.at(-1), state().missing]).toEqual(["headset", {}]);
});

it("another one that is chosen while one is being opened is the one that is used", async () => {
  const { devices, sent } = await page();
  const tried = devices.tryMicrophone();
  await devices.chooseMicrophone("headset");
  await tried;
  expect([...world.open].map(({ id }) => id)).toEqual(["headset"]);
  expect(sent.at(-1)).toBe("headset");
});

it("a browser that tells of no devices cannot say that one has gone", async () => {
  const first = await page();
  await first.devices.chooseMicrophone("headset");
  world.there = [];
  expect((await page()).state()).toMatchObject({ chosen: { microphone: "headset" }, missing: {} });
});

it.each([
  [
    "forbidden storage",
    () => {
      throw new DOMException("", "SecurityError");
    },
  ],
  ["what no page has kept", () => '{"microphone": 7, "ring": null}'],
  ["no JSON", () => "{"],
])("%s is as none", async (_, getItem) => {
  vi.stubGlobal("localStorage", { getItem, setItem: getItem });
  const { devices, state } = await page();
  await devices.chooseMicrophone("built-in");
  expect(state().chosen).toEqual({ microphone: "built-in", speaker: "", ring: "" });
});
