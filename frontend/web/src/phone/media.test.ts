import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MicrophoneError } from "../media/microphone";
import type { MediaState, Peer } from "../media/peer";
import { settled } from "../testing/fakes";
import type { Call } from "./call";
import { CallMedia } from "./media";

/** A connection that does as the test says. */
class FakePeer {
  static all: FakePeer[] = [];
  state: MediaState = "new";
  answered = false;
  closed = false;
  sends: unknown = null;
  packets = 0;
  answers = 0;
  asked = 0;
  frozen = false; // nothing comes in any more, and nobody answers
  remoteStream = { getTracks: () => ["voice"] };
  private readonly number = FakePeer.all.push(this);
  private listener: () => void = () => undefined;

  offer(listener: () => void): string {
    this.listener = listener;
    return `offer ${this.number}`;
  }

  async answer(): Promise<void> {
    this.answered = true;
  }

  become(state: MediaState): void {
    if (this.closed) return;
    this.state = state;
    this.listener();
  }

  async replaceTrack(track: unknown): Promise<void> {
    this.sends = track;
  }

  async stats(): Promise<Map<string, object>> {
    this.asked++;
    if (!this.frozen) (this.packets += 50, this.answers++);
    return new Map<string, object>([
      ["i", { type: "inbound-rtp", id: "i", kind: "audio", packetsReceived: this.packets }],
      ["p", { type: "candidate-pair", id: "p", nominated: true, requestsSent: this.asked, responsesReceived: this.answers }],
    ]);
  }

  close(): void {
    this.closed = true;
  }
}

let media: CallMedia;
let link: boolean;
let offers: string[];
let shown: Call["media"][];
let unheard: (string | null)[];
let plays: unknown;
let open: number; // calls that hold the microphone
let microphone: () => Promise<MediaStreamTrack>;
let hopeless: number;
let suspicions: number;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakePeer.all = [];
  [link, offers, shown, unheard, plays, open, hopeless, suspicions] = [true, [], [], [], null, 0, 0, 0];
  microphone = async () => "voice" as unknown as MediaStreamTrack;
  media = new CallMedia(
    {
      link: () => link, suspicious: () => suspicions++, held: () => false, offer: (sdp) => (offers.push(sdp), true), changed: (state) => shown.push(state),
      unheard: (problem) => unheard.push(problem), hopeless: () => (hopeless++, media.stop()), quality: () => undefined,
    },
    {
      microphone: { get: () => microphone(), sure: true, hold: () => open++, release: () => open--, setMuted: () => undefined },
      voice: { play: (stream) => (plays = stream), stop: () => (plays = null) },
      peer: async () => new FakePeer() as unknown as Peer,
      meter: () => ({ read: () => 0.5, close: () => undefined }),
    },
  );
});
afterEach(() => {
  media.close();
  vi.useRealTimers();
});

const peer = (number: number): FakePeer => FakePeer.all[number - 1]!;
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function talking(): Promise<void> {
  await media.begin(async (sdp) => (offers.push(sdp), true));
  await media.answered("answer");
  peer(1).become("connected");
  await pass(1100);
  shown.length = offers.length = 0;
}

async function connects(number: number): Promise<void> {
  await media.answered("answer");
  peer(number).become("connected");
  await settled();
}

describe("a call's first connection", () => {
  it("is offered, played and heard", async () => {
    await media.begin(async (sdp) => (offers.push(sdp), true));
    expect([offers, peer(1).sends]).toEqual([["offer 1"], "voice"]);
    await connects(1);
    expect([shown, plays, media.level()]).toEqual([["connected"], peer(1).remoteStream, 0.5]);
  });

  it("waits for its answer as long as the server does", async () => {
    await media.begin(async () => true);
    await pass(60_000);
    expect([offers, hopeless]).toEqual([[], 0]);
  });

  it("is given up after three more tries", async () => {
    await media.begin(async () => true);
    await media.answered("answer");
    for (let second = 0; second < 40; second++) {
      await pass(1000);
      await media.answered("answer");
    }
    expect([offers.length, hopeless, open]).toEqual([3, 1, 0]);
  });

  it("is not made where the call ends before", async () => {
    const begun = media.begin(async () => true);
    media.stop();
    expect(await begun).toBe(true);
    expect([peer(1).closed, media.current]).toEqual([true, null]);
  });

  it("is not made where nobody hears", async () => {
    expect(await media.begin(async () => false)).toBe(false);
    expect(media.current).toBeNull();
  });
});

