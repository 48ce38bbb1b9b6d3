import { expect, it } from "vitest";
import { groupByCall } from "./recordings.js";

it("recordings are grouped by call, the oldest first", () => {
  const one = (name: string, callId: string) => ({ name, callId, startedAt: 0, seconds: 1 });
  expect(
    groupByCall([one("a-rec2", "a"), one("b-rec1", "b"), one("a-rec1", "a")])
      .get("a")
      ?.map(({ name }) => name),
  ).toEqual(["a-rec1", "a-rec2"]);
});
