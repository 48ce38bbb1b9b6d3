import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MicrophoneError } from "../devices/Microphone.js";
import type { Call } from "../state/model.js";
import { having, talking as someCall } from "../testing/calls.js";
import { settled } from "../testing/fakes.js";
import { FakePeer, track } from "../testing/peers.js";
import { CallMedia } from "./CallMedia.js";
import type { PeerConnection } from "./PeerConnection.js";

let media: CallMedia;
let link: boolean;
let offers: string[];
let shown: Call["media"][];
let microphoneProblems: (string | null)[];
let held: boolean;
let open: number; // calls that hold the microphone
let microphone: () => Promise<MediaStreamTrack>;
let failures: number;
let suspicions: number;
let sounds: number;
let asked: number;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakePeer.all = [];
  [link, offers, shown, microphoneProblems, held, open, failures, suspicions, sounds, asked] = [
    true,
    [],
    [],
    [],
    false,
    0,
    0,
    0,
    0,
    0,
  ];
  const voice = track("voice");
  microphone = async () => voice;
  media = new CallMedia("c1", {
    state: () => having(someCall({ held })),
    dispatch(action) {
      if (action.type === "media") shown.push(action.state);
      else if (action.type === "microphone") microphoneProblems.push(action.problem);
      else if (action.type === "far-audio") sounds++;
    },
    send: ({ type }) => (type === "check-media" && asked++, true),
    isSignalingReady: () => link,
    onPacketsMissing: () => suspicions++,
    sendOffer: (_, sdp) => (offers.push(sdp), true),
    onMediaFailed: () => (failures++, media.close()),
    onRemoteStream: () => undefined,
    onStats: () => undefined,
    microphone: { get: () => microphone(), isGranted: true, retain: () => open++, release: () => open-- },
    takePeer: async () => new FakePeer() as unknown as PeerConnection,
    prepareNext: () => undefined,
  });
  media.setTransmitting(true);
});
afterEach(() => {
  media.close();
  vi.useRealTimers();
});

/** What plays. */
const plays = (): unknown => media.remoteStream;
const peer = (number: number): FakePeer => FakePeer.all[number - 1]!;
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function talking(): Promise<void> {
  await media.start(async (sdp) => (offers.push(sdp), true));
  await media.onAnswer("answer");
  peer(1).become("connected");
  await pass(1100);
  shown.length = offers.length = 0;
}

async function connects(number: number): Promise<void> {
  await media.onAnswer("answer");
  peer(number).become("connected");
  await settled();
}

describe("the first sound of the other side", () => {
  it("is noticed once, within a tenth of a second", async () => {
    await media.start(async () => true);
    await media.onAnswer("answer");
    peer(1).still = true;
    peer(1).become("connected");
    await pass(2000);
    expect(sounds).toBe(0);
    peer(1).still = false;
    await pass(101);
    expect(sounds).toBe(1);
    await pass(2000);
    expect(sounds).toBe(1);
  });
});

describe("a connection that was made ahead of the call", () => {
  async function begun(state: "connected" | "new"): Promise<FakePeer> {
    const warm = new FakePeer();
    await warm.answer("answer");
    warm.state = state;
    await media.start(async (sdp) => (offers.push(sdp), true), warm as unknown as PeerConnection);
    return warm;
  }

  it("is played at once, and gets the microphone", async () => {
    const warm = await begun("connected");
    expect([offers, plays(), warm.sends?.name, shown]).toEqual([
      ["offer 1"],
      warm.remoteStream,
      "copy of voice",
      ["connected"],
    ]);
    await media.onAnswer("answer"); // the server says it again
    expect(offers.length).toBe(1);
  });

  it("may still be connecting", async () => {
    const warm = await begun("new");
    warm.become("connected");
    expect(shown).toEqual(["connected"]);
  });

  it("is renewed where the server has lost it", async () => {
    await begun("connected");
    await media.onAnswer("the answer of another leg");
    await pass(5000);
    expect(offers).toEqual(["offer 1", "offer 2"]);
  });
});

