import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HttpApi } from "../http/HttpApi.js";
import type { CallSummary, ClientMessage } from "../protocol/messages.js";
import { acquireLock } from "../signaling/webLocks.js";
import type { Call, PhoneState } from "../state/model.js";
import { displayedCall, findCall, IDLE_PHONE, phoneReducer } from "../state/phoneReducer.js";
import { having, ringing, talking } from "../testing/calls.js";
import { fakeBrowser } from "../testing/fakes.js";
import { callLock } from "./CallLocks.js";
import { CallReconciler } from "./CallReconciler.js";
import { saveCalls } from "./callStorage.js";

const summary = (values: Partial<CallSummary> = {}): CallSummary => ({
  callId: "c1",
  direction: "outbound",
  state: "accepted",
  target: "600",
  caller: "1001",
  callerName: "",
  createdAt: 1,
  answeredAt: 2,
  heldByFar: false,
  here: true,
  attached: true,
  ...values,
});
const shown = (): Call | null => displayedCall(state);

let state: PhoneState;
let sent: ClientMessage[];
let done: string[];
let link: { connection: number; ready: boolean; send(message: ClientMessage): boolean };
let standing: CallReconciler;

beforeEach(() => {
  vi.useFakeTimers();
  fakeBrowser();
  [state, sent, done] = [IDLE_PHONE, [], []];
  link = { connection: 1, ready: true, send: (message) => (sent.push(message), true) };
  standing = new CallReconciler({
    signaling: link,
    http: new HttpApi(""),
    scope: "me",
    send: (message) => link.send(message),
    state: () => state,
    dispatch: (event) => (state = phoneReducer(state, event)),
    nameOf: () => "",
    resume: (back) => (done.push("take"), (state = phoneReducer(state, { type: "resumed", call: back }))),
    renewMedia: (id) => done.push(`renew ${id}`),
    checkMedia: () => done.push("look"),
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
    expect(standing.isSynchronized).toBe(false);
    standing.onList([], "first");
    expect(standing.isSynchronized).toBe(true);
    link.connection++;
    expect(standing.isSynchronized).toBe(false);
  });

  it("gives a page all its calls back", async () => {
    standing.onList([summary(), summary({ callId: "c2", held: true })], "first");
    await later();
    expect([done, state.calls.map(({ id, held }) => [id, held]), state.activeId]).toEqual([
      ["take", "take", "look"],
      [
        ["c1", false],
        ["c2", true],
      ],
      "c1",
    ]);
  });

  it("has the server hold what a person has put on hold meanwhile", () => {
    state = phoneReducer(having(talking()), { type: "requested", id: "c1", request: { kind: "hold", held: true } });
    standing.onList([summary()], "first");
    expect(sent).toEqual([{ type: "hold", callId: "c1", held: true }]);
  });

  it("need not have a call whose first offer is still being made", async () => {
    server(404);
    state = phoneReducer(IDLE_PHONE, { type: "dialled", id: "c1", number: "600", name: "", at: 1 });
    standing.onList([], "first");
    await later();
    expect(shown()?.phase).toBe("connecting");
  });

  it("has a page that has left a call leave it now", () => {
    standing.released.set("c1", "leave");
    standing.onList([summary()], "first");
    expect(sent).toEqual([{ type: "leave", callId: "c1" }]);
  });

  it("has a call claimed by new media where the server has lost whose it is", () => {
    state = having(talking());
    standing.onList([summary({ here: false, attached: false })], "first");
    expect(done).toEqual(["renew c1", "look"]);
  });

  it("gives a page its call back", async () => {
    standing.onList([summary()], "first");
    await later();
    expect([done, shown()?.media]).toEqual([["take", "look"], "returning"]);
  });

  it("gives a new page the call that nobody holds, unless a page of this browser looks after it", async () => {
    const release = await acquireLock(callLock("c1"), 100);
    standing.onList([summary({ here: false, attached: false })], "first");
    await later();
    expect([done, state.otherDeviceCalls.map(({ id }) => id)]).toEqual([["look"], ["c1"]]);
    release?.();
  });

  it("has the server hang up what a person has hung up", () => {
    standing.released.set("c1", "hangup");
    standing.onList([summary()], "first");
    expect([sent, done]).toEqual([[{ type: "hangup", callId: "c1" }], ["look"]]);
  });
});

