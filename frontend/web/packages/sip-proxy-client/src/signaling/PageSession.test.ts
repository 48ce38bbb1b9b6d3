import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeStorage, fakeBrowser } from "../testing/fakes.js";
import { PageSession } from "./PageSession.js";
import { isLockFree } from "./webLocks.js";

beforeEach(() => void fakeBrowser());
afterEach(() => vi.unstubAllGlobals());

/** A session that the server has given. */
async function begun(user = "1001"): Promise<PageSession> {
  const session = await PageSession.claim(user);
  session.token = `token of ${user}`;
  return session;
}

describe("a page's session", () => {
  it("is new in a new tab", async () => {
    expect(await PageSession.claim("1001")).toMatchObject({ token: null, isReload: false });
  });

  it("comes back after a reload", async () => {
    const before = await begun();
    unload(before);
    expect(await PageSession.claim("1001")).toMatchObject({ token: "token of 1001", isReload: true });
  });

  it("is not shared with a tab that was copied: that one begins its own", async () => {
    await begun();
    vi.stubGlobal("sessionStorage", new FakeStorage(sessionStorage as unknown as FakeStorage));
    const copy = await PageSession.claim("1001");
    expect(copy).toMatchObject({ token: null, isReload: false });
    copy.token = "another";
    unload(copy);
    expect((await PageSession.claim("1001")).token).toBe("another");
  });

  it("is not another user's", async () => {
    unload(await begun("1001"));
    expect(await PageSession.claim("1002")).toMatchObject({ token: null, isReload: false });
  });

  it("ends when its user signs out", async () => {
    const session = await begun();
    session.end();
    expect(await PageSession.claim("1001")).toMatchObject({ token: null, isReload: false });
  });

  it("lasts as long as the page where storage is forbidden", async () => {
    vi.stubGlobal("sessionStorage", undefined);
    const session = await begun();
    expect(session.token).toBe("token of 1001");
    session.end();
  });
});

it("a lock is free once its page is gone", async () => {
  const { acquireLock } = await import("./webLocks.js");
  const release = await acquireLock("x", 100);
  expect(await isLockFree("x")).toBe(false);
  release?.();
  await Promise.resolve();
  await Promise.resolve();
  expect(await isLockFree("x")).toBe(true);
});

/** The browser frees a page's locks with the page. */
function unload(session: PageSession): void {
  (session as unknown as { release: (() => void) | null }).release?.();
}