describe("a call's first connection", () => {
  it("is offered, played and heard", async () => {
    await media.start(async (sdp) => (offers.push(sdp), true));
    expect([offers, peer(1).sends?.name]).toEqual([["offer 1"], "copy of voice"]);
    await connects(1);
    expect([shown, plays()]).toEqual([["connected"], peer(1).remoteStream]);
  });

  it("waits for its answer as long as the server does", async () => {
    await media.start(async () => true);
    await pass(60_000);
    expect([offers, failures]).toEqual([[], 0]);
  });

  it("is given up after three more tries", async () => {
    await media.start(async () => true);
    await media.onAnswer("answer");
    for (let second = 0; second < 40; second++) {
      await pass(1000);
      await media.onAnswer("answer");
    }
    expect([offers.length, failures, open]).toEqual([3, 1, 0]);
  });

  it("is not made where the call ends before", async () => {
    const begun = media.start(async () => true);
    media.close();
    expect(await begun).toBe(true);
    expect([peer(1).closed, media.current]).toEqual([true, null]);
  });

  it("is not made where nobody hears", async () => {
    expect(await media.start(async () => false)).toBe(false);
    expect(media.current).toBeNull();
  });
});

describe("the sound of a call that stands", () => {
  it("is left alone while it is well, also with nobody to hear us", async () => {
    await talking();
    link = false;
    media.onSignalingLost();
    await pass(60_000);
    link = true;
    media.check();
    await pass(60_000);
    expect([offers, shown]).toEqual([[], []]);
  });

  it("is renewed beside the old one, which plays until the new one is there", async () => {
    await talking();
    peer(1).become("interrupted");
    await settled();
    expect([offers, shown]).toEqual([["offer 2"], ["returning"]]);
    expect([peer(1).closed, plays(), peer(2).sends?.name]).toEqual([false, peer(1).remoteStream, "copy of voice"]);
    await connects(2);
    expect([peer(1).closed, plays(), media.current === (peer(2) as unknown)]).toEqual([
      true,
      peer(2).remoteStream,
      true,
    ]);
    expect(shown).toEqual(["returning", "connected"]);
  });

  it("is renewed within three seconds after the last packet", async () => {
    await talking();
    peer(1).frozen = true;
    await pass(1000);
    expect([offers, suspicions]).toEqual([[], 1]); // is it the path?
    await pass(2000);
    expect([offers, suspicions]).toEqual([["offer 2"], 1]);
  });

  it("is renewed as soon as signalling is back, where both were lost with the path", async () => {
    await talking();
    peer(1).frozen = true;
    await pass(1000);
    link = false;
    media.onSignalingLost();
    await pass(500);
    link = true;
    media.check();
    await settled();
    expect(offers).toEqual(["offer 2"]);
  });

  it("is renewed at once when the server has lost its side", async () => {
    await talking();
    media.onLostByServer();
    await settled();
    expect(offers).toEqual(["offer 2"]);
    media.onLostByServer(); // said before it had our offer
    await settled();
    expect(offers).toEqual(["offer 2"]);
    await media.onAnswer("answer");
    media.onLostByServer(); // the new one has died too
    await pass(1000);
    expect([offers, peer(2).closed]).toEqual([["offer 2", "offer 3"], true]);
  });

  it("is renewed by one try at a time, with pauses", async () => {
    await talking();
    peer(1).become("failed");
    await settled();
    await pass(4900);
    expect(offers.length).toBe(1);
    await pass(100);
    await media.onAnswer("answer");
    peer(2).become("failed"); // known at once, and still paced
    const at: number[] = [];
    for (let ms = 0; ms < 30_000; ms += 250) {
      const before = offers.length;
      await pass(250);
      if (offers.length === before) continue;
      at.push(ms);
      peer(Number(offers.at(-1)?.split(" ")[1])).become("failed");
    }
    expect(at.slice(1).map((ms, index) => ms - at[index]!)).toEqual([2000, 4000, 5000, 5000, 5000, 5000]);
    expect(FakePeer.all.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(3); // old, new, prepared
  });

  it("is renewed only when the server hears us again", async () => {
    await talking();
    link = false;
    media.onSignalingLost();
    peer(1).become("failed");
    await pass(20_000);
    expect([offers, shown]).toEqual([[], ["interrupted"]]);
    link = true;
    media.check();
    await settled();
    expect(offers).toEqual(["offer 2"]);
  });

  it("is renewed again where the answer went astray with the link", async () => {
    await talking();
    peer(1).become("failed");
    await settled();
    link = false;
    media.onSignalingLost();
    expect(peer(2).closed).toBe(true);
    await pass(1000);
    link = true;
    media.check();
    await settled();
    expect(offers).toEqual(["offer 2", "offer 3"]);
  });

  it("comes without a microphone where there is none", async () => {
    await talking();
    microphone = async () => Promise.reject(new MicrophoneError("no_microphone"));
    media.onLostByServer();
    await settled();
    await connects(2);
    expect([microphoneProblems.at(-1), plays()]).toEqual(["no_microphone", peer(2).remoteStream]);
    await media.setMicrophone(track("headset"));
    expect([microphoneProblems.at(-1), peer(2).sends?.name]).toEqual([null, "copy of headset"]);
  });

  it("is well again after a while: the next trouble is not waited for", async () => {
    await talking();
    for (const number of [2, 3]) {
      media.onLostByServer();
      await settled();
      await connects(number);
      await pass(11_000);
    }
    offers.length = 0;
    media.onLostByServer();
    await settled();
    expect(offers).toEqual(["offer 4"]);
  });
});

describe("a call that is taken back", () => {
  it("gets its connection once the server hears us", async () => {
    link = false;
    media.resume();
    await pass(3000);
    expect(offers).toEqual([]);
    link = true;
    media.check();
    await settled();
    expect(offers).toEqual(["offer 1"]);
    await connects(1);
    expect([shown.at(-1), plays(), open]).toEqual(["connected", peer(1).remoteStream, 1]);
  });

  it("is never given up", async () => {
    media.resume();
    await pass(120_000);
    expect([failures, offers.length > 10]).toEqual([0, true]);
  });

  it("is let go of silently", async () => {
    media.resume();
    await settled();
    await connects(1);
    media.close();
    expect([peer(1).closed, plays(), open, peer(1).sends?.stopped]).toEqual([true, null, 0, true]);
  });
});

describe("the microphone", () => {
  it("goes in only while the call is talked on, also after it was changed", async () => {
    await talking();
    media.setTransmitting(false);
    expect(peer(1).sends).toMatchObject({ enabled: false, stopped: false });
    const before = peer(1).sends;
    await media.setMicrophone(track("headset"));
    expect([peer(1).sends?.name, peer(1).sends?.enabled, before?.stopped]).toEqual(["copy of headset", false, true]);
    media.setTransmitting(true);
    expect(peer(1).sends?.enabled).toBe(true);
  });

  it("is muted from the first packet on, where the call is taken back muted", async () => {
    media.setTransmitting(false);
    media.resume();
    await settled();
    await connects(1);
    expect(peer(1).sends?.enabled).toBe(false);
  });
});

describe("a far side that is silent", () => {
  it("is asked about, and the connection is left alone", async () => {
    await talking();
    peer(1).still = true;
    await pass(60_000);
    expect([offers, shown, asked]).toEqual([[], [], 6]);
  });

  it("whose sound does not come through costs a new connection", async () => {
    await talking();
    peer(1).still = true;
    await pass(12_000);
    media.onServerHasMedia();
    await settled();
    expect(offers).toEqual(["offer 2"]);
  });

  it("who speaks again meanwhile does not", async () => {
    await talking();
    peer(1).still = true;
    await pass(12_000);
    peer(1).still = false;
    await pass(600);
    media.onServerHasMedia();
    expect(offers).toEqual([]);
  });
});

describe("on hold", () => {
  /** The path answers, and nothing is sent. */
  const music = (on: boolean): void => {
    held = on;
    peer(1).still = on;
    media.check();
  };

  it("no packets come for as long as it lasts, and nothing is done about it", async () => {
    await talking();
    music(true);
    await pass(600_000);
    expect([offers, shown, suspicions]).toEqual([[], [], 0]);
  });

  it("a lost link alone renews nothing", async () => {
    await talking();
    music(true);
    await pass(30_000);
    link = false;
    media.onSignalingLost();
    await pass(1000);
    link = true;
    media.check();
    await pass(1000);
    expect([offers, shown]).toEqual([[], []]);
  });

  it("a dead path is noticed all the same", async () => {
    await talking();
    music(true);
    await pass(30_000);
    peer(1).frozen = true;
    await pass(5000);
    expect(offers).toEqual(["offer 2"]);
  });

  it("packets are expected again from its end on, not from its beginning", async () => {
    await talking();
    music(true);
    await pass(60_000);
    music(false);
    await pass(5000);
    expect([offers, shown]).toEqual([[], []]);
  });
});
