import { describe, expect, it } from "vitest";
import { directoryEntries, searchDirectory } from "./directory";

const PEOPLE = [
  { number: "1001", name: "Me", state: "available", user: "1001" },
  { number: "200", name: "Reception", state: "ringing" },
] as const;
const BOOK = [
  { number: "200", name: "Reception" },
  { number: "600", name: "Echo" },
];

describe("the list of people", () => {
  it("has everybody once, but not oneself, and the rest of the phone book", () => {
    expect(directoryEntries(PEOPLE, BOOK, "1001")).toEqual([
      { number: "200", name: "Reception", state: "ringing" },
      { number: "600", name: "Echo", state: null },
    ]);
  });

  it("is searched by name and by number", () => {
    const all = directoryEntries(PEOPLE, BOOK, "");
    expect(
      [searchDirectory("cept", all), searchDirectory("60", all)].map((list) => list.map(({ number }) => number)),
    ).toEqual([["200"], ["600"]]);
  });
});
