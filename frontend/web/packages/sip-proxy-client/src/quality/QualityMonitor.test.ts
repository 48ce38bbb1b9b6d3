import { expect, it } from "vitest";
import type { QualityReport } from "../protocol/messages.js";
import { QualityMonitor } from "./QualityMonitor.js";

const figures = (received: number, lost: number) => [
  { type: "inbound-rtp", id: "i", kind: "audio", packetsReceived: received, packetsLost: lost },
];

it("reckons loss by what one connection has counted", () => {
  const measuring = new QualityMonitor(() => undefined);
  const [first, second] = [{}, {}];
  expect(measuring.addSample("a", first, figures(50, 0), 0).quality.lossPercent).toBe(0);
  expect(measuring.addSample("a", first, figures(90, 10), 1000).quality.lossPercent).toBe(20);
  expect(measuring.addSample("a", second, figures(75, 25), 2000).quality.lossPercent).toBe(25); // it counts from its own beginning
});

it("keeps calls apart, and forgets those that have ended once it has told of them", () => {
  const told: [string, QualityReport][] = [];
  const measuring = new QualityMonitor((id, report) => told.push([id, report]));
  for (let second = 0; second < 3; second++) measuring.addSample("a", {}, figures(80, 20), second * 1000);
  measuring.addSample("b", {}, figures(50, 0), 0);
  expect(measuring.warnings("a")).toContain("loss");
  expect([measuring.warnings("b"), measuring.warnings(null)]).toEqual([[], []]);
  measuring.end("a");
  expect([measuring.quality("a"), measuring.quality("b")?.lossPercent, measuring.quality(null)]).toEqual([
    null,
    0,
    null,
  ]);
  expect(told.map(([id, { seconds }]) => [id, seconds])).toEqual([["a", 3]]);
});
