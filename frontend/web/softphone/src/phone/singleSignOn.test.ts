// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { resultOf, resultText, signInAddress } from "./singleSignOn";

describe("single sign-on", () => {
  it("comes back to the page where it began", () => {
    const address = new URL(signInAddress({ pathname: "/dashboard", search: "?filter=1/2&x=%26" }));
    expect(address.pathname).toBe("/auth/oidc/login");
    expect(address.searchParams.get("returnTo")).toBe("/dashboard?filter=1/2&x=%26");
  });

  it("reads its result from the address, and nothing else", () => {
    expect(resultOf("#sso=done")).toBe("done");
    expect(resultOf("#other=1&sso=locked")).toBe("locked");
    expect(resultOf("")).toBeNull();
    expect(resultOf("#call/1")).toBeNull();
  });

  it("says why it failed, also for a result that is not known here", () => {
    expect(resultText("cancelled", "Example Ltd")).toContain("Example Ltd");
    expect(resultText("constructor", "Example Ltd")).toBe(resultText("failed", "Example Ltd"));
  });
});
