import { describe, expect, it } from "vitest";
import type { CallSummary } from "../protocol/messages.js";
import { having, ringing, seen, talking } from "../testing/calls.js";
import { type ListedCall, type PhoneState, resumedCall } from "./model.js";
import { activeCall, findCall, IDLE_PHONE, phoneReducer } from "./phoneReducer.js";
import { listedCall, type PageContext, type Reconciliation, reconcile } from "./reconcile.js";

const knows: PageContext = { at: 9000, list: "first", isNew: false, isOffering: () => false, released: new Map() };
const offering = { isOffering: () => true };

/** What is to be done, and the state after it. */
function settled(
  state: PhoneState,
  list: ListedCall[],
  page: Partial<PageContext> = {},
): Reconciliation & { after: PhoneState } {
  const result = reconcile(state, list, { ...knows, ...page });
  return { ...result, after: result.actions.reduce(phoneReducer, state) };
}
const ids = (calls: readonly { id: string }[]): string[] => calls.map(({ id }) => id);

describe("a summary", () => {
  const summary: CallSummary = {
    callId: "c1",
    direction: "inbound",
    state: "accepted",
    target: "1001",
    caller: "7001",
    callerName: "",
    createdAt: 1,
    heldByFar: true,
    here: false,
    attached: true,
    answeredAt: 2,
    held: true,
    transferring: "7002",
    recording: "paused",
    parties: [{ party: 1, number: "7001", name: "", state: "accepted" }],
  };
  const clock = { toPage: (seconds: number) => seconds * 1000 + 500 };
  const name = (number: string): string => `name of ${number}`;

  it("is read in the page's words and times", () => {
    expect(listedCall(summary, clock, name)).toEqual({
      id: "c1",
      direction: "inbound",
      number: "7001",
      name: "name of 7001",
      connected: null,
      phase: "accepted",
      startedAt: 1500,
      acceptedAt: 2500,
      held: true,
      heldByFar: true,
      here: false,
      attached: true,
      recording: "paused",
      transferring: { number: "7002", name: "name of 7002" },
      parties: [{ party: 1, number: "7001", name: "name of 7001", state: "accepted" }],
    });
  });

  it("leaves out what is as usual", () => {
    const { held: _1, transferring: _2, recording: _3, parties: _4, ...rest } = summary;
    expect(listedCall(rest, clock, name)).toMatchObject({
      held: false,
      transferring: null,
      recording: "off",
      parties: [],
    });
  });

  it("of an incoming call that is being accepted is one that connects", () => {
    const { answeredAt: _, ...trying } = { ...summary, state: "trying" as const, callerName: "Desk" };
    expect(listedCall(trying, clock, () => "")).toMatchObject({ phase: "connecting", acceptedAt: null, name: "Desk" });
    expect(listedCall({ ...trying, direction: "outbound" }, clock, () => "")).toMatchObject({
      phase: "trying",
      number: "1001",
      name: "",
    });
  });
});

