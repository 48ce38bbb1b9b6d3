import { describe, expect, it } from "vitest";
import { byParty, isMissed, matches, remember, type HistoryEntry } from "./history";

const entry = (number: string, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  number, name: "", direction: "outbound", at: 0, seconds: 10, outcome: "completed", ...more,
});

describe("history", () => {
  it("groups by party, the newest call first", () => {
    const parties = byParty([entry("600", { at: 3 }), entry("601", { at: 2 }), entry("600", { at: 1, name: "Echo" })]);
    expect(parties.map(({ number, count, name, last }) => [number, count, name, last.at])).toEqual([
      ["600", 2, "Echo", 3],
      ["601", 1, "", 2],
    ]);
  });

  it("marks a call that came in and was not taken, unless it was declined, or somebody else took it", () => {
    expect(isMissed(entry("1", { direction: "inbound", seconds: null, outcome: "cancelled" }))).toBe(true);
    expect(isMissed(entry("1", { direction: "inbound", seconds: null, outcome: "rejected" }))).toBe(false);
    expect(isMissed(entry("1", { direction: "inbound", seconds: null, outcome: "answered_elsewhere" }))).toBe(false);
    expect(isMissed(entry("1", { seconds: null }))).toBe(false);
  });

  it("keeps the last hundred", () => {
    const full = Array.from({ length: 100 }, (_, index) => entry(String(index)));
    const more = remember(full, entry("new"));
    expect([more.length, more[0]?.number, more.at(-1)?.number]).toEqual([100, "new", "98"]);
  });

  it("lists a call once, though several pages tell of it", () => {
    const told = remember([entry("1", { id: "a" }), entry("2", { id: "b" })], entry("1", { id: "b", seconds: 4 }));
    expect(told.map(({ id, seconds }) => [id, seconds])).toEqual([["b", 4], ["a", 10]]);
    expect(remember([entry("1")], entry("2")).length).toBe(2); // without ids, as older ones are
  });

  it("finds by number and by name", () => {
    expect([matches("+49 (30) 12", "+49301234", ""), matches("\u202a030\u2013", "0301234", "")]).toEqual([true, true]);
    expect([matches("60", "600", ""), matches("ech", "600", "Echo"), matches("x", "600", "Echo")]).toEqual([true, true, false]);
  });
});
