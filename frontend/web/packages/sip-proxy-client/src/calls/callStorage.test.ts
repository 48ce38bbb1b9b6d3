import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { having, ringing, talking } from "../testing/calls.js";
import { fakeBrowser } from "../testing/fakes.js";
import { clearCalls, loadCalls, saveCalls } from "./callStorage.js";

const call = talking({ muted: true, digits: "42" });
const held = talking({ id: "c2", held: true });

beforeEach(() => void fakeBrowser());
afterEach(() => vi.unstubAllGlobals());

it("a reload finds its calls as they were, without sound, the active one first", () => {
  saveCalls("me", { ...having(held, call), activeId: "c1" }, new Map([["c0", "leave"]]));
  expect(loadCalls("me")).toEqual({
    calls: [
      { ...call, media: "returning" },
      { ...held, media: "returning" },
    ],
    released: [["c0", "leave"]],
  });
});

it("a call that only rings is not kept", () => {
  saveCalls("me", having(ringing("c1")), new Map());
  expect(loadCalls("me").calls).toEqual([]);
});

it("nothing is found in a new tab, in one that forgot, and in one with something else there", () => {
  expect(loadCalls("me")).toEqual({ calls: [], released: [] });
  saveCalls("me", having(call), new Map());
  clearCalls("me");
  expect(loadCalls("me").calls).toEqual([]);
  for (const other of ['{"calls": 7, "released": "x"}', '{"calls": [null, {"id": 4}], "released": [1]}', "null", "{"]) {
    sessionStorage.setItem("sip-proxy.calls.me", other);
    expect(loadCalls("me")).toEqual({ calls: [], released: [] });
  }
});

it("forbidden storage is no fault", () => {
  vi.stubGlobal("sessionStorage", undefined);
  saveCalls("me", having(call), new Map());
  clearCalls("me");
  expect(loadCalls("me").calls).toEqual([]);
});
