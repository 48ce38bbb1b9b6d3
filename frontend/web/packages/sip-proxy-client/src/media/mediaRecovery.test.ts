import { describe, expect, it } from "vitest";
import { decide, isWell, pauseOf, TRY_MS, type Standing } from "./mediaRecovery.js";

const NOW = 1_000_000;
const well: Standing = {
  link: true, media: "connected", since: 0, dead: false, still: false, askedAt: 0, held: false, lost: false,
  everHeard: true, tries: 0, triedAt: 0, trying: false,
};
const now = (values: Partial<Standing>): ReturnType<typeof decide> => decide({ ...well, ...values }, NOW);

describe("the sound of a call", () => {
  it("is left alone while it is well", () => {
    expect(now({})).toBe("wait");
    expect(isWell(well, NOW)).toBe(true);
  });

  it.each([
    ["the page was reloaded", { media: "none" }],
    ["ICE is interrupted", { media: "interrupted" }],
    ["ICE has failed", { media: "failed" }],
    ["nothing comes and nobody answers", { dead: true }],
    ["the server lost its side", { lost: true }],
    ["ICE does not come to an end", { media: "connecting", since: NOW - TRY_MS }],
  ] as const)("is renewed when %s", (_, values) => {
    expect(now(values)).toBe("attach");
  });

  it.each([
    ["the offer has no answer yet", { media: "asked", since: 0 }],
    ["ICE is at work", { media: "connecting", since: NOW - TRY_MS + 1 }],
    ["the far side holds the call and sends nothing", { still: true, held: true }],
    ["the far side is silent, and the server was asked just now", { still: true, askedAt: NOW - 9999 }],
    ["the far side is silent, and nobody hears us", { still: true, link: false }],
  ] as const)("is waited for when %s", (_, values) => {
    expect(now(values)).toBe("wait");
  });

  it("is asked for where nothing is heard for long: a silence is no loss", () => {
    expect(now({ still: true })).toBe("ask");
    expect(now({ still: true, askedAt: NOW - 10_000 })).toBe("ask");
    expect(now({ still: true, media: "interrupted" })).toBe("attach");
  });

  it("is never renewed while the server does not hear us", () => {
    for (const media of ["none", "interrupted", "failed"] as const) expect(now({ media, link: false })).toBe("wait");
    expect(now({ dead: true, lost: true, link: false })).toBe("wait");
    expect(now({ media: "failed", link: false, everHeard: false, tries: 9 })).toBe("wait");
  });

  it("is renewed by one new connection at a time, which has five seconds", () => {
    expect(now({ media: "failed", trying: true, tries: 1, triedAt: NOW - TRY_MS + 1 })).toBe("wait");
    expect(now({ media: "failed", trying: true, tries: 1, triedAt: NOW - TRY_MS })).toBe("abandon");
  });

  it("is renewed with longer and longer pauses", () => {
    expect([0, 1, 2, 3, 4, 50].map(pauseOf)).toEqual([0, 1000, 2000, 4000, 5000, 5000]);
    expect(now({ media: "failed", tries: 2, triedAt: NOW - 1999 })).toBe("wait");
    expect(now({ media: "failed", tries: 2, triedAt: NOW - 2000 })).toBe("attach");
  });

  it("is given up only where there never was any", () => {
    expect(now({ media: "failed", everHeard: false, tries: 2 })).toBe("attach");
    expect(now({ media: "failed", everHeard: false, tries: 3 })).toBe("give-up");
    expect(now({ media: "failed", tries: 300 })).toBe("attach");
  });
});
