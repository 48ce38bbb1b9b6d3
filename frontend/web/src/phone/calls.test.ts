import { describe, expect, it } from "vitest";
import type { CallSummary } from "../messages";
import { IDLE, callOf, step, type Call, type PhoneState } from "./call";
import { seenOf, settle, type CallSeen, type PageKnows, type Settled } from "./calls";

const seen = (values: Partial<CallSeen> = {}): CallSeen => ({
  id: "c1", direction: "outbound", number: "600", name: "Echo", phase: "accepted", startedAt: 1000, acceptedAt: 2000, held: false,
  here: true, attached: true, ...values,
});
const having = (values: Partial<Call>): PhoneState => ({ ...IDLE, call: { ...callOf(seen()), media: "connected", ...values } });
const knows: PageKnows = { at: 9000, when: "first", new: false, offering: false, released: new Set() };

/** What is to be done, and the state after it. */
function settled(state: PhoneState, list: CallSeen[], page: Partial<PageKnows> = {}): Settled & { after: PhoneState } {
  const result = settle(state, list, { ...knows, ...page });
  return { ...result, after: result.events.reduce(step, state) };
}

describe("a summary", () => {
  const summary: CallSummary = {
    callId: "c1", direction: "inbound", state: "accepted", target: "1001", caller: "7001", callerName: "", createdAt: 1, heldByFar: true,
    here: false, attached: true, answeredAt: 2,
  };
  const clock = { toPage: (seconds: number) => seconds * 1000 + 500 };

  it("is read in the page's words and times", () => {
    expect(seenOf(summary, clock, (number) => `name of ${number}`)).toEqual({
      id: "c1", direction: "inbound", number: "7001", name: "name of 7001", phase: "accepted", startedAt: 1500, acceptedAt: 2500, held: true,
      here: false, attached: true,
    });
  });

  it("of an incoming call that is being accepted is one that connects", () => {
    const { answeredAt: _, ...trying } = { ...summary, state: "trying" as const, callerName: "Desk" };
    expect(seenOf(trying, clock, () => "")).toMatchObject({ phase: "connecting", acceptedAt: null, name: "Desk" });
    expect(seenOf({ ...trying, direction: "outbound" }, clock, () => "")).toMatchObject({ phase: "trying", number: "1001", name: "" });
  });
});

describe("after a lost connection", () => {
  it("nothing changes where nothing has happened", () => {
    const state = having({});
    const result = settled(state, [seen()]);
    expect(result.after).toBe(state);
    expect(result).toMatchObject({ take: null, renew: false, missing: null, release: [] });
  });

  it("a call that was answered meanwhile is accepted since then", () => {
    const { after } = settled(having({ phase: "ringing", acceptedAt: null }), [seen({ acceptedAt: 7000 })]);
    expect(after.call).toMatchObject({ phase: "accepted", acceptedAt: 7000, media: "connected" });
  });

  it("a call that rings now is shown as that, and one that was accepted stays so", () => {
    expect(settled(having({ phase: "trying", acceptedAt: null }), [seen({ phase: "ringing", acceptedAt: null })]).after.call?.phase).toBe("ringing");
    expect(settled(having({}), [seen({ phase: "ringing", acceptedAt: null })]).after.call).toMatchObject({ phase: "accepted", acceptedAt: 2000 });
  });

  it("the time of our own ear is kept", () => {
    expect(settled(having({ acceptedAt: 2100 }), [seen({ acceptedAt: 2000 })]).after.call?.acceptedAt).toBe(2100);
  });

  it("it is seen that the far side holds the call", () => {
    expect(settled(having({}), [seen({ held: true })]).after.call?.held).toBe(true);
  });

  it("a call that is not listed any more is asked for", () => {
    const state = having({});
    const result = settled(state, []);
    expect(result.missing).toBe("c1");
    expect(result.after).toBe(state);
  });

  it("a call whose offer is on its way is not missed", () => {
    expect(settled(having({ phase: "connecting", acceptedAt: null }), [], { offering: true }).missing).toBeNull();
    expect(settled(having({}), [], { when: "later" }).missing).toBeNull();
  });

  it("a call that another page has taken meanwhile goes on there", () => {
    const { after } = settled(having({}), [seen({ here: false })]);
    expect(after.call).toBeNull();
    expect(after.elsewhere).toMatchObject({ id: "c1", attached: true });
  });

  it("a call whose session the server has forgotten is claimed by a new offer", () => {
    const result = settled(having({}), [seen({ here: false, attached: false })]);
    expect(result.renew).toBe(true);
    expect(result.after.call?.id).toBe("c1");
  });

  it("a call that was hung up while nobody heard it is hung up now, and not taken back", () => {
    const result = settled({ ...IDLE, call: { ...callOf(seen()), phase: "ended" } }, [seen()], { released: new Set(["c1"]) });
    expect(result).toMatchObject({ release: ["c1"], take: null });
    expect(result.after.elsewhere).toBeNull();
  });

  it("a call that only rings is not listed, and not missed", () => {
    expect(settled(having({ phase: "incoming", direction: "inbound" }), []).missing).toBeNull();
  });

  it("a ringing call that another page has taken stops ringing", () => {
    const { after } = settled(having({ phase: "incoming", direction: "inbound" }), [seen({ here: false })]);
    expect(after.call).toMatchObject({ phase: "ended", problem: "accepted_elsewhere", endedAt: 9000 });
    expect(after.elsewhere?.id).toBe("c1");
  });
});

describe("a page without a call", () => {
  it("takes back the call of its session", () => {
    expect(settled(IDLE, [seen()]).take?.id).toBe("c1");
    expect(callOf(seen(), { muted: true, digits: "4" })).toMatchObject({ phase: "accepted", acceptedAt: 2000, media: "returning", muted: true, digits: "4" });
  });

  it("takes a call that nobody holds only while it is new: else its page is just on its way back", () => {
    const alone = seen({ here: false, attached: false });
    expect(settled(IDLE, [alone], { new: true }).take?.id).toBe("c1");
    const later = settled(IDLE, [alone]);
    expect(later.take).toBeNull();
    expect(later.after.elsewhere?.id).toBe("c1");
  });

  it("leaves a call to the page that holds it, and shows it", () => {
    const result = settled(IDLE, [seen({ here: false })], { new: true });
    expect(result.take).toBeNull();
    expect(result.after.elsewhere?.id).toBe("c1");
  });

  it("prefers its own", () => {
    expect(settled(IDLE, [seen({ id: "c0", here: false, attached: false }), seen()], { new: true }).take?.id).toBe("c1");
  });

  it("shows no call elsewhere any more when that has ended", () => {
    expect(settled({ ...IDLE, elsewhere: seen({ here: false }) }, [], { when: "later" }).after.elsewhere).toBeNull();
  });
});

it("a call elsewhere is shown beside our own", () => {
  const { after } = settled(having({}), [seen({ id: "c0", here: false }), seen()], { when: "later" });
  expect(after).toMatchObject({ call: { id: "c1" }, elsewhere: { id: "c0" } });
});
