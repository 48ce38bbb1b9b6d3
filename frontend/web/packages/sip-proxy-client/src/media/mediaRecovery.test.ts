import { describe, expect, it } from "vitest";
import { ATTEMPT_TIMEOUT_MS, attemptIntervalMs, decide, isHealthy, type MediaHealth } from "./mediaRecovery.js";

const NOW = 1_000_000;
const well: MediaHealth = {
  isSignalingReady: true,
  connection: "connected",
  since: 0,
  isDead: false,
  isStalled: false,
  serverAskedAt: 0,
  isHeld: false,
  lostByServer: false,
  wasConnected: true,
  attempts: 0,
  attemptedAt: 0,
  isAttempting: false,
};
const now = (values: Partial<MediaHealth>): ReturnType<typeof decide> => decide({ ...well, ...values }, NOW);

describe("the sound of a call", () => {
  it("is left alone while it is well", () => {
    expect(now({})).toBe("wait");
    expect(isHealthy(well, NOW)).toBe(true);
  });

  it.each([
    ["the page was reloaded", { connection: "none" }],
    ["ICE is interrupted", { connection: "interrupted" }],
    ["ICE has failed", { connection: "failed" }],
    ["nothing comes and nobody answers", { isDead: true }],
    ["the server lost its side", { lostByServer: true }],
    ["ICE does not come to an end", { connection: "connecting", since: NOW - ATTEMPT_TIMEOUT_MS }],
  ] as const)("is renewed when %s", (_, values) => {
    expect(now(values)).toBe("attach");
  });

  it.each([
    ["the offer has no answer yet", { connection: "asked", since: 0 }],
    ["ICE is at work", { connection: "connecting", since: NOW - ATTEMPT_TIMEOUT_MS + 1 }],
    ["the far side holds the call and sends nothing", { isStalled: true, isHeld: true }],
    ["the far side is silent, and the server was asked just now", { isStalled: true, serverAskedAt: NOW - 9999 }],
    ["the far side is silent, and nobody hears us", { isStalled: true, isSignalingReady: false }],
  ] as const)("is waited for when %s", (_, values) => {
    expect(now(values)).toBe("wait");
  });

  it("is asked for where nothing is heard for long: a silence is no loss", () => {
    expect(now({ isStalled: true })).toBe("ask");
    expect(now({ isStalled: true, serverAskedAt: NOW - 10_000 })).toBe("ask");
    expect(now({ isStalled: true, connection: "interrupted" })).toBe("attach");
  });

  it("is never renewed while the server does not hear us", () => {
    for (const connection of ["none", "interrupted", "failed"] as const)
      expect(now({ connection, isSignalingReady: false })).toBe("wait");
    expect(now({ isDead: true, lostByServer: true, isSignalingReady: false })).toBe("wait");
    expect(now({ connection: "failed", isSignalingReady: false, wasConnected: false, attempts: 9 })).toBe("wait");
  });

  it("is renewed by one new connection at a time, which has five seconds", () => {
    expect(
      now({ connection: "failed", isAttempting: true, attempts: 1, attemptedAt: NOW - ATTEMPT_TIMEOUT_MS + 1 }),
    ).toBe("wait");
    expect(now({ connection: "failed", isAttempting: true, attempts: 1, attemptedAt: NOW - ATTEMPT_TIMEOUT_MS })).toBe(
      "abandon",
    );
  });

  it("is renewed with longer and longer pauses", () => {
    expect([0, 1, 2, 3, 4, 50].map(attemptIntervalMs)).toEqual([0, 1000, 2000, 4000, 5000, 5000]);
    expect(now({ connection: "failed", attempts: 2, attemptedAt: NOW - 1999 })).toBe("wait");
    expect(now({ connection: "failed", attempts: 2, attemptedAt: NOW - 2000 })).toBe("attach");
  });

  it("is given up only where there never was any", () => {
    expect(now({ connection: "failed", wasConnected: false, attempts: 2 })).toBe("attach");
    expect(now({ connection: "failed", wasConnected: false, attempts: 3 })).toBe("give-up");
    expect(now({ connection: "failed", attempts: 300 })).toBe("attach");
  });
});
