import { HttpApi } from "sip-proxy-client";
import { afterEach, expect, test, vi } from "vitest";
import { expiresSoon, keepSignedIn } from "./renewToken";

const tokenWith = (claims: object): string => `e30.${btoa(JSON.stringify(claims))}.c2ln`;
const seconds = (): number => Math.floor(Date.now() / 1000);
const answering = (...answers: Response[]) => {
  const asked = vi.fn<typeof fetch>(() => Promise.resolve(answers.shift() ?? new Response(null, { status: 503 })));
  vi.stubGlobal("fetch", asked);
  return asked;
};
const serverWith = (token: string): HttpApi => Object.assign(new HttpApi(""), { token });

afterEach(() => vi.unstubAllGlobals());

test.each([
  [tokenWith({ exp: 1000 }), 900_000, false],
  [tokenWith({ exp: 1000 }), 941_000, true],
  [tokenWith({ exp: 1000 }), 2_000_000, true],
  [tokenWith({ sub: "1001" }), 0, false],
  ["secret", 0, false],
  [null, 0, false],
])("a token that ends soon: %s at %d is %s", (token, now, expected) => {
  expect(expiresSoon(token, now)).toBe(expected);
});

test("it is renewed before it ends, with the one that holds still", async () => {
  const token = tokenWith({ exp: seconds() + 30 });
  const asked = answering(Response.json({ token: "new", user: "1001", expiresAt: seconds() + 3600 }));
  const server = serverWith(token);
  await keepSignedIn(server);
  expect(server.token).toBe("new");
  const [path, init] = asked.mock.calls[0] ?? [];
  expect(path).toBe("/session/renew");
  expect(new Headers(init?.headers).get("Authorization")).toBe(`Bearer ${token}`);
});

test("nobody asks before it is time, and a refusal leaves the old one", async () => {
  const asked = answering();
  await keepSignedIn(serverWith(tokenWith({ exp: seconds() + 600 })));
  expect(asked).not.toHaveBeenCalled();
  const server = serverWith(tokenWith({ exp: seconds() + 30 }));
  const before = server.token;
  await keepSignedIn(server);
  expect(asked).toHaveBeenCalledOnce();
  expect(server.token).toBe(before);
});
