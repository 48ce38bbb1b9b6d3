import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fakeBrowser } from "../testing/fakes";
import { callOf, type Call } from "./call";
import { forget, keep, recall } from "./memory";

const call: Call = {
  ...callOf({ id: "c1", direction: "outbound", number: "600", name: "Echo", phase: "accepted", startedAt: 1, acceptedAt: 2, held: false, here: true, attached: true }),
  media: "connected", muted: true, digits: "42",
};

beforeEach(() => void fakeBrowser());
afterEach(() => vi.unstubAllGlobals());

it("a reload finds its call, muted as it was, and without sound", () => {
  keep(call, new Set(["c0"]));
  expect(recall()).toEqual({ call: { ...call, media: "returning" }, released: ["c0"] });
});

it.each(["incoming", "ended"] as const)("a call that is %s is not kept", (phase) => {
  keep({ ...call, phase }, new Set());
  expect(recall().call).toBeNull();
});

it("nothing is found in a new tab, in one that forgot, and in one with something else there", () => {
  expect(recall()).toEqual({ call: null, released: [] });
  keep(call, new Set());
  forget();
  expect(recall().call).toBeNull();
  sessionStorage.setItem("ari-bridge.call", '{"call": 7, "released": "x"}');
  expect(recall()).toEqual({ call: null, released: [] });
});

it("forbidden storage is no fault", () => {
  vi.stubGlobal("sessionStorage", undefined);
  keep(call, new Set());
  forget();
  expect(recall().call).toBeNull();
});
