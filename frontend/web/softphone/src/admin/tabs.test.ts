import { describe, expect, it } from "vitest";
import { hashOf, placeOf, tabsOf } from "./tabs";

describe("tabs", () => {
  it("are those that one has the right for", () => {
    expect(tabsOf(["users:manage"], true)).toEqual(["users", "dial"]);
    expect(tabsOf(["audit:read", "calls:read"], true)).toEqual(["audit"]);
    expect(tabsOf(["keys:manage"], true)).toEqual(["keys"]);
    expect(tabsOf(["dial", "monitor:read"], true)).toEqual([]);
  });

  it("have no users where sign-in is off", () => {
    expect(tabsOf(["users:manage", "keys:manage"], false)).toEqual(["dial"]);
  });
});

describe("the address", () => {
  it("names the tab and what is chosen in it", () => {
    for (const place of [
      { tab: "users", id: "" },
      { tab: "users", id: "usr_1f" },
      { tab: "dial", id: "a/b c" },
    ] as const)
      expect(placeOf(hashOf(place), ["users", "dial"])).toEqual(place);
  });

  it("of nothing known is the first tab", () => {
    expect(placeOf("", ["users", "dial"])).toEqual({ tab: "users", id: "" });
    expect(placeOf("#users/usr_1f", ["dial"])).toEqual({ tab: "dial", id: "" });
    expect(placeOf("#users", [])).toBeNull();
  });
});
