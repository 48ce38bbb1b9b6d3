import { describe, expect, it, vi } from "vitest";
import {
  byParty,
  entryOfRecord,
  forgetHistory,
  type HistoryEntry,
  isMissed,
  loadHistory,
  loadSeenAt,
  matches,
  missedSince,
  saveHistory,
  saveSeenAt,
  withEntry,
  withLatestPage,
  withOlderPage,
} from "./history";

const entry = (number: string, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  number,
  name: "",
  direction: "outbound",
  at: 0,
  seconds: 10,
  outcome: "completed",
  ...more,
});

describe("history", () => {
  it("leaves nothing of a user who has signed out, and all of the others", () => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
      removeItem: (key: string) => kept.delete(key),
    });
    for (const user of ["1001", "1002"]) {
      saveHistory(user, [entry("600")]);
      saveSeenAt(user, 5);
    }
    forgetHistory("1001");
    expect([loadHistory("1001"), loadSeenAt("1001")]).toEqual([[], 0]);
    expect([loadHistory("1002").length, loadSeenAt("1002")]).toEqual([1, 5]);
    expect([...kept.keys()].some((key) => key.includes("1001"))).toBe(false);
    vi.unstubAllGlobals();
  });

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
    const away = { direction: "inbound", seconds: null, rang: false } as const;
    expect(
      ["unreachable", "rejected", "busy", "transferred"].map((outcome) =>
        isMissed(entry("1", { ...away, outcome: outcome as "busy" })),
      ),
    ).toEqual([true, true, true, false]);
  });

  it("lists a call once, however often it is told, by when it began", () => {
    const told = withEntry(
      [entry("1", { id: "a", at: 2 }), entry("2", { id: "b", at: 3 })],
      entry("1", { id: "b", at: 1, seconds: 4 }),
    );
    expect(told.map(({ id, seconds }) => [id, seconds])).toEqual([
      ["a", 10],
      ["b", 4],
    ]);
    expect(withEntry([entry("1")], entry("2")).length).toBe(2); // without ids, as older ones are
  });

  it("is what the server has, and what has only just ended", () => {
    const kept = [
      entry("7", { id: "new", at: 95_000 }),
      entry("1", { id: "a", at: 90_000 }),
      entry("8", { id: "gone", at: 1000 }),
      entry("9", { at: 99_000 }),
    ];
    expect(
      withLatestPage(kept, [entry("1", { id: "a", at: 90_000, seconds: 5 })], 100_000).map(({ id, seconds }) => [
        id,
        seconds,
      ]),
    ).toEqual([
      ["new", 10],
      ["a", 5],
    ]);
    expect(
      withOlderPage([entry("1", { id: "a" })], [entry("1", { id: "a" }), entry("2", { id: "b" })]).map(({ id }) => id),
    ).toEqual(["a", "b"]);
  });

  it("counts the parties that called in vain since it was looked at, and were not talked to after that", () => {
    const missed = { direction: "inbound", seconds: null, outcome: "no_answer" } as const;
    const list = [
      entry("1", { at: 9, ...missed }),
      entry("2", { at: 8 }),
      entry("2", { at: 7, ...missed }),
      entry("1", { at: 6, ...missed }),
      entry("3", { at: 2, ...missed }),
    ];
    expect([missedSince(list, 0), missedSince(list, 5), missedSince(list, 9)]).toEqual([2, 1, 0]);
  });

  it("has what a record has: who was called, and who was talked to", () => {
    const record = {
      callId: "c1",
      direction: "inbound",
      caller: "7001",
      callerName: "Desk",
      target: "1001",
      connectedNumber: "7002",
      connectedName: "",
      createdAt: 5,
      ringingAt: 6,
      answeredAt: null,
      endedAt: 9,
      talkSeconds: 0,
      outcome: "cancelled",
    } as const;
    const names = (number: string): string => (number === "7002" ? "Workshop" : number === "600" ? "Echo" : "");
    expect(entryOfRecord(record, (seconds) => seconds * 1000, names)).toEqual({
      id: "c1",
      number: "7001",
      name: "Desk",
      connected: { number: "7002", name: "Workshop" },
      direction: "inbound",
      at: 5000,
      seconds: null,
      outcome: "cancelled",
      rang: true,
    });
    const out = {
      ...record,
      direction: "outbound",
      caller: "1001",
      callerName: "",
      target: "600",
      connectedNumber: "",
      answeredAt: 7,
      talkSeconds: 1.6,
    } as const;
    expect(entryOfRecord(out, (seconds) => seconds, names)).toMatchObject({
      number: "600",
      name: "Echo",
      connected: null,
      seconds: 2,
    });
  });

  it("finds by number and by name", () => {
    expect([matches("+49 (30) 12", "+49301234", ""), matches("\u202a030\u2013", "0301234", "")]).toEqual([true, true]);
    expect([matches("60", "600", ""), matches("ech", "600", "Echo"), matches("x", "600", "Echo")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
