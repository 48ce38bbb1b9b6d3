import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HttpApi } from "./HttpApi.js";
import { followEvents } from "./serverEvents.js";

const body = (text: string): Response => new Response(text, { headers: { "Content-Type": "text/event-stream" } });

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

it("reconnects as late as the server wants, and asks for what it has missed", async () => {
  const responses = [body("retry: 3000\n\nid: 7\ndata: a\n\n"), body("id: 8\ndata: b\n\n")];
  const requests: (string | null)[] = [];
  vi.stubGlobal("fetch", async (_: string, { headers, signal }: { headers: Headers; signal: AbortSignal }) => {
    requests.push(headers.get("Last-Event-ID"));
    return (
      responses.shift() ?? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    );
  });
  const events: string[] = [];
  const statuses: boolean[] = [];
  const stop = followEvents({
    http: new HttpApi("https://pbx.example"),
    lastEventId: "0",
    onEvent: ({ data }) => events.push(data),
    onStatus: (open) => statuses.push(open),
    onUnauthorized: () => expect.fail("the server let us in"),
  });
  await vi.waitFor(() => expect(statuses).toEqual([true, false]));
  await vi.advanceTimersByTimeAsync(3000);
  expect(requests).toEqual(["0"]);
  await vi.advanceTimersByTimeAsync(250);
  await vi.waitFor(() => expect(events).toEqual(["a", "b"]));
  expect(requests).toEqual(["0", "7"]);
  stop();
});

it("begins with recent events, and goes on from the last it has seen", async () => {
  const responses = [body("retry: 1\n\nid: 7\ndata: a\n\n")];
  const requests: string[] = [];
  vi.stubGlobal("fetch", async (url: string, { headers, signal }: { headers: Headers; signal: AbortSignal }) => {
    requests.push(`${url} ${headers.get("Last-Event-ID")}`);
    return (
      responses.shift() ?? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    );
  });
  const stop = followEvents({
    http: new HttpApi("https://pbx.example"),
    recent: 200,
    onEvent: () => undefined,
    onStatus: () => undefined,
    onUnauthorized: () => expect.fail("the server let us in"),
  });
  await vi.waitFor(() => expect(requests).toEqual(["https://pbx.example/events?recent=200 null"]));
  await vi.advanceTimersByTimeAsync(1000);
  await vi.waitFor(() => expect(requests[1]).toBe("https://pbx.example/events 7"));
  stop();
});
