import { type Api, HttpApi } from "sip-proxy-client";
import { afterEach, expect, it, vi } from "vitest";
import { NO_ANSWER } from "../texts";
import { adminApi, auditQueryOf, codeOf, errorText, queryOf } from "./adminApi";

const USER = { id: "usr_1f", name: "1005", revision: 17 } as Api.UserData;

/** What is asked of the server, which answers with `status` and `body`. */
function serverAnswers(status: number, body: object | null): { url: string; init: RequestInit }[] {
  const asked: { url: string; init: RequestInit }[] = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return Promise.resolve(new Response(body && JSON.stringify(body), { status }));
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

it("changes a user only as it was seen", async () => {
  const asked = serverAnswers(200, USER);
  const api = adminApi(new HttpApi(""), () => undefined);
  await api.lockUser(USER, true);
  await api.changeUser(USER, { roles: ["user"] });
  await api.signOutUser(USER);
  await api.makeSipPassword(USER);
  await api.removeSipPassword(USER);
  for (const { init } of asked) expect(new Headers(init.headers).get("If-Match")).toBe('"17"');
  expect(asked.map(({ url, init }) => [init.method, url, init.body])).toEqual([
    ["PUT", "/users/usr_1f/lock", '{"locked":true}'],
    ["PUT", "/users/usr_1f", '{"roles":["user"]}'],
    ["DELETE", "/users/usr_1f/sessions", null],
    ["POST", "/users/usr_1f/sip-password", null],
    ["DELETE", "/users/usr_1f/sip-password", null],
  ]);
});

it("tells of a sign-in that has ended, and of nothing else", async () => {
  const ended = vi.fn();
  const api = adminApi(new HttpApi(""), ended);
  serverAnswers(409, { code: "last_admin", detail: "1005 is the only admin." });
  const refused = await api.removeUser(USER).catch((error: unknown) => error);
  expect([errorText(refused), codeOf(refused)]).toEqual(["1005 is the only admin.", "last_admin"]);
  expect(ended).not.toHaveBeenCalled();
  serverAnswers(401, { code: "unauthorized", detail: "Sign in again." });
  await expect(api.me()).rejects.toThrow("Sign in again.");
  expect(ended).toHaveBeenCalledExactlyOnceWith("Sign in again.");
});

it("says so if there is no answer", () => {
  expect(errorText(new TypeError("failed to fetch"))).toBe(NO_ANSWER);
});

it("searches without spaces around, and asks for nothing that is not chosen", () => {
  expect(String(queryOf({ search: " pat ", role: "", locked: false }))).toBe("limit=100&search=pat");
  expect(String(queryOf({ search: "", role: "admin", locked: true }, "next"))).toBe(
    "limit=100&role=admin&locked=true&cursor=next",
  );
});

it("asks the audit log for whole names", () => {
  expect(String(auditQueryOf({ actor: " 1001 ", object: "", result: "refused" }, "abc"))).toBe(
    "actor=1001&result=refused&cursor=abc",
  );
});
