import { expect, it } from "vitest";
import { loudness } from "../devices/AudioLevelMeter.js";
import { computeQuality, meanOpinion } from "./mos.js";

const report = (received: number, lost: number) => [
  {
    type: "inbound-rtp",
    id: "i",
    kind: "audio",
    packetsReceived: received,
    packetsLost: lost,
    jitter: 0.004,
    codecId: "c",
  },
  { type: "codec", id: "c", mimeType: "audio/opus", clockRate: 48000 },
  { type: "candidate-pair", id: "p", nominated: true, state: "succeeded", currentRoundTripTime: 0.03 },
];

it("reckons loss since the sample before", () => {
  const first = computeQuality(report(100, 0), { received: 0, lost: 0 });
  expect(first.quality).toMatchObject({ lossPercent: 0, codec: "opus 48 kHz", roundTripMs: 30, bars: 4 });
  expect(computeQuality(report(190, 10), first.counters).quality.lossPercent).toBe(10);
});

it("knows nothing before there is media", () => {
  expect(computeQuality([], { received: 0, lost: 0 }).quality).toMatchObject({
    roundTripMs: null,
    codec: "",
    packets: 0,
  });
});

it("scores worse lines lower", () => {
  const scores = [meanOpinion(20, 2, 0), meanOpinion(300, 20, 1), meanOpinion(300, 20, 8)];
  expect([...scores].sort((a, b) => b - a)).toEqual(scores);
});

it("shows silence as nothing and a shout as all", () => {
  expect([loudness(0), loudness(0.0005), loudness(1)]).toEqual([0, 0, 1]);
});
