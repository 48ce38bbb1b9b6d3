import { describe, expect, it } from "vitest";
import type { Call } from "./state/model.js";
import { end } from "./state/model.js";
import { SIPProxyError, endingError } from "./errors.js";
import { ringing, talking } from "./testing/calls.js";

describe("an error", () => {
  it("has a code, words, and a name that outlives minifying", () => {
    const error = new SIPProxyError("busy");
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "SIPProxyError", code: "busy", message: "The other side is on another call.", fatal: false });
    expect(String(error)).toBe("SIPProxyError: The other side is on another call.");
  });

  it("says what the server says of codes that are its own", () => {
    expect(new SIPProxyError("too_large", "The message is too large.").message).toBe("The message is too large.");
  });

  it.each(["unheard_of", "constructor", "toString"])("always has words: %s", (code) => {
    expect(new SIPProxyError(code).message).toBe("The server refused this.");
  });

  it("keeps what caused it", () => {
    const cause = new TypeError("fetch failed");
    expect(new SIPProxyError("server_unreachable", "", false, { cause }).cause).toBe(cause);
  });
});

describe("how a call ended", () => {
  const ended = (call: Call, why: Parameters<typeof end>[2]): Call => end(call, 3000, why);

  it.each(["completed", "transferred", "cancelled", "answered_elsewhere"] as const)("as it should: %s", (outcome) => {
    expect(endingError(ended(talking(), { outcome }))).toBeNull();
  });

  it("as somebody here wanted, or somebody there did not", () => {
    expect(endingError(ended(ringing("c1"), { outcome: "rejected" }))).toBeNull();
    expect(endingError(ended(talking(), { outcome: "rejected" }))).toMatchObject({ code: "rejected", fatal: true });
  });

  it("by what this page knows before what the server says", () => {
    expect(endingError(ended(talking(), { problem: "microphone_blocked", outcome: "cancelled" }))?.code).toBe("microphone_blocked");
  });

  it("with the server's words behind our own", () => {
    const error = endingError(ended(talking(), { outcome: "busy", reason: "User busy" }));
    expect(error).toMatchObject({ message: "The other side is on another call.", cause: "User busy" });
  });
});
