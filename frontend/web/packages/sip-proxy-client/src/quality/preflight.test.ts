import { expect, it } from "vitest";
import type { Quality } from "../state/model.js";
import { judge } from "./preflight.js";

const good: Quality = {
  roundTripMs: 20,
  jitterMs: 2,
  lossPercent: 0,
  codec: "opus 48 kHz",
  packets: 100,
  mos: 4.4,
  bars: 4,
};

it("judges what came back by the same bounds as a call", () => {
  expect(judge(good)).toMatchObject({ warnings: [] });
  expect(judge(good).mos).toBeGreaterThan(4);
  expect(judge({ ...good, roundTripMs: 900, jitterMs: 40, lossPercent: 20 }).warnings).toEqual([
    "rtt",
    "jitter",
    "loss",
    "mos",
  ]);
  expect(judge(null)).toEqual({ mos: null, warnings: [] });
});
