import type { Api } from "sip-proxy-client";
import { expect, it } from "vitest";
import { limitName, limitText, openNow, QUESTIONS } from "./admin";

const user = (calls: number, connections: number): Api.UserData =>
  ({ name: "1002", calls, connections }) as Api.UserData;

it("says what a user has open", () => {
  expect(openNow(user(0, 0))).toBe("");
  expect(openNow(user(1, 0))).toBe("1002 has one call in progress.");
  expect(openNow(user(2, 1))).toBe("1002 has 2 calls in progress and one page open.");
  expect(openNow(user(0, 3))).toBe("1002 has 3 pages open.");
});

it("says before it is done what becomes of calls, and nothing of calls that there are none of", () => {
  for (const [kind, question] of Object.entries(QUESTIONS)) {
    const ends = kind === "lock" || kind === "remove";
    expect(question(user(1, 1)).sentences.join(" ")).toContain(ends ? "ends the call" : "The call goes on");
    expect(question(user(2, 1)).sentences.join(" ")).toContain(ends ? "ends the calls" : "The calls go on");
    expect(question(user(0, 0)).sentences.join(" ")).not.toMatch(/the call|in progress/i);
  }
});

it("says how much of a limit is used, and never more than it is", () => {
  const minutes: Api.LimitUsageData = {
    what: "minutes_per_day",
    numberClass: "shared_cost",
    used: 59.99,
    limit: 60,
    rule: "MAX_MINUTES_PER_DAY shared_cost",
  };
  expect(`${limitName(minutes)}: ${limitText(minutes)}`).toBe("Minutes talked today, shared cost: 59 of 60");
});
