import { expect, it } from "vitest";
import type { QualityReport } from "../protocol/messages.js";
import type { Quality } from "../state/model.js";
import { CallQuality, QualityReports } from "./callQuality.js";
import { meanOpinion } from "./mos.js";

const good: Quality = {
  roundTripMs: 20,
  jitterMs: 2,
  lossPercent: 0,
  sentLossPercent: null,
  codec: "opus 48 kHz",
  packets: 1,
  mos: 4.4,
  bars: 4,
};
const lossy: Quality = { ...good, lossPercent: 6, mos: 3.9 };

it("warns at three of five samples, and no earlier", () => {
  const call = new CallQuality();
  const told = [lossy, good, lossy, good, lossy].map((sample) => call.addSample(sample));
  expect(told.map(({ raised }) => raised)).toEqual([[], [], [], [], ["loss"]]);
});

it("takes a warning back only after five good samples", () => {
  const call = new CallQuality();
  for (const sample of [lossy, lossy, lossy, good, good, good, good]) call.addSample(sample);
  expect([...call.warnings]).toEqual(["loss"]);
  expect(call.addSample(good).cleared).toEqual(["loss"]);
  expect(call.report()?.warnings).toEqual(["loss"]); // there was one
});

it("knows the four kinds", () => {
  const call = new CallQuality();
  for (let i = 0; i < 3; i++) call.addSample({ ...good, mos: 2.9, roundTripMs: 401, jitterMs: 31, lossPercent: 3.1 });
  expect([...call.warnings]).toEqual(["mos", "rtt", "jitter", "loss"]);
  const edge = new CallQuality();
  for (let i = 0; i < 5; i++) edge.addSample({ ...good, mos: 3, roundTripMs: 400, jitterMs: 30, lossPercent: 3 });
  expect(edge.warnings.size).toBe(0);
});

it("sums a call up", () => {
  const call = new CallQuality();
  expect(call.report()).toBeNull();
  call.addSample({ ...good, roundTripMs: null });
  call.addSample({ ...lossy, roundTripMs: 40, sentLossPercent: 2 });
  expect(call.report()).toMatchObject({
    seconds: 2,
    lossPercent: 3,
    worstLossPercent: 6,
    roundTripMs: 40,
    sentLossPercent: 2,
    worstMos: 3.9,
    codec: "opus 48 kHz",
  });
});

it("tells the server every ten seconds and at the end, all of the call each time", () => {
  const told: [string, QualityReport][] = [];
  const reports = new QualityReports((id, report) => told.push([id, report]));
  for (let second = 0; second <= 12; second++) reports.addSample("a", good, second * 1000);
  reports.end("a");
  reports.end("a");
  expect(told.map(([id, { seconds }]) => [id, seconds])).toEqual([
    ["a", 11],
    ["a", 13],
  ]);
});

it("holds loss against PCMU more than against Opus", () => {
  expect(meanOpinion(40, 5, 5, "PCMU 8 kHz")).toBeLessThan(meanOpinion(40, 5, 5, "opus 48 kHz"));
  expect(meanOpinion(20, 2, 0, "opus 48 kHz")).toBeGreaterThan(4.3);
});
