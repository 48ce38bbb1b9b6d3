import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CallSummary, ClientMessage } from "../messages";
import { hold } from "../signalling/locks";
import { fakeBrowser } from "../testing/fakes";
import { IDLE, callOf, isLive, step, type Call, type PhoneState } from "./call";
import { keep } from "./memory";
import { Standing, callLock } from "./standing";

const summary = (values: Partial<CallSummary> = {}): CallSummary => ({
  callId: "c1", direction: "outbound", state: "accepted", target: "600", caller: "1001", callerName: "", createdAt: 1, answeredAt: 2,
  heldByFar: false, here: true, attached: true, ...values,
});
const call = (values: Partial<Call> = {}): Call => ({
  ...callOf({ id: "c1", direction: "outbound", number: "600", name: "", phase: "accepted", startedAt: 1, acceptedAt: 2, held: false, here: true, attached: true }),
  media: "connected", ...values,
});

let state: PhoneState;
let sent: ClientMessage[];
let done: string[];
let link: { connection: number; ready: boolean; send(message: ClientMessage): boolean };
let standing: Standing;

beforeEach(() => {
  vi.useFakeTimers();
  fakeBrowser();
  [state, sent, done] = [IDLE, [], []];
  link = { connection: 1, ready: true, send: (message) => (sent.push(message), true) };
  standing = new Standing({
    link, token: null,
    state: () => state,
    dispatch: (event) => (state = step(state, event)),
    nameOf: () => "",
    takeBack: (back) => (done.push("take"), (state = step(state, { type: "returned", call: back }))),
    renew: () => done.push("renew"),
    look: () => done.push("look"),
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What `GET /call/{id}` gives. */
function server(status: number, body: object = {}): void {
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(body), { status }));
}

const later = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe("a list", () => {
  it("makes known which calls stand on this connection", () => {
    expect(standing.known).toBe(false);
    standing.list([], "first");
    expect(standing.known).toBe(true);
    link.connection++;
    expect(standing.known).toBe(false);
  });

  it("gives a page its call back", async () => {
    standing.list([summary()], "first");
    await later();
    expect([done, state.call?.media]).toEqual([["take", "look"], "returning"]);
  });

  it("gives a new page the call that nobody holds, unless a page of this browser looks after it", async () => {
    const release = await hold(callLock("c1"), 100);
    standing.list([summary({ here: false, attached: false })], "first");
    await later();
    expect([done, state.elsewhere?.id]).toEqual([["look"], "c1"]);
    release?.();
  });

  it("has the server hang up what a person has hung up", () => {
    standing.released.add("c1");
    standing.list([summary()], "first");
    expect([sent, done]).toEqual([[{ type: "hangup", callId: "c1" }], ["look"]]);
  });
});

describe("a call that is not listed any more", () => {
  beforeEach(() => void (state = { ...IDLE, call: call() }));

  it("ends as the server says", async () => {
    server(200, { state: "ended", outcome: "lost", cause: { q850: 16, sip: 0 }, answeredAt: 2, endedAt: 9 });
    standing.list([], "first");
    await later();
    expect(state.call).toMatchObject({ phase: "ended", outcome: "lost", q850: 16, endedAt: 9000 });
  });

  it("is lost where the server has forgotten it", async () => {
    server(404);
    standing.list([], "first");
    await later();
    expect(state.call).toMatchObject({ phase: "ended", problem: "connection_lost" });
  });

  it("is asked for again where the server does not answer", async () => {
    server(503);
    standing.list([], "first");
    await later();
    expect(isLive(state.call)).toBe(true);
    server(200, { state: "ended", outcome: "completed", cause: null, answeredAt: 2, endedAt: 9 });
    await later(1000);
    expect(state.call).toMatchObject({ phase: "ended", outcome: "completed" });
  });

  it("is not missed when its offer has just been sent", () => {
    standing.offered();
    standing.list([], "first");
    expect(isLive(state.call)).toBe(true);
  });
});

describe("a page that was reloaded", () => {
  it("shows its call at once, and keeps it where the server has it", async () => {
    keep(call({ muted: true }), new Set(["c0"]));
    standing.restore(true);
    expect([done, state.call?.muted, standing.released.has("c0")]).toEqual([["take"], true, true]);
    standing.list([summary()], "first");
    expect(state.call).toMatchObject({ phase: "accepted", media: "returning" });
  });

  it("forgets a call of long ago", async () => {
    keep(call(), new Set());
    standing.restore(true);
    server(404);
    standing.list([], "first");
    await later();
    expect(state.call).toBeNull();
  });

  it("believes nothing that was copied from another tab", () => {
    keep(call(), new Set());
    standing.restore(false);
    expect([done, sessionStorage.getItem("ari-bridge.call")]).toEqual([[], null]);
  });
});

describe("a call that rings", () => {
  const incoming = { type: "incoming-call", callId: "c1", caller: "7001", callerName: "", target: "1001" } as const;
  beforeEach(() => void (state = { ...IDLE, call: call({ phase: "incoming", direction: "inbound", acceptedAt: null }) }));

  it("rings on where it is told of again", async () => {
    standing.list([], "first");
    expect(standing.rings(incoming)).toBe(true);
    await later(1000);
    expect(state.call?.phase).toBe("incoming");
  });

  it("is asked for where it is not", async () => {
    server(200, { state: "ended", outcome: "cancelled", cause: null, answeredAt: null, endedAt: 9 });
    standing.list([], "first");
    await later(1000);
    expect(state.call).toMatchObject({ phase: "ended", outcome: "cancelled" });
  });

  it("is declined again where nobody heard it", () => {
    standing.released.add("c1");
    expect(standing.rings(incoming)).toBe(false);
    expect(sent).toEqual([{ type: "decline", callId: "c1" }]);
  });

  it("is over when the server is away for ten seconds", async () => {
    standing.list([], "later");
    link.ready = false;
    link.connection++;
    standing.lost();
    await later(9999);
    expect(state.call?.phase).toBe("incoming");
    await later(1);
    expect(state.call).toMatchObject({ phase: "ended", problem: "connection_lost" });
  });
});
