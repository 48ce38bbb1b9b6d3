import { expect, test } from "vitest";
import { LIMIT, measure } from "./size.mjs";

const chunks = await measure();

test("an app that only calls carries no more than the limit", () => {
  const first = chunks.filter(({ first }) => first);
  expect(first).toHaveLength(1);
  expect(first[0]?.gzip).toBeLessThanOrEqual(LIMIT);
});

// What is fetched later may not come, in a network that fails or after a new version: no call may depend on it.
test("nothing that a call needs is loaded on demand", () => {
  const later = chunks.flatMap(({ first, modules }) => (first ? [] : modules.map(({ name }) => name)));
  expect(later.sort()).toEqual([
    "http/pastCalls.ts",
    "http/recordings.ts",
    "quality/QualityMonitor.ts",
    "quality/callQuality.ts",
    "quality/limits.ts",
    "quality/mos.ts",
    "quality/preflight.ts",
  ]);
});