describe("the sound of a call that stands", () => {
  it("is left alone while it is well, also with nobody to hear us", async () => {
    await talking();
    link = false;
    media.linkLost();
    await pass(60_000);
    link = true;
    media.look();
    await pass(60_000);
    expect([offers, shown]).toEqual([[], []]);
  });

  it("is renewed beside the old one, which plays until the new one is there", async () => {
    await talking();
    peer(1).become("interrupted");
    await settled();
    expect([offers, shown]).toEqual([["offer 2"], ["returning"]]);
    expect([peer(1).closed, plays, peer(2).sends]).toEqual([false, peer(1).remoteStream, "voice"]);
    await connects(2);
    expect([peer(1).closed, plays, media.current === (peer(2) as unknown)]).toEqual([true, peer(2).remoteStream, true]);
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
    media.linkLost();
    await pass(500);
    link = true;
    media.look();
    await settled();
    expect(offers).toEqual(["offer 2"]);
  });

  it("is renewed at once when the server has lost its side", async () => {
    await talking();
    media.lostByServer();
    await settled();
    expect(offers).toEqual(["offer 2"]);
    media.lostByServer(); // said before it had our offer
    await settled();
    expect(offers).toEqual(["offer 2"]);
    await media.answered("answer");
    media.lostByServer(); // the new one has died too
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
    await media.answered("answer");
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
    media.linkLost();
    peer(1).become("failed");
    await pass(20_000);
    expect([offers, shown]).toEqual([[], ["interrupted"]]);
    link = true;
    media.look();
    await settled();
    expect(offers).toEqual(["offer 2"]);
  });

  it("is renewed again where the answer went astray with the link", async () => {
    await talking();
    peer(1).become("failed");
    await settled();
    link = false;
    media.linkLost();
    expect(peer(2).closed).toBe(true);
    await pass(1000);
    link = true;
    media.look();
    await settled();
    expect(offers).toEqual(["offer 2", "offer 3"]);
  });

  it("comes without a microphone where there is none", async () => {
    await talking();
    microphone = async () => Promise.reject(new MicrophoneError("no_microphone"));
    media.lostByServer();
    await settled();
    await connects(2);
    expect([unheard, plays]).toEqual([["no_microphone"], peer(2).remoteStream]);
    await media.send("headset" as unknown as MediaStreamTrack);
    expect([unheard.at(-1), peer(2).sends]).toEqual([null, "headset"]);
  });

  it("is well again after a while: the next trouble is not waited for", async () => {
    await talking();
    for (const number of [2, 3]) {
      media.lostByServer();
      await settled();
      await connects(number);
      await pass(11_000);
    }
    offers.length = 0;
    media.lostByServer();
    await settled();
    expect(offers).toEqual(["offer 4"]);
  });
});

describe("a call that is taken back", () => {
  it("gets its connection once the server hears us", async () => {
    link = false;
    media.adopt();
    await pass(3000);
    expect(offers).toEqual([]);
    link = true;
    media.look();
    await settled();
    expect(offers).toEqual(["offer 1"]);
    await connects(1);
    expect([shown.at(-1), plays, open]).toEqual(["connected", peer(1).remoteStream, 1]);
  });

  it("is never given up", async () => {
    media.adopt();
    await pass(120_000);
    expect([hopeless, offers.length > 10]).toEqual([0, true]);
  });

  it("is let go of silently", async () => {
    media.adopt();
    await settled();
    await connects(1);
    media.stop();
    expect([peer(1).closed, plays, open, media.level()]).toEqual([true, null, 0, 0]);
  });
});
