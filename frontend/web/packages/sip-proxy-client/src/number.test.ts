import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { InvalidNumber, normalizeNumber } from "./number.js";

interface Examples {
  dialled: { written: string; number: string }[];
  refused: { written: string; fault: string; detail: string; number?: string; message: string }[];
}

const EXAMPLES = JSON.parse(
  readFileSync(new URL("../../../../../tests/numbers.json", import.meta.url), "utf8"),
) as Examples;

it.each(EXAMPLES.dialled)("$written is dialled $number", ({ written, number }) => {
  expect(normalizeNumber(written)).toBe(number);
  expect(normalizeNumber(number)).toBe(number);
});

it.each(EXAMPLES.refused)("$written is refused: $message", ({ written, fault, detail, number = "", message }) => {
  let error: unknown;
  try {
    normalizeNumber(written);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(InvalidNumber);
  expect(error).toMatchObject({ code: "invalid_target", fault, detail, number, message });
});

it("the digits of every script are digits", () => {
  const digits = Array.from({ length: 0x110000 }, (_, code) =>
    code >= 0xd800 && code < 0xe000 ? "" : String.fromCodePoint(code),
  ).filter((one) => /\p{Nd}/u.test(one));
  expect(digits.length).toBeGreaterThan(600);
  const rows = digits.map((one) => Number(normalizeNumber(`*${one}`).slice(1)));
  expect(rows).toEqual(digits.map((_, index) => index % 10)); // each script has ten, in order
});

it("plain JavaScript gives no strings either, and gets the same error", () => {
  const given = (value: unknown): string => normalizeNumber(value as string);
  expect(given(601)).toBe("601");
  for (const value of [undefined, null, {}, [], NaN, 6.5, true]) expect(() => given(value)).toThrow(InvalidNumber);
});
