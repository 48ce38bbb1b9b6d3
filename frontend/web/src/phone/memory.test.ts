import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { having, ringing, talking } from "../testing/calls";
import { fakeBrowser } from "../testing/fakes";
import { forget, keep, recall } from "./memory";

const call = talking({ muted: true, digits: "42" });
const held = talking({ id: "c2", held: true });

beforeEach(() => void fakeBrowser());
afterEach(() => vi.unstubAllGlobals());

it("a reload finds its calls as they were, without sound, the active one first", () => {
  keep({ ...having(held, call), activeId: "c1" }, new Map([["c0", "leave"]]));
  expect(recall()).toEqual({ calls: [{ ...call, media: "returning" }, { ...held, media: "returning" }], released: [["c0", "leave"]] });
});

it("a call that only rings is not kept", () => {
  keep(having(ringing("c1")), new Map());
  expect(recall().calls).toEqual([]);
});

it("nothing is found in a new tab, in one that forgot, and in one with something else there", () => {
  expect(recall()).toEqual({ calls: [], released: [] });
  keep(having(call), new Map());
  forget();
  expect(recall().calls).toEqual([]);
  for (const other of ['{"calls": 7, "released": "x"}', '{"calls": [null, {"id": 4}], "released": [1]}', "null", "{"]) {
    sessionStorage.setItem("ari-bridge.calls", other);
    expect(recall()).toEqual({ calls: [], released: [] });
  }
});

it("forbidden storage is no fault", () => {
  vi.stubGlobal("sessionStorage", undefined);
  keep(having(call), new Map());
  forget();
  expect(recall().calls).toEqual([]);
});
