import { describe, expect, it } from "vitest";
import { found, listed } from "./directory";

const PEOPLE = [
  { number: "1001", name: "Me", state: "available", user: "1001" },
  { number: "200", name: "Reception", state: "ringing" },
] as const;
const BOOK = [{ number: "200", name: "Reception" }, { number: "600", name: "Echo" }];

describe("the list of people", () => {
  it("has everybody once, but not oneself, and the rest of the phone book", () => {
    expect(listed(PEOPLE, BOOK, "1001")).toEqual([
      { number: "200", name: "Reception", state: "ringing" },
      { number: "600", name: "Echo", state: null },
    ]);
  });

  it("is searched by name and by number", () => {
    const all = listed(PEOPLE, BOOK, "");
    expect([found("cept", all), found("60", all)].map((list) => list.map(({ number }) => number))).toEqual([["200"], ["600"]]);
  });
});
