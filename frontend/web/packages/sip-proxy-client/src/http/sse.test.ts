import { expect, it } from "vitest";
import { MAX_DELAY_IN_CALL_MS, backoff } from "../signaling/backoff.js";
import { SseParser } from "./sse.js";

it("gives events however the stream is cut", () => {
  const stream = "retry: 1000\n\nid: 7\nevent: ari\ndata: {\ndata: }\n\n: still here\n\nid: 8\r\ndata: x\r\n\r\n";
  for (const size of [1, 3, 1000]) {
    const parser = new SseParser();
    const events = [];
    for (let at = 0; at < stream.length; at += size) events.push(...parser.push(stream.slice(at, at + size)));
    expect(events).toEqual([
      { id: "7", event: "ari", data: "{\n}" },
      { id: "8", event: "message", data: "x" },
    ]);
  }
});

it("waits longer after each try, up to a bound, and never not at all", () => {
  expect([0, 1, 2, 20].map((attempt) => backoff(attempt, 1))).toEqual([250, 500, 1000, 5000]);
  expect(backoff(0, 0)).toBe(125);
  expect(backoff(20, 1, MAX_DELAY_IN_CALL_MS)).toBe(1000);
});