describe("after a lost connection", () => {
  it("nothing changes where nothing has happened", () => {
    const state = having(talking(), talking({ id: "c2", held: true }));
    const result = settled(state, [seen(), seen({ id: "c2", held: true })]);
    expect(result.after).toBe(state);
    expect(result).toMatchObject({ adopt: [], renew: [], missing: [], release: [], hold: [] });
  });

  it("a call that was answered meanwhile is accepted since then", () => {
    const { after } = settled(having(talking({ phase: "ringing", acceptedAt: null })), [seen({ acceptedAt: 7000 })]);
    expect(activeCall(after)).toMatchObject({ phase: "accepted", acceptedAt: 7000, media: "connected" });
  });

  it("a call that rings now is shown as that, and one that was accepted stays so", () => {
    const list = [seen({ phase: "ringing", acceptedAt: null })];
    expect(activeCall(settled(having(talking({ phase: "trying", acceptedAt: null })), list).after)?.phase).toBe(
      "ringing",
    );
    expect(activeCall(settled(having(talking()), list).after)).toMatchObject({ phase: "accepted", acceptedAt: 2000 });
  });

  it("the time of our own ear is kept", () => {
    expect(
      activeCall(settled(having(talking({ acceptedAt: 2100 })), [seen({ acceptedAt: 2000 })]).after)?.acceptedAt,
    ).toBe(2100);
  });

  it("it is seen who holds, who is there, and what is recorded", () => {
    const parties = [{ party: 2, number: "7002", name: "", state: "accepted" as const }];
    const told = { heldByFar: true, held: true, parties, recording: "on" as const };
    expect(activeCall(settled(having(talking()), [seen(told)]).after)).toMatchObject(told);
  });

  it("a hold that nobody heard is said again", () => {
    const state = phoneReducer(having(talking(), talking({ id: "c2" })), {
      type: "requested",
      id: "c1",
      request: { kind: "hold", held: true },
    });
    const result = settled(state, [seen(), seen({ id: "c2" })]);
    expect(result.hold).toEqual([{ id: "c1", held: true }]);
    expect(activeCall(result.after)?.held).toBe(true);
    expect(settled(state, [seen(), seen({ id: "c2" })], { list: "later" }).hold).toEqual([]);
    expect(settled(state, [seen({ held: true }), seen({ id: "c2" })]).hold).toEqual([]);
  });

  it("calls that are not listed any more are asked for, each", () => {
    const state = having(talking(), talking({ id: "c2" }));
    const result = settled(state, []);
    expect(result.missing).toEqual(["c1", "c2"]);
    expect(result.after).toBe(state);
  });

  it("a call whose offer is on its way is not missed", () => {
    expect(settled(having(talking({ phase: "connecting", acceptedAt: null })), [], offering).missing).toEqual([]);
    expect(settled(having(talking()), [], { list: "later" }).missing).toEqual([]);
  });

  it("a call that another page has taken meanwhile goes on there, the other one here", () => {
    const { after } = settled(having(talking(), talking({ id: "c2", held: true })), [
      seen({ here: false }),
      seen({ id: "c2", held: true }),
    ]);
    expect([ids(after.calls), after.activeId, after.otherDeviceCalls]).toMatchObject([
      ["c2"],
      "c2",
      [{ id: "c1", attached: true }],
    ]);
  });

  it("a call whose session the server has forgotten is claimed by a new offer", () => {
    const result = settled(having(talking()), [seen({ here: false, attached: false })]);
    expect(result.renew).toEqual(["c1"]);
    expect(findCall(result.after, "c1")).not.toBeNull();
  });

  it("calls that were ended while nobody heard it are ended now, and not taken back", () => {
    const result = settled(IDLE_PHONE, [seen(), seen({ id: "c2" })], {
      released: new Map([
        ["c1", "hangup"],
        ["c2", "leave"],
      ]),
    });
    expect(result).toMatchObject({
      release: [
        { id: "c1", how: "hangup" },
        { id: "c2", how: "leave" },
      ],
      adopt: [],
    });
    expect(result.after.otherDeviceCalls).toEqual([]);
  });

  it("a call that only rings is not listed, and not missed", () => {
    expect(settled(having(ringing("c1")), []).missing).toEqual([]);
  });

  it("a ringing call that another page has taken stops ringing", () => {
    const { after } = settled(having(ringing("c1")), [seen({ here: false })]);
    expect(after).toMatchObject({
      lastEndedCall: { problem: "accepted_elsewhere", endedAt: 9000 },
      otherDeviceCalls: [{ id: "c1" }],
    });
  });
});

describe("a page without a call", () => {
  it("takes back all calls of its session", () => {
    expect(ids(settled(IDLE_PHONE, [seen(), seen({ id: "c2", held: true })]).adopt)).toEqual(["c1", "c2"]);
    expect(resumedCall(seen({ held: true }))).toMatchObject({
      phase: "accepted",
      acceptedAt: 2000,
      media: "returning",
      held: true,
    });
  });

  it("takes a call that nobody holds only while it is new: else its page is just on its way back", () => {
    const alone = seen({ here: false, attached: false });
    expect(ids(settled(IDLE_PHONE, [alone], { isNew: true }).adopt)).toEqual(["c1"]);
    const later = settled(IDLE_PHONE, [alone]);
    expect(later.adopt).toEqual([]);
    expect(ids(later.after.otherDeviceCalls)).toEqual(["c1"]);
  });

  it("leaves calls to the page that holds them, and shows them", () => {
    const result = settled(IDLE_PHONE, [seen({ here: false }), seen({ id: "c2", here: false })], { isNew: true });
    expect(result.adopt).toEqual([]);
    expect(ids(result.after.otherDeviceCalls)).toEqual(["c1", "c2"]);
  });

  it("shows no call elsewhere any more when that has ended", () => {
    expect(
      settled({ ...IDLE_PHONE, otherDeviceCalls: [seen({ here: false })] }, [], { list: "later" }).after
        .otherDeviceCalls,
    ).toEqual([]);
  });
});

it("a call elsewhere is known beside our own", () => {
  const { after } = settled(having(talking()), [seen({ id: "c0", here: false }), seen()], { list: "later" });
  expect([ids(after.calls), ids(after.otherDeviceCalls)]).toEqual([["c1"], ["c0"]]);
});
