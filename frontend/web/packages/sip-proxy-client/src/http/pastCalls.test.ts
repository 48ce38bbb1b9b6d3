import { afterEach, expect, it, vi } from "vitest";
import { HttpApi, HttpError } from "./HttpApi.js";
import { listPastCalls } from "./pastCalls.js";

afterEach(() => vi.unstubAllGlobals());

/** Answers by path, without the query. What was asked is in `asked`. */
function answering(answers: Record<string, [status: number, body: object]>): { asked: string[]; server: HttpApi } {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const [status, body] = answers[url.split("?")[0]!] ?? [404, { code: "not_found", detail: "" }];
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
  return { asked, server: new HttpApi("") };
}

it("comes from the call records, of this user alone, a page at a time", async () => {
  const { asked, server } = answering({ "/cdrs": [200, { cdrs: [{ callId: "a" }], nextCursor: "more" }] });
  expect(await listPastCalls(server, "1001")).toEqual({ calls: [{ callId: "a" }], nextCursor: "more" });
  await listPastCalls(server, "1001", { cursor: "more", limit: 5 });
  expect(asked).toEqual(["/cdrs?user=1001&limit=50", "/cdrs?user=1001&limit=5&cursor=more"]);
});

it("comes from the call store where no records are kept: what has ended, of this user alone", async () => {
  const call = {
    direction: "inbound",
    target: "1001",
    user: null,
    users: [],
    answeredAt: null,
    leftAt: null,
    left: null,
    outcome: "unreachable",
    endedAt: 9,
  };
  const calls = [
    { ...call, callId: "missed" },
    { ...call, callId: "mine", user: "1001", answeredAt: 4, outcome: "completed" },
    { ...call, callId: "left", user: "1001", answeredAt: 4, left: "transferred", leftAt: 6, outcome: "completed" },
    { ...call, callId: "rang", users: ["1001"], outcome: "cancelled" },
    { ...call, callId: "another's", user: "1002" },
    { ...call, callId: "placed by nobody", direction: "outbound" },
    { ...call, callId: "being released", endedAt: null, user: "1001" },
  ];
  const { server } = answering({ "/calls": [200, { calls, nextCursor: null }] });
  const found = await listPastCalls(server, "1001");
  expect(found.calls.map(({ callId, outcome, talkSeconds }) => [callId, outcome, talkSeconds])).toEqual([
    ["missed", "unreachable", 0],
    ["mine", "completed", 5],
    ["left", "transferred", 2],
    ["rang", "cancelled", 0],
  ]);
  expect(found.nextCursor).toBeNull();
});

it("is not taken from elsewhere while the records are away", async () => {
  const { asked, server } = answering({ "/cdrs": [503, { code: "unavailable", detail: "away" }] });
  await expect(listPastCalls(server, "1001")).rejects.toBeInstanceOf(HttpError);
  expect(asked).toEqual(["/cdrs?user=1001&limit=50"]);
});
