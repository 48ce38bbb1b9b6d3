import { beforeEach, describe, expect, it } from "vitest";
import type { ClientMessage } from "../protocol/messages.js";
import type { Codec } from "../state/codec.js";
import { FakePeer } from "../testing/peers.js";
import { MediaPrewarmer } from "./MediaPrewarmer.js";
import type { PeerConnection } from "./PeerConnection.js";

describe("media ahead of a call", () => {
  let sent: ClientMessage[];
  let heard: boolean;
  let codec: Codec | undefined;
  let warm: MediaPrewarmer;
  const peer = (number: number): FakePeer => FakePeer.all[number - 1]!;

  beforeEach(() => {
    FakePeer.all = [];
    sent = [];
    heard = true;
    codec = undefined;
    warm = new MediaPrewarmer({
      preferredCodec: () => codec,
      takePeer: async () => new FakePeer() as unknown as PeerConnection,
      send: (message) => heard && sent.push(message) > 0,
    });
  });

  it("is offered, answered, and the call's", async () => {
    await warm.prepare("call1");
    expect(sent).toEqual([{ type: "prepare-media", callId: "call1", sdp: "offer 1" }]);
    warm.onMessage({ type: "media-prepared", callId: "call1", sdp: "answer" });
    expect(peer(1).answerSdp).toBe("answer");
    expect(warm.take("call1")).toBe(peer(1));
    expect([peer(1).closed, warm.callId, warm.take("call1")]).toEqual([false, null, null]);
  });

  it("is no use once another codec is chosen", async () => {
    codec = "pcmu";
    await warm.prepare("call1");
    expect(sent).toEqual([{ type: "prepare-media", callId: "call1", sdp: "offer 1", prefer: "pcmu" }]);
    warm.onMessage({ type: "media-prepared", callId: "call1", sdp: "answer" });
    codec = undefined;
    expect([warm.take("call1"), peer(1).closed]).toEqual([null, true]);
  });

  it("is made once for each call, and one at a time", async () => {
    await warm.prepare("call1");
    await warm.prepare("call1");
    expect(FakePeer.all.length).toBe(1);
    await warm.prepare("call2");
    expect([peer(1).closed, peer(2).closed, warm.callId]).toEqual([true, false, "call2"]);
  });

  it("is no use before its answer, after its failure, or to another call", async () => {
    await warm.prepare("call1");
    expect(warm.take("call2")).toBe(null);
    expect(warm.take("call1")).toBe(null);
    expect(peer(1).closed).toBe(true);
    await warm.prepare("call3");
    warm.onMessage({ type: "media-prepared", callId: "call3", sdp: "answer" });
    peer(2).become("failed");
    expect(warm.take("call3")).toBe(null);
    expect(sent.at(-1)).toEqual({ type: "discard-media" });
  });

  it("goes when nobody is to be called, when the server says so, and when the call rings no more", async () => {
    await warm.prepare("call1");
    warm.discard();
    warm.discard();
    expect(sent.filter(({ type }) => type === "discard-media").length).toBe(1);
    await warm.prepare("call2");
    warm.onMessage({ type: "media-discarded", callId: "call2", reason: "it was not used" });
    await warm.prepare("call3");
    warm.onMessage({ type: "incoming-ended", callId: "call3", reason: "cancelled" });
    expect(FakePeer.all.map(({ closed }) => closed)).toEqual([true, true, true]);
  });

  it("is not begun where nobody hears", async () => {
    heard = false;
    await warm.prepare("call1");
    expect([peer(1).closed, warm.callId]).toEqual([true, null]);
  });
});
