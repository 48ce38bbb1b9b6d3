import { beforeEach, describe, expect, it, vi } from "vitest";
import { identityFromToken, identityOf, NO_TOKEN, userOf } from "./credentials.js";
import { FakeStorage } from "./testing/fakes.js";
import { jwt } from "./testing/proxy.js";

beforeEach(() => void vi.stubGlobal("sessionStorage", new FakeStorage()));

describe("who a client is", () => {
  const nobody = { ...NO_TOKEN, password: null };

  it("by a name and a password, in both words", () => {
    const identity = { ...NO_TOKEN, user: "1001", password: "secret" };
    expect(identityOf({ apiKey: "1001", secret: "secret" })).toEqual(identity);
    expect(identityOf({ user: "1001", password: "secret" }, "other")).toEqual(identity);
  });

  const apiKey = "ab_7f3k2m9qx4wz";

  it("by an API key, the key itself or whoever is named", () => {
    const identity = { ...NO_TOKEN, user: apiKey, apiKey, password: "secret" };
    expect(identityOf({ apiKey, secret: "secret" })).toEqual(identity);
    expect(identityOf({ apiKey, secret: "secret", user: "1001" })).toEqual({ ...identity, user: "1001" });
    expect(identityOf({ apiKey, secret: "secret" }, "1002")).toEqual({ ...identity, user: "1002" });
    expect(userOf({ apiKey, secret: "secret", user: "1001" })).toBe("1001");
  });

  it("by an API key in a page: a guest whom nobody else can be, and the console says what it means", () => {
    vi.stubGlobal("document", {});
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const { user } = identityOf({ apiKey, secret: "secret" });
    expect(user).toMatch(/^guest-7f3k2m9qx4wz-[0-9a-f]{20}$/);
    expect(identityOf({ apiKey, secret: "secret" }).user).toBe(user);
    expect(identityOf({ apiKey: "ab_000000000000", secret: "secret" }).user).not.toBe(user);
    expect(identityOf(undefined).user).toMatch(/^guest-[0-9a-f]{6}$/);
    expect(warn.mock.calls[0]![0]).toContain(`Every visitor of this page can use its API key, ${apiKey}`);
    expect(JSON.stringify(warn.mock.calls)).not.toContain("secret");
    identityOf({ user: "1001", password: "secret" });
    expect(warn).toHaveBeenCalledTimes(3);
    warn.mockRestore();
    vi.unstubAllGlobals();
  });

  it("by a name alone, or a guest", () => {
    expect(identityOf(undefined, "1001")).toEqual({ ...nobody, user: "1001" });
    const { user } = identityOf(undefined);
    expect(user).toMatch(/^guest-[0-9a-f]{6}$/);
    expect(identityOf(undefined).user).toBe(user);
  });

  it.each([null, {}, { apiKey: undefined, secret: undefined }, { token: undefined }, { token: null, user: "" }])(
    "is a guest with %j, as plain JavaScript gives it",
    (given) => {
      const identity = identityOf(given as never);
      expect(identity).toEqual({ ...nobody, user: expect.stringMatching(/^guest-/) as string });
      expect(identityOf(given as never, "1001").user).toBe("1001");
      expect(userOf(given as never) || "").toBe("");
    },
  );

  it("is a guest also where nothing can be kept", () => {
    vi.stubGlobal("sessionStorage", undefined);
    expect(identityOf(undefined).user).toMatch(/^guest-/);
  });

  it("by a token, with what it says", () => {
    const token = jwt({ sub: "1002", exp: 1_700_000_000 });
    expect(identityOf({ token })).toEqual({ ...nobody, user: "1002", token, expiresAt: 1_700_000_000 });
    expect(identityOf({ token, user: "1001" }).user).toBe("1001");
    expect(identityFromToken(token, "1003").user).toBe("1003");
  });

  it("by what refreshes the token, and in plain JavaScript by nothing that cannot", () => {
    const token = jwt({ sub: "1002", sid: "s1" });
    expect(identityOf({ token, refreshToken: "r" }).refreshBy).toEqual({ refreshToken: "r" });
    expect(identityOf({ token, cookie: true }).refreshBy).toEqual({ session: "s1" });
    expect(identityOf({ token: jwt({ sub: "1002" }), cookie: true }).refreshBy).toBeNull();
    expect(identityOf({ token, refreshToken: undefined as never }).refreshBy).toBeNull();
  });

  it("by a token with letters of any script", () => {
    const letters = String.fromCharCode(...new TextEncoder().encode(JSON.stringify({ sub: "Zoë ÿÿ" })));
    const token = `x.${btoa(letters).replace(/\+/g, "-").replace(/\//g, "_")}.y`;
    expect(identityFromToken(token).user).toBe("Zoë ÿÿ");
  });

  const payloads = ["null", "[]", '{"sub":7,"exp":"soon"}'].map((payload) => `a.${btoa(payload)}.c`);
  it.each(["", "opaque", "a.b.c", ...payloads])("by a token that says nothing: %s", (token) => {
    expect(identityFromToken(token, "1001")).toEqual({ ...nobody, user: "1001", token });
    expect(identityFromToken(token).user).toMatch(/^guest-/);
  });
});
