import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { endingError, errorFromServer, SIPProxyError } from "./errors.js";
import { type Call, endCall } from "./state/model.js";
import { ringing, talking } from "./testing/calls.js";

describe("an error", () => {
  it("has a code, words, and a name that outlives minifying", () => {
    const error = new SIPProxyError("busy");
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "SIPProxyError",
      code: "busy",
      message: "The other side is busy.",
      fatal: false,
    });
    expect(String(error)).toBe("SIPProxyError: The other side is busy.");
  });

  it("says what the server says of codes that are its own", () => {
    expect(new SIPProxyError("too_large", "The message is too large.").message).toBe("The message is too large.");
  });

  it.each(["unheard_of", "constructor", "toString", "http_418"])(
    "of a code that is not known here is a refusal: %s",
    (code) => {
      expect(errorFromServer(code, "")).toMatchObject({
        code: "refused",
        message: "The server refused the request.",
        cause: code,
      });
      expect(errorFromServer(code, "No tea.").message).toBe("No tea.");
    },
  );

  it("of something between that has no server now is one that may be gone later", () => {
    expect(errorFromServer("http_502", "Bad Gateway").code).toBe("unavailable");
  });

  // Those of administration: `HttpError` has them as they are, and an app that only calls does not carry them.
  const administration = [
    "unknown_user",
    "user_exists",
    "last_admin",
    "own_account",
    "sign_in_off",
    "changed_meanwhile",
    "timeout", // of requests whose body comes too slowly: our bodies are small
  ];

  it("knows every code of the server", () => {
    const { components } = JSON.parse(
      readFileSync(new URL("../../../../../docs/openapi.json", import.meta.url), "utf8"),
    ) as { components: { responses: Record<string, unknown> } };
    const codes = [
      ...JSON.stringify(components).matchAll(/problem-([a-z_]+)/g),
      ...readFileSync(new URL("../../../../../docs/HTTP.md", import.meta.url), "utf8").matchAll(
        /^\| `([a-z_]+)` \| [45]\d\d \|/gm,
      ),
    ].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(15);
    expect(codes).toEqual(expect.arrayContaining(administration));
    const shown = codes.filter((code) => !administration.includes(code));
    for (const code of [...shown, "malformed", "unknown_type", "owned_elsewhere"])
      expect(errorFromServer(code, "").code).toBe(code);
  });

  it("has no code that is misspelt", () => {
    const error = new SIPProxyError("busy");
    // @ts-expect-error the codes are a closed union
    expect(error.code === "bussy").toBe(false);
    expect(error.code === "too_large").toBe(false);
  });

  it("keeps what caused it", () => {
    const cause = new TypeError("fetch failed");
    expect(new SIPProxyError("server_unreachable", "", false, { cause }).cause).toBe(cause);
  });
});

describe("how a call ended", () => {
  const ended = (call: Call, why: Parameters<typeof endCall>[2]): Call => endCall(call, 3000, why);

  it.each(["completed", "transferred", "cancelled", "answered_elsewhere"] as const)("as it should: %s", (outcome) => {
    expect(endingError(ended(talking(), { outcome }))).toBeNull();
  });

  it("as somebody here wanted, or somebody there did not", () => {
    expect(endingError(ended(ringing("c1"), { outcome: "rejected" }))).toBeNull();
    expect(endingError(ended(talking(), { outcome: "rejected" }))).toMatchObject({ code: "rejected", fatal: true });
  });

  it("by what this page knows before what the server says", () => {
    expect(endingError(ended(talking(), { problem: "microphone_blocked", outcome: "cancelled" }))?.code).toBe(
      "microphone_blocked",
    );
  });

  it("with the server's words behind our own", () => {
    const error = endingError(ended(talking(), { outcome: "busy", reason: "User busy" }));
    expect(error).toMatchObject({ message: "The other side is busy.", cause: "User busy" });
  });
});
