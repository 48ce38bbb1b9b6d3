import type { Api } from "sip-proxy-client";
import { expect, it } from "vitest";
import { listOf, NEW_KEY, requestOf, stateOf } from "./keys";

const NOW = 1_790_000_000_000;
const key = (expiresAt: number | null, revokedAt: number | null): Api.KeyData =>
  ({ expiresAt, revokedAt }) as Api.KeyData;

it("knows whether a key is of use", () => {
  expect(stateOf(key(null, null), NOW)).toBe("valid");
  expect(stateOf(key(NOW / 1000 + 1, null), NOW)).toBe("valid");
  expect(stateOf(key(NOW / 1000, null), NOW)).toBe("expired");
  expect(stateOf(key(NOW / 1000 - 1, NOW / 1000), NOW)).toBe("revoked");
});

it("takes lists as people write them", () => {
  expect(listOf(" 192.0.2.1, 192.0.2.2;\n2001:db8::/32 ")).toEqual(["192.0.2.1", "192.0.2.2", "2001:db8::/32"]);
  expect(listOf(" ")).toEqual([]);
});

it("asks for a key of servers or of pages, never of both", () => {
  const draft = { ...NEW_KEY, label: " CRM ", scopes: ["dial"], addresses: "192.0.2.1", origins: "https://a.example" };
  expect(requestOf(draft)).toMatchObject({ label: "CRM", addresses: ["192.0.2.1"], origins: [] });
  expect(requestOf({ ...draft, inPages: true })).toMatchObject({ addresses: [], origins: ["https://a.example"] });
});

it("is valid through the last day", () => {
  const { expiresAt, maxCalls } = requestOf({ ...NEW_KEY, expires: "2026-12-31", maxCalls: "5" });
  const last = new Date(expiresAt! * 1000);
  expect([last.getDate(), last.getMonth(), last.getHours(), maxCalls]).toEqual([31, 11, 23, 5]);
  expect(requestOf(NEW_KEY)).toMatchObject({ expiresAt: null, maxCalls: null });
});
