import { describe, expect, it } from "vitest";
import type { PersonSummary, Preferences, ServerMessage } from "../protocol/messages.js";
import {
  availabilityOf,
  INITIAL_USER_STATE,
  onConnectionLost,
  preferencesOf,
  requestPreferences,
  type UserPreferences,
  type UserState,
  userStateReducer,
} from "./userState.js";

const KEPT: UserPreferences = {
  doNotDisturb: false,
  callWaiting: true,
  forwardAlways: "",
  forwardBusy: "",
  forwardNoAnswer: "",
  forwardUnreachable: "",
  ringSeconds: 0,
};
const told = (change: Partial<UserPreferences> = {}): Preferences => ({ type: "preferences", ...KEPT, ...change });
const after = (...messages: ServerMessage[]): UserState =>
  messages.reduce((known, message) => userStateReducer(known, message) ?? known, INITIAL_USER_STATE);
const asked = (known: UserState, change: Partial<UserPreferences>): UserState =>
  requestPreferences(known, change) ?? expect.fail("nothing was asked");
const hears = (known: UserState, message: ServerMessage): UserState =>
  userStateReducer(known, message) ?? expect.fail("it was not for us");
const person = (number: string, name: string, state: PersonSummary["state"] = "available"): PersonSummary => ({
  number,
  name,
  state,
});

describe("what a user has set", () => {
  it("is asked for only once the server has told what it keeps, and only where it changes", () => {
    expect(requestPreferences(INITIAL_USER_STATE, { doNotDisturb: true })).toBeNull();
    expect(requestPreferences(after(told()), { doNotDisturb: false })).toBeNull();
  });

  it("is shown at once, and confirmed", () => {
    const known = asked(after(told()), { doNotDisturb: true });
    expect([preferencesOf(known)?.doNotDisturb, known.savedPreferences?.doNotDisturb]).toEqual([true, false]);
    const sure = hears(known, told({ doNotDisturb: true }));
    expect([sure.pendingPreferences, sure.savedPreferences?.doNotDisturb, sure.pendingUpdates]).toEqual([
      null,
      true,
      0,
    ]);
  });

  it("does not flicker when the answer to an earlier press comes", () => {
    const twice = asked(asked(after(told()), { doNotDisturb: true }), { doNotDisturb: false });
    const first = hears(twice, told({ doNotDisturb: true }));
    expect(preferencesOf(first)?.doNotDisturb).toBe(false);
    expect(hears(first, told()).pendingPreferences).toBeNull();
  });

  it("is as the server has cleaned it", () => {
    const known = asked(after(told()), { forwardAlways: "030 123" });
    expect(preferencesOf(hears(known, told({ forwardAlways: "030123" })))?.forwardAlways).toBe("030123");
  });

  it("goes back when the server refuses it, and the field is named", () => {
    const known = asked(after(told()), { forwardAlways: "1001" });
    const refused = hears(known, {
      type: "error",
      code: "invalid_request",
      message: "Not to oneself.",
      field: "forwardAlways",
    });
    expect([preferencesOf(refused)?.forwardAlways, refused.preferencesError]).toEqual([
      "",
      { field: "forwardAlways", message: "Not to oneself.", retryable: false },
    ]);
    expect(asked(refused, { forwardAlways: "1002" }).preferencesError).toBeNull();
  });

  it("may be taken later when the disk is full", () => {
    const known = asked(after(told()), { doNotDisturb: true });
    expect(hears(known, { type: "error", code: "unavailable", message: "x", retryAfter: 5 }).preferencesError).toEqual({
      field: null,
      message: "x",
      retryable: true,
    });
  });

  it("leaves refusals of calls alone", () => {
    expect(userStateReducer(after(told()), { type: "error", code: "too_many", message: "x" })).toBeNull();
    const known = asked(after(told()), { doNotDisturb: true });
    expect(userStateReducer(known, { type: "error", code: "too_many", message: "x", callId: "a" })).toBeNull();
    expect(
      userStateReducer(known, { type: "error", code: "invalid_target", message: "x", field: "target" }),
    ).toBeNull();
  });

  it("is not known to have arrived when the connection is lost", () => {
    expect(preferencesOf(onConnectionLost(asked(after(told()), { doNotDisturb: true })))?.doNotDisturb).toBe(false);
  });

  it("forwards before it leaves anybody undisturbed", () => {
    expect(availabilityOf(null)).toBeNull();
    expect(availabilityOf({ ...KEPT, doNotDisturb: true })).toBe("do_not_disturb");
    expect(availabilityOf({ ...KEPT, doNotDisturb: true, forwardAlways: "7" })).toBe("forwarded");
  });
});

describe("the directory", () => {
  it("is sorted, and changes where somebody's state does", () => {
    const known = after(
      { type: "people", people: [person("2", "Zoe"), person("1", "Ada")] },
      { type: "people-changed", people: [person("2", "Zoe", "in_call")] },
    );
    expect(known.people.map(({ name, state }) => [name, state])).toEqual([
      ["Ada", "available"],
      ["Zoe", "in_call"],
    ]);
  });
});
