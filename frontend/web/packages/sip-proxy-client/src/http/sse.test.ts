import { expect, it } from "vitest";
import { backoff, MAX_DELAY_IN_CALL_MS } from "../signaling/backoff.js";
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

const eventsOf = (...chunks: string[]): string[] => {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk).map(({ id, event, data }) => `${id}|${event}|${data}`));
};

// HTML standard, sections 9.2.5 and 9.2.6.
it.each<[string, string[], string[]]>([
  ["a carriage return alone ends a line", ["data: a\rdata: b\r\rdata: c\r\r"], ["|message|a\nb", "|message|c"]],
  ["all line ends may be mixed", ["id: 1\revent: x\r\ndata: a\n\r"], ["1|x|a"]],
  ["a line end may be cut in two", ["data: a\r", "\n\r", "\ndata: b\r\n", "\r\n"], ["|message|a", "|message|b"]],
  ["an event is complete at once when its stream uses carriage returns", ["data: a\r\r"], ["|message|a"]],
  ["a field without a colon has no value", ["data\n\n", "data\ndata\n\n"], ["|message|", "|message|\n"]],
  ["one space after the colon is not part of the value", ["data:  a\ndata:b\n\n"], ["|message| a\nb"]],
  ["a value may have colons", ["data: a: b\n\n"], ["|message|a: b"]],
  ["comments and unknown fields are skipped", [": data: a\nfoo: b\ndata: c\n\n"], ["|message|c"]],
  ["an event without data is none, and its type is forgotten", ["event: x\n\ndata: a\n\n"], ["|message|a"]],
  [
    "an id stays until there is another",
    ["id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"],
    ["1|message|a", "1|message|b", "|message|c"],
  ],
  ["an id with a null character is none", ["id: 1\nid: 2\0\ndata: a\n\n"], ["1|message|a"]],
  ["an event that is cut off is none", ["data: a\n"], []],
])("%s", (_, chunks, events) => {
  expect(eventsOf(...chunks)).toEqual(events);
});

it.each<[string, number | null]>([
  ["retry: 1500\n", 1500],
  ["retry:0\n", 0],
  ["retry: 1.5\n", null],
  ["retry: -1\n", null],
  ["retry\n", null],
  ["retry: 5", null],
])("of when to reconnect: %j", (stream, retryMs) => {
  const parser = new SseParser();
  expect([parser.push(stream), parser.retryMs]).toEqual([[], retryMs]);
});

it("waits longer after each try, up to a bound, and never not at all", () => {
  expect([0, 1, 2, 20].map((attempt) => backoff(attempt, 1))).toEqual([250, 500, 1000, 5000]);
  expect(backoff(0, 0)).toBe(125);
  expect(backoff(20, 1, MAX_DELAY_IN_CALL_MS)).toBe(1000);
});
