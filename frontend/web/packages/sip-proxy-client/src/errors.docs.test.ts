import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MESSAGES } from "./errors.js";

const GUIDE = new URL("../../../../../docs/SDK.md", import.meta.url);

test("the guide lists every code with its message, and no other", () => {
  const rows = readFileSync(GUIDE, "utf8").matchAll(/^\| `(\w+)` \| ([^|]+[.]) \|/gm);
  expect([...rows].map(([, code, message]) => [code, message])).toEqual(Object.entries(MESSAGES));
});
