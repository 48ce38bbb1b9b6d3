import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { RemoteAudio } from "../devices/RemoteAudio.js";
import { TonePlayer } from "../sounds/tones.js";

/** A browser that lets nothing be heard before a press. `presses` on it. */
class FakeBrowser extends EventTarget {
  pressed = false;
  contexts: FakeContext[] = [];
  played: string[] = []; // what the voice's element came to
  press(kind: string): void {
    this.pressed = true;
    this.dispatchEvent(new Event(kind));
  }
}

class FakeContext {
  state = "suspended";
  currentTime = 0;
  destination = { context: this };
  onstatechange: (() => void) | null = null;
  constructor() {
    browser.contexts.push(this);
    if (browser.pressed) this.state = "running";
  }
  resume = async (): Promise<void> => void (browser.pressed && (this.state = "running"));
  close = async (): Promise<void> => void (this.state = "closed");
}

let browser: FakeBrowser;
let blocked: boolean[];
const voice = (): RemoteAudio => new RemoteAudio((one) => one !== (blocked.at(-1) ?? false) && blocked.push(one));
const stream = {} as MediaStream;

beforeEach(() => {
  vi.useFakeTimers();
  browser = new FakeBrowser();
  blocked = [];
  vi.stubGlobal("addEventListener", browser.addEventListener.bind(browser));
  vi.stubGlobal("removeEventListener", browser.removeEventListener.bind(browser));
  vi.stubGlobal("navigator", {
    get userActivation() {
      return { hasBeenActive: browser.pressed };
    },
  });
  vi.stubGlobal("AudioContext", FakeContext);
  vi.stubGlobal(
    "Audio",
    class {
      srcObject = null;
      async play(): Promise<void> {
        browser.played.push(browser.pressed ? "heard" : "refused");
        if (!browser.pressed) throw new DOMException("", "NotAllowedError");
      }
    },
  );
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it.each(["keydown", "mousedown", "pointerup", "touchend"])(
  "a silent page says so from its load on, until a %s",
  async (press) => {
    voice();
    await vi.advanceTimersByTimeAsync(5000);
    expect(blocked).toEqual([true]);
    browser.press(press);
    expect(blocked).toEqual([true, false]);
    expect(browser.contexts.map(({ state }) => state)).toEqual(["closed"]);
  },
);

it("a page that may be heard says nothing, and keeps no context for it", async () => {
  browser.pressed = true;
  voice();
  await vi.advanceTimersByTimeAsync(5000);
  expect([blocked, browser.contexts.map(({ state }) => state)]).toEqual([[], ["closed"]]);
});

it("a page that may be heard a moment later says nothing either", async () => {
  voice();
  const [probe] = browser.contexts;
  if (probe) probe.state = "running";
  probe?.onstatechange?.();
  await vi.advanceTimersByTimeAsync(5000);
  expect(blocked).toEqual([]);
});

it("Firefox is asked, as a context of its stands still where there is no loudspeaker", async () => {
  vi.stubGlobal("navigator", { userActivation: { hasBeenActive: false }, getAutoplayPolicy: () => "allowed" });
  voice();
  await vi.advanceTimersByTimeAsync(5000);
  expect(blocked).toEqual([]);
});

it("a voice that was refused is heard by a press, or as soon as the microphone is open", async () => {
  const far = voice();
  far.play(stream);
  await vi.advanceTimersByTimeAsync(0);
  expect([blocked, browser.played]).toEqual([[true], ["refused"]]);
  browser.press("pointerup");
  await vi.advanceTimersByTimeAsync(0);
  expect([blocked, browser.played]).toEqual([
    [true, false],
    ["refused", "heard"],
  ]);
  browser.pressed = false;
  far.play(stream);
  await vi.advanceTimersByTimeAsync(0);
  browser.pressed = true; // a page that listens may be heard
  far.retry();
  await vi.advanceTimersByTimeAsync(0);
  expect([blocked.at(-1), browser.played.at(-1)]).toEqual([false, "heard"]);
});

it("ringing that was begun in silence is heard from the press on", async () => {
  class FakeNode {
    gain = { setTargetAtTime: () => undefined };
    connect = (): void => undefined;
    disconnect = (): void => undefined;
    start = (): void => undefined;
    stop = (): void => undefined;
  }
  vi.stubGlobal("GainNode", FakeNode);
  vi.stubGlobal("OscillatorNode", FakeNode);
  const sounds = new TonePlayer();
  sounds.play("ringtone");
  await vi.advanceTimersByTimeAsync(3000);
  expect(browser.contexts.map(({ state }) => state)).toEqual(["suspended"]);
  browser.press("keydown");
  await vi.advanceTimersByTimeAsync(0);
  expect(browser.contexts.map(({ state }) => state)).toEqual(["running"]);
  sounds.close();
  expect(browser.contexts.map(({ state }) => state)).toEqual(["closed"]);
});

it("where there is no Web Audio nothing breaks", async () => {
  vi.stubGlobal("AudioContext", undefined);
  voice();
  const sounds = new TonePlayer();
  sounds.play("ringtone");
  sounds.key("5");
  sounds.close();
  await vi.advanceTimersByTimeAsync(5000);
  expect(blocked).toEqual([]);
});
