import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { callTime, Elapsed, setInCall } from "./clock.js";

const HOUR = 3_600_000;
const owner = {};

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => {
  setInCall(owner, false);
  vi.useRealTimers();
});

it.each([HOUR, -HOUR])("a call is as long as it is, though the system's clock is set by %d ms", (step) => {
  setInCall(owner, true);
  const began = callTime();
  vi.advanceTimersByTime(5000);
  vi.setSystemTime(Date.now() + step);
  vi.advanceTimersByTime(5000);
  expect(callTime() - began).toBeCloseTo(10_000);
});

it("the next call begins by the system's clock", () => {
  setInCall(owner, true);
  vi.setSystemTime(1_000_000 + HOUR);
  setInCall(owner, false);
  expect(callTime()).toBeCloseTo(1_000_000 + HOUR);
});

it("what has elapsed never goes back, and goes on in sleep", () => {
  const elapsed = new Elapsed();
  const before = elapsed.read();
  vi.setSystemTime(Date.now() - HOUR);
  vi.advanceTimersByTime(3000);
  expect(elapsed.read() - before).toBeCloseTo(3000);
  vi.setSystemTime(Date.now() + HOUR); // asleep
  expect(elapsed.read() - before).toBeCloseTo(3000 + HOUR);
});
