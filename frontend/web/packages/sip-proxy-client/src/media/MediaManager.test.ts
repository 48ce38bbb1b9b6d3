import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PhoneAction, PhoneState } from "../state/model.js";
import { phoneReducer } from "../state/phoneReducer.js";
import { having, talking } from "../testing/calls.js";
import { settled } from "../testing/fakes.js";
import { FakePeer, track } from "../testing/peers.js";
import { MediaManager } from "./MediaManager.js";
import type { PeerConnection } from "./PeerConnection.js";

let state: PhoneState;
let lines: MediaManager;
let plays: unknown;
let offers: string[];

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakePeer.all = [];
  [plays, offers] = [null, []];
  state = having(talking(), talking({ id: "c2", held: true }));
  const microphone = track("voice");
  lines = new MediaManager({
    microphone: { get: async () => microphone, isGranted: true, retain: () => undefined, release: () => undefined },
    remoteAudio: { play: (stream) => (plays = stream), stop: () => (plays = null) },
    preparePeer: async () => new FakePeer() as unknown as PeerConnection,
    levelMeter: () => ({ read: () => 0.5, close: () => undefined }),
    isSignalingReady: () => true,
    onPacketsMissing: () => undefined,
    onStats: () => undefined,
    onMediaFailed: () => undefined,
    state: () => state,
    send: () => true,
    dispatch: (event) => (state = phoneReducer(state, event)),
    sendOffer: (id) => (offers.push(id), true),
  });
  for (const id of ["c1", "c2"]) {
    lines.open(id).resume();
    await settled();
    await lines.get(id)?.onAnswer("answer");
    FakePeer.all.find(({ answered, state: stands }) => answered && stands === "new")?.become("connected");
    await settled();
  }
});
afterEach(() => {
  lines.close();
  vi.useRealTimers();
});

const peer = (id: string): FakePeer => lines.get(id)?.current as unknown as FakePeer;
const open = (): FakePeer[] => FakePeer.all.filter(({ closed }) => !closed);
const sends = (id: string): boolean | undefined => peer(id).sends?.enabled;

function happens(...events: PhoneAction[]): void {
  state = events.reduce(phoneReducer, state);
  lines.sync(state);
}

describe("two calls", () => {
  it("have a connection each; the microphone and the ear are the active one's", () => {
    expect([offers, sends("c1"), sends("c2"), plays]).toEqual([["c1", "c2"], true, false, peer("c1").remoteStream]);
    expect(lines.outputLevel()).toBe(0.5);
  });

  it("are swapped, and nothing is negotiated for it", () => {
    happens(
      { type: "activated", id: "c2" },
      { type: "requested", id: "c1", request: { kind: "hold", held: true } },
      { type: "requested", id: "c2", request: { kind: "hold", held: false } },
    );
    expect([sends("c1"), sends("c2"), plays, offers.length]).toEqual([false, true, peer("c2").remoteStream, 2]);
  });

  it("are muted each for itself", async () => {
    happens({ type: "muted", id: "c1", muted: true });
    expect(sends("c1")).toBe(false);
    await lines.setMicrophone(track("headset"));
    expect([sends("c1"), sends("c2"), peer("c1").sends?.name]).toEqual([false, false, "copy of headset"]);
    happens({ type: "muted", id: "c1", muted: false });
    expect([sends("c1"), sends("c2")]).toEqual([true, false]);
  });

  it("end each for itself: the one that is left is heard, and not talked on until it is taken back", () => {
    const [first, second] = [peer("c1"), peer("c2")];
    happens({ type: "hangup-pressed", id: "c1", at: 9 });
    expect([first.closed, first.sends?.stopped, lines.get("c1"), plays, sends("c2")]).toEqual([
      true,
      true,
      null,
      second.remoteStream,
      false,
    ]);
    happens({ type: "requested", id: "c2", request: { kind: "hold", held: false } });
    expect(sends("c2")).toBe(true);
    happens({ type: "hangup-pressed", id: "c2", at: 9 });
    expect([second.closed, plays, lines.outputLevel()]).toEqual([true, null, 0]);
  });

  it("leave one connection ready for the next", () => {
    happens();
    expect(open().length).toBe(3);
  });
});