describe("a call that is not listed any more", () => {
  beforeEach(() => void (state = having(talking())));

  it("ends as the server says", async () => {
    server(200, { state: "ended", outcome: "lost", cause: { q850: 16, sip: 0 }, answeredAt: 2, endedAt: 9 });
    standing.onList([], "first");
    await later();
    expect(shown()).toMatchObject({ phase: "ended", outcome: "lost", q850: 16, endedAt: 9000 });
  });

  it("is lost where the server has forgotten it", async () => {
    server(404);
    standing.onList([], "first");
    await later();
    expect(shown()).toMatchObject({ phase: "ended", problem: "connection_lost" });
  });

  it("is asked for again where the server does not answer", async () => {
    server(503);
    standing.onList([], "first");
    await later();
    expect(findCall(state, "c1")).not.toBeNull();
    server(200, { state: "ended", outcome: "completed", cause: null, answeredAt: 2, endedAt: 9 });
    await later(1000);
    expect(shown()).toMatchObject({ phase: "ended", outcome: "completed" });
  });

  it("is not missed when its offer has just been sent", () => {
    standing.onOfferSent("c1");
    standing.onList([], "first");
    expect(findCall(state, "c1")).not.toBeNull();
  });
});

describe("a page that was reloaded", () => {
  it("shows its call at once, and keeps it where the server has it", async () => {
    saveCalls("me", having(talking({ muted: true }), talking({ id: "c2", held: true })), new Map([["c0", "hangup"]]));
    standing.restore(true);
    expect([done, shown()?.muted, state.calls.length, standing.released.get("c0")]).toEqual([
      ["take", "take"],
      true,
      2,
      "hangup",
    ]);
    standing.onList([summary(), summary({ callId: "c2", held: true })], "first");
    expect(state).toMatchObject({
      activeId: "c1",
      calls: [
        { phase: "accepted", media: "returning", held: false },
        { media: "returning", held: true },
      ],
    });
  });

  it("forgets a call of long ago", async () => {
    saveCalls("me", having(talking()), new Map());
    standing.restore(true);
    server(404);
    standing.onList([], "first");
    await later();
    expect(shown()).toBeNull();
  });

  it("believes nothing that was copied from another tab", () => {
    saveCalls("me", having(talking()), new Map());
    standing.restore(false);
    expect([done, sessionStorage.getItem("sip-proxy.calls.me")]).toEqual([[], null]);
  });
});

describe("a call that rings", () => {
  const incoming = { type: "incoming-call", callId: "c1", caller: "7001", callerName: "", target: "1001" } as const;
  beforeEach(() => void (state = having(ringing("c1"))));

  it("rings on where it is told of again", async () => {
    standing.onList([], "first");
    expect(standing.acceptsIncoming(incoming)).toBe(true);
    await later(1000);
    expect(shown()?.phase).toBe("incoming");
  });

  it("is asked for where it is not", async () => {
    server(200, { state: "ended", outcome: "cancelled", cause: null, answeredAt: null, endedAt: 9 });
    standing.onList([], "first");
    await later(1000);
    expect(shown()).toMatchObject({ phase: "ended", outcome: "cancelled" });
  });

  it("is declined again where nobody heard it", () => {
    standing.released.set("c1", "hangup");
    expect(standing.acceptsIncoming(incoming)).toBe(false);
    expect(sent).toEqual([{ type: "decline", callId: "c1" }]);
  });

  it("is over when the server is away for ten seconds", async () => {
    standing.onList([], "later");
    link.ready = false;
    link.connection++;
    standing.onConnectionLost();
    await later(9999);
    expect(shown()?.phase).toBe("incoming");
    await later(1);
    expect(shown()).toMatchObject({ phase: "ended", problem: "connection_lost" });
  });
});
