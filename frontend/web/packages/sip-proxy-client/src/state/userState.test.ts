import { describe, expect, it } from "vitest";
import type { PersonSummary, Preferences, ServerMessage } from "../protocol/messages.js";
import { UNATTENDED, ask, attend, settingsOf, standOf, unheard, type Attended, type Settings } from "./userState.js";

const KEPT: Settings = {
  doNotDisturb: false, callWaiting: true, forwardAlways: "", forwardBusy: "", forwardNoAnswer: "", forwardUnreachable: "", ringSeconds: 0,
};
const told = (change: Partial<Settings> = {}): Preferences => ({ type: "preferences", ...KEPT, ...change });
const after = (...messages: ServerMessage[]): Attended => messages.reduce((known, message) => attend(known, message) ?? known, UNATTENDED);
const asked = (known: Attended, change: Partial<Settings>): Attended => ask(known, change) ?? expect.fail("nothing was asked");
const hears = (known: Attended, message: ServerMessage): Attended => attend(known, message) ?? expect.fail("it was not for us");
const person = (number: string, name: string, state: PersonSummary["state"] = "available"): PersonSummary => ({ number, name, state });

describe("what a user has set", () => {
  it("is asked for only once the server has told what it keeps, and only where it changes", () => {
    expect(ask(UNATTENDED, { doNotDisturb: true })).toBeNull();
    expect(ask(after(told()), { doNotDisturb: false })).toBeNull();
  });

  it("is shown at once, and confirmed", () => {
    const known = asked(after(told()), { doNotDisturb: true });
    expect([settingsOf(known)?.doNotDisturb, known.kept?.doNotDisturb]).toEqual([true, false]);
    const sure = hears(known, told({ doNotDisturb: true }));
    expect([sure.wanted, sure.kept?.doNotDisturb, sure.asks]).toEqual([null, true, 0]);
  });

  it("does not flicker when the answer to an earlier press comes", () => {
    const twice = asked(asked(after(told()), { doNotDisturb: true }), { doNotDisturb: false });
    const first = hears(twice, told({ doNotDisturb: true }));
    expect(settingsOf(first)?.doNotDisturb).toBe(false);
    expect(hears(first, told()).wanted).toBeNull();
  });

  it("is as the server has cleaned it", () => {
    const known = asked(after(told()), { forwardAlways: "030 123" });
    expect(settingsOf(hears(known, told({ forwardAlways: "030123" })))?.forwardAlways).toBe("030123");
  });

  it("goes back when the server refuses it, and the field is named", () => {
    const known = asked(after(told()), { forwardAlways: "1001" });
    const refused = hears(known, { type: "error", code: "invalid_request", message: "Not to oneself.", field: "forwardAlways" });
    expect([settingsOf(refused)?.forwardAlways, refused.fault]).toEqual(["", { field: "forwardAlways", text: "Not to oneself.", retry: false }]);
    expect(asked(refused, { forwardAlways: "1002" }).fault).toBeNull();
  });

  it("may be taken later when the disk is full", () => {
    const known = asked(after(told()), { doNotDisturb: true });
    expect(hears(known, { type: "error", code: "unavailable", message: "x", retryAfter: 5 }).fault).toEqual({ field: null, text: "x", retry: true });
  });

  it("leaves refusals of calls alone", () => {
    expect(attend(after(told()), { type: "error", code: "too_many", message: "x" })).toBeNull();
    const known = asked(after(told()), { doNotDisturb: true });
    expect(attend(known, { type: "error", code: "too_many", message: "x", callId: "a" })).toBeNull();
    expect(attend(known, { type: "error", code: "invalid_target", message: "x", field: "target" })).toBeNull();
  });

  it("is not known to have arrived when the connection is lost", () => {
    expect(settingsOf(unheard(asked(after(told()), { doNotDisturb: true })))?.doNotDisturb).toBe(false);
  });

  it("forwards before it leaves anybody undisturbed", () => {
    expect(standOf(null)).toBeNull();
    expect(standOf({ ...KEPT, doNotDisturb: true })).toBe("undisturbed");
    expect(standOf({ ...KEPT, doNotDisturb: true, forwardAlways: "7" })).toBe("forwarded");
  });
});

describe("the directory", () => {
  it("is sorted, and changes where somebody's state does", () => {
    const known = after({ type: "people", people: [person("2", "Zoe"), person("1", "Ada")] }, { type: "people-changed", people: [person("2", "Zoe", "in_call")] });
    expect(known.people.map(({ name, state }) => [name, state])).toEqual([["Ada", "available"], ["Zoe", "in_call"]]);
  });
});
