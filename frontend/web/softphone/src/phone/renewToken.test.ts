import { HttpApi } from "sip-proxy-client";
import { afterEach, expect, test, vi } from "vitest";
import { dueSession, keepSignedIn } from "./renewToken";

const tokenWith = (claims: object): string => `e30.${btoa(JSON.stringify({ sid: "s1", ...claims }))}.c2ln`;
const seconds = (): number => Math.floor(Date.now() / 1000);
const answering = (...answers: Response[]) => {
  const asked = vi.fn<typeof fetch>(() => Promise.resolve(answers.shift() ?? new Response(null, { status: 503 })));
  vi.stubGlobal("fetch", asked);
  return asked;
};
const serverWith = (token: string): HttpApi => Object.assign(new HttpApi(""), { token });

afterEach(() => vi.unstubAllGlobals());

test.each([
  [tokenWith({ exp: 1000 }), 900_000, null],
  [tokenWith({ exp: 1000 }), 941_000, "s1"],
  [tokenWith({ exp: 1000 }), 2_000_000, "s1"],
  [tokenWith({ exp: 1000, sid: undefined }), 2_000_000, null],
  [tokenWith({ sub: "1001" }), 0, null],
  ["secret", 0, null],
  [null, 0, null],
])("which session is to be refreshed: %s at %d is %s", (token, now, expected) => {
  expect(dueSession(token, now)).toBe(expected);
});

test("it is refreshed before its token ends, by the cookie of its session", async () => {
  const token = tokenWith({ exp: seconds() + 30 });
  const asked = answering(Response.json({ token: "new", user: "1001", expiresAt: seconds() + 900 }));
  const server = serverWith(token);
  expect(await keepSignedIn(server)).toBe(true);
  expect(server.token).toBe("new");
  const [path, init] = asked.mock.calls[0] ?? [];
  expect([path, init?.body]).toEqual(["/session/refresh", JSON.stringify({ session: "s1" })]);
});

test("nobody asks before it is time", async () => {
  const asked = answering();
  expect(await keepSignedIn(serverWith(tokenWith({ exp: seconds() + 600 })))).toBe(false);
  expect(asked).not.toHaveBeenCalled();
});

test("a lost response is asked for again as the same attempt, and a refusal ends it", async () => {
  const asked = answering(new Response(null, { status: 503 }), new Response(null, { status: 401 }));
  const server = serverWith(tokenWith({ exp: seconds() + 30 }));
  const before = server.token;
  expect(await keepSignedIn(server)).toBe(true);
  expect(await keepSignedIn(server)).toBe(false);
  expect(server.token).toBe(before);
  const attempts = asked.mock.calls.map(([, init]) => new Headers(init?.headers).get("Idempotency-Key"));
  expect(attempts[0]).toBeTruthy();
  expect(attempts[1]).toBe(attempts[0]);
});
