import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SIPProxyError } from "./errors.js";
import type { HttpError } from "./http/HttpApi.js";
import { fakeWorld, fate, pass, told, type World } from "./testing/clients.js";
import { FakeSocket, settled } from "./testing/fakes.js";
import { jwt, summary } from "./testing/proxy.js";

let world: World;
beforeEach(() => void (world = fakeWorld()));
afterEach(async () => {
  await world.end();
  expect(world.unhandled).toEqual([]);
});

const credentials = { apiKey: "1001", secret: "secret" };

describe("a server without sign-in", () => {
  it("registers, and tells so in order", async () => {
    const client = world.client();
    const events = told(client);
    await client.register();
    expect(events).toEqual(["registering", "registered"]);
    expect(FakeSocket.last.url).toBe("wss://pbx.example/ws");
    expect(world.proxy.of("register")).toEqual([{ type: "register", user: "1001" }]);
    expect(world.proxy.requests).toEqual([]);
  });

  it("connects to nothing before it is asked to", async () => {
    world.client();
    await pass(1000);
    expect(FakeSocket.all).toEqual([]);
  });

  it("gives a guest the same name until the tab is closed", () => {
    const name = world.client({ user: undefined }).user;
    expect(name).toMatch(/^guest-[0-9a-f]{6}$/);
    expect(world.client({ user: undefined }).user).toBe(name);
  });

  it("registers once for two that ask", async () => {
    const client = world.client();
    const events = told(client);
    await Promise.all([client.register(), client.register()]);
    await client.register();
    expect(events).toEqual(["registering", "registered"]);
    expect(world.proxy.of("register")).toHaveLength(1);
  });

  it("takes calls no more, and again", async () => {
    const client = world.client();
    const events = told(client);
    await client.register();
    await client.unregister();
    expect(client.isRegistered).toBe(false);
    await client.register();
    expect(events).toEqual(["registering", "registered", "unregistered", "registering", "registered"]);
  });

  it("tells a loss, and that it is back", async () => {
    const client = world.client();
    await client.register();
    const events = told(client);
    await world.proxy.vanish();
    expect(client.state.link).toBe("lost");
    world.proxy.reachable = true;
    await pass(6000);
    expect(events).toEqual(["unregistered", "registering", "registered"]);
  });

  it("does not say that it registers where calls are not to ring", async () => {
    const client = world.client();
    client.call("600");
    await settled();
    const events = told(client);
    await world.proxy.vanish();
    world.proxy.reachable = true;
    await pass(6000);
    expect(events).toEqual([]);
    expect(world.proxy.of("unregister").length).toBeGreaterThan(0);
  });
});

describe("a server with sign-in", () => {
  beforeEach(() => void (world.proxy.authentication = true));

  it("gets a token by name and password", async () => {
    const client = world.client({ credentials });
    const events = told(client);
    await client.register();
    expect(world.proxy.requests).toEqual(["GET /config", "POST /session"]);
    expect(world.proxy.of("register")).toEqual([{ type: "register", user: "1001", token: "token 1" }]);
    expect(events).toEqual(["registering", "registered"]);
  });

  it("takes the words of other kits", async () => {
    const client = world.client({ credentials: { user: "1001", password: "secret" } });
    await client.register();
    expect(client.isRegistered).toBe(true);
  });

  it("uses a token as it is", async () => {
    const token = jwt({ sub: "1002" });
    world.proxy.tokens.add(token);
    const client = world.client({ credentials: { token }, user: undefined });
    await client.register();
    expect(world.proxy.of("register")).toEqual([{ type: "register", user: "1002", token }]);
    expect(world.proxy.requests).toEqual([]);
  });

  it("gets a token for an API key, and another one before it expires", async () => {
    world.proxy.passwords["ab_7f3k2m9qx4wz_right"] = "";
    const client = world.client({ credentials: { apiKey: "ab_7f3k2m9qx4wz", secret: "right", user: "1001" } });
    await client.register();
    expect(world.proxy.requests).toEqual(["GET /config", "POST /tokens"]);
    expect(world.proxy.of("register").at(-1)).toEqual({ type: "register", user: "1001", token: "token 1" });
    await pass(world.proxy.tokenSeconds * 1000);
    expect(world.proxy.requests.filter((request) => request === "POST /tokens").length).toBeGreaterThan(1);
  });

  it("rejects a wrong API key", async () => {
    const client = world.client({ credentials: { apiKey: "ab_7f3k2m9qx4wz", secret: "wrong", user: "1001" } });
    await expect(client.register()).rejects.toMatchObject({ code: "unauthorized", fatal: true });
  });

  it("rejects a wrong password, and says so once", async () => {
    const client = world.client({ credentials: { apiKey: "1001", secret: "wrong" } });
    const events = told(client);
    const errors: SIPProxyError[] = [];
    client.on("error", (error) => errors.push(error));
    await expect(client.register()).rejects.toMatchObject({ name: "SIPProxyError", code: "unauthorized", fatal: true });
    await pass(60_000);
    expect(events).toEqual(["registering", "error unauthorized"]);
    expect(errors[0]!.fatal).toBe(true);
    expect(world.proxy.requests).toHaveLength(2);
  });

  it("tells what else a sign-in requires, with the challenge that answers it", async () => {
    world.proxy.required = "password_change_required";
    const client = world.client({ credentials: { user: "1001", password: "secret" } });
    const error: SIPProxyError = await client.register().catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "password_change_required", fatal: true });
    expect((error.cause as HttpError).details.challenge).toBe("a challenge");
    await pass(60_000);
    expect(world.proxy.requests).toHaveLength(2);
  });

  it("tries a wrong password again only where it is asked to", async () => {
    const client = world.client({ credentials: { apiKey: "1001", secret: "late" } });
    await expect(client.register()).rejects.toMatchObject({ code: "unauthorized" });
    world.proxy.passwords["1001"] = "late";
    await client.register();
    expect(client.isRegistered).toBe(true);
  });

  it("takes a token in place of a password that was wrong", async () => {
    const client = world.client({ credentials: { apiKey: "1001", secret: "wrong" } });
    await expect(client.register()).rejects.toMatchObject({ code: "unauthorized" });
    const token = jwt({ sub: "1001" });
    world.proxy.tokens.add(token);
    client.updateToken(token);
    await settled();
    expect(client.isRegistered).toBe(true);
  });

  it("rejects a token that the server does not take, without waiting", async () => {
    const client = world.client({ credentials: { token: jwt({ sub: "1001" }) } });
    const events = told(client);
    const came = fate(client.register());
    await pass(100);
    expect(came()).toBe("unauthorized");
    expect(events).toEqual(["registering", "error unauthorized"]);
  });

  it("signs in again where the token is taken no more, and troubles nobody", async () => {
    const client = world.client({ credentials });
    await client.register();
    const events = told(client);
    world.proxy.tokens.clear();
    await world.proxy.vanish();
    world.proxy.reachable = true;
    await pass(6000);
    expect(client.isRegistered).toBe(true);
    expect(events).toEqual(["unregistered", "registering", "registered"]);
  });

  it("asks no more where the password is another one now", async () => {
    const client = world.client({ credentials });
    await client.register();
    const call = await world.talking(client);
    const events = told(client);
    world.proxy.passwords["1001"] = "changed";
    world.proxy.tokens.clear();
    world.proxy.calls = [summary(call.id)];
    await world.proxy.vanish();
    world.proxy.reachable = true;
    await pass(60_000);
    expect(events.filter((one) => one.startsWith("error"))).toEqual(["error unauthorized"]);
    expect(world.proxy.requests.filter((one) => one === "POST /session")).toHaveLength(2);
    expect(call.state).toBe("accepted"); // it needs none
    expect(() => client.call("601")).toThrow(expect.objectContaining({ code: "unauthorized" }));
    call.hangup();
    expect(events.filter((one) => one.startsWith("error"))).toEqual(["error unauthorized"]);
  });

  it("gives up where not even a new token is taken", async () => {
    const client = world.client({ credentials });
    vi.spyOn(world.proxy.tokens, "has").mockReturnValue(false);
    const events = told(client);
    const came = fate(client.register());
    await pass(60_000);
    expect(came()).toBe("unauthorized");
    expect(events).toEqual(["registering", "error unauthorized"]);
    expect(world.proxy.requests.filter((one) => one === "POST /session")).toHaveLength(2);
  });

  it("gets another token before the last one runs out", async () => {
    const client = world.client({ credentials });
    await client.register();
    const events = told(client);
    await pass(3550_000);
    expect(world.proxy.of("register")).toHaveLength(1);
    expect(world.proxy.of("authenticate")).toEqual([{ type: "authenticate", token: "token 2" }]);
    await pass(3600_000 * 10);
    expect(client.isRegistered).toBe(true);
    expect(events).toEqual([]);
  });

  it("does not ask without end for tokens that last shortly", async () => {
    world.proxy.tokenSeconds = 20;
    const client = world.client({ credentials });
    await client.register();
    await pass(60_000);
    const asked = world.proxy.requests.filter((one) => one === "POST /session").length;
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(10);
  });

  it("tells in time that a token is to be replaced", async () => {
    const token = jwt({ sub: "1001", exp: Date.now() / 1000 + 600 });
    world.proxy.tokens.add(token);
    const client = world.client({ credentials: { token } });
    await client.register();
    const events = told(client);
    await pass(530_000);
    expect(events).toEqual([]);
    await pass(20_000);
    expect(events).toEqual(["tokenWillExpire 60"]);
    const next = jwt({ sub: "1001", exp: Date.now() / 1000 + 600 });
    world.proxy.tokens.add(next);
    client.updateToken(next);
    await settled();
    expect(world.proxy.of("authenticate").at(-1)).toMatchObject({ token: next });
    await pass(545_000);
    expect(events).toEqual(["tokenWillExpire 60", "tokenWillExpire 60"]);
  });
});

describe("a server that gives refresh tokens", () => {
  beforeEach(() => Object.assign(world.proxy, { authentication: true, refreshToken: "refresh 0", tokenSeconds: 900 }));
  const signIns = (): number => world.proxy.requests.filter((one) => one === "POST /session").length;

  it("is asked with each of them once, and a call notices nothing", async () => {
    const client = world.client({ credentials });
    await client.register();
    const call = await world.talking(client);
    const events = [...told(client), ...told(call)];
    await pass(3600_000);
    expect(world.proxy.refreshes.map(({ refreshToken }) => refreshToken)).toEqual(
      [1, 2, 3, 4].map((number) => `refresh ${number}`),
    );
    expect(new Set(world.proxy.refreshes.map(({ attempt }) => attempt)).size).toBe(4);
    expect(world.proxy.of("authenticate").map(({ token }) => token)).toEqual([2, 3, 4, 5].map((n) => `token ${n}`));
    expect([world.proxy.of("register").length, signIns(), FakeSocket.all.length]).toEqual([1, 1, 1]);
    expect([events, call.state]).toEqual([[], "accepted"]);
  });

  it("gets a refresh whose response was lost again as the same attempt", async () => {
    const client = world.client({ credentials });
    await client.register();
    world.proxy.lostResponses = 3;
    await pass(880_000);
    const [first, ...others] = world.proxy.refreshes;
    expect(others).toEqual([first, first, first]);
    expect([signIns(), world.proxy.of("authenticate").length]).toEqual([1, 1]);
  });

  it("has the password where it refuses to refresh", async () => {
    const client = world.client({ credentials });
    await client.register();
    world.proxy.refreshToken = "refresh of nobody";
    await pass(900_000);
    expect([signIns(), world.proxy.of("authenticate").at(-1)?.token]).toEqual([2, "token 2"]);
  });

  it("refreshes after a sleep in which the token has expired, before it asks anybody", async () => {
    const token = jwt({ sub: "1001", exp: Date.now() / 1000 + 900, sid: "s" });
    world.proxy.tokens.add(token);
    const client = world.client({ credentials: { token, refreshToken: "refresh 0" } });
    await client.register();
    const events = told(client);
    const stored: unknown[] = [];
    client.on("tokenRefreshed", (session) => stored.push(session));
    await world.proxy.vanish();
    world.proxy.tokens.clear();
    vi.setSystemTime(Date.now() + 8 * 3600_000);
    world.proxy.reachable = true;
    await pass(35_000);
    expect([client.isRegistered, client.error]).toEqual([true, null]);
    expect(events.filter((one) => one.startsWith("error") || one.startsWith("tokenWill"))).toEqual([]);
    expect(stored).toEqual([expect.objectContaining({ token: "token 1", refreshToken: "refresh 1" })]);
  });

  it("has the cookie of the page's own session", async () => {
    world.proxy.refreshToken = "a cookie";
    const token = jwt({ sub: "1001", exp: Date.now() / 1000 + 900, sid: "a cookie" });
    world.proxy.tokens.add(token);
    const client = world.client({ credentials: { token, cookie: true } });
    await client.register();
    await pass(870_000);
    expect(world.proxy.refreshes).toEqual([{ session: "a cookie", attempt: expect.any(String) as string }]);
    expect(world.proxy.of("authenticate")).toHaveLength(1);
  });

  it("tells an app ahead that it refreshes no more, and that it has signed out", async () => {
    const token = jwt({ sub: "1001", exp: Date.now() / 1000 + 900 });
    world.proxy.tokens.add(token);
    const client = world.client({ credentials: { token, refreshToken: "refresh of nobody" } });
    await client.register();
    const events = told(client);
    await pass(900_000);
    expect(events).toEqual([expect.stringMatching(/^tokenWillExpire ([6-9]\d|10\d)$/)]);
    world.proxy.tokens.clear();
    await world.proxy.vanish();
    world.proxy.reachable = true;
    await pass(10_000);
    expect(events.at(-1)).toBe("error unauthorized");
  });

  it("is told of a sign-out, after the calls have ended", async () => {
    const client = world.client({ credentials });
    await client.register();
    await world.talking(client);
    await client.signOut();
    expect(world.proxy.of("hangup")).toHaveLength(1);
    expect(world.proxy.requests.at(-1)).toBe("DELETE /session");
    expect(client.isClosed).toBe(true);
  });
});

describe("a server that is not there", () => {
  it("rejects, and goes on trying", async () => {
    world.proxy.reachable = false;
    const client = world.client();
    const events = told(client);
    const came = fate(client.register());
    await pass(14_000);
    expect(came()).toBe("");
    await pass(2000);
    expect(came()).toBe("server_unreachable");
    world.proxy.reachable = true;
    await pass(10_000);
    expect(client.isRegistered).toBe(true);
    expect(events.at(-1)).toBe("registered");
    expect(new Set(events.slice(0, -1))).toEqual(new Set(["registering", "error server_unreachable"]));
  });

  it("rejects, and goes on signing in", async () => {
    world.proxy.authentication = true;
    world.proxy.reachable = false;
    const client = world.client({ credentials });
    const events = told(client);
    const came = fate(client.register());
    await settled();
    expect(came()).toBe("server_unreachable");
    await pass(60_000);
    expect(events.filter((one) => one.startsWith("error"))).toEqual(["error server_unreachable"]);
    world.proxy.reachable = true;
    await pass(10_000);
    expect(client.isRegistered).toBe(true);
  });

  it("signs in at once where somebody asks for it meanwhile", async () => {
    world.proxy.authentication = true;
    world.proxy.status = 503;
    const client = world.client({ credentials });
    await expect(client.register()).rejects.toMatchObject({ code: "unavailable", fatal: false });
    world.proxy.status = 0;
    await client.register();
    expect(client.isRegistered).toBe(true);
  });
});

describe("what makes no sense", () => {
  it.each([
    [{ proxyUrl: "ftp://pbx.example" }, "proxyUrl is “ftp://pbx.example”"],
    [{ proxyUrl: "https://pbx.example", bridgeUrl: "mailto:x" }, "bridgeUrl is “mailto:x”"],
  ])("is told of an address that is none, and nothing is thrown by making a client: %j", async (options, words) => {
    const client = world.client(options);
    const events = told(client);
    expect(client.error).toMatchObject({
      code: "invalid_address",
      fatal: true,
      message: expect.stringContaining(words) as string,
    });
    await expect(client.register()).rejects.toBe(client.error);
    expect(events).toEqual(["error invalid_address"]);
    expect(() => client.call("600")).toThrow(client.error!);
    await expect(client.createCall({ target: "600" })).rejects.toBe(client.error);
    client.reconnect();
    await client.unregister();
    expect([FakeSocket.all.length, client.calls]).toEqual([0, []]);
  });

  it.each([
    [404, "invalid_address"],
    [401, "invalid_address"],
    [403, "invalid_address"],
    [502, "unavailable"],
    [429, "refused"],
  ])("does not take a server of another kind for a wrong password: %i", async (status, code) => {
    world.proxy.authentication = true;
    world.proxy.status = status;
    const client = world.client({ credentials });
    await expect(client.register()).rejects.toMatchObject({ code });
    if (code === "invalid_address")
      expect(client.error?.message).toBe(
        `proxyUrl is not the server's HTTP address: GET https://pbx.example/config returned ${status}.`,
      );
  });

  it.each(["<!doctype html>", "[]", "null"])("does not take a page for a server: %s", async (body) => {
    vi.stubGlobal("fetch", async () => new Response(body));
    await expect(world.client({ credentials }).register()).rejects.toMatchObject({ code: "invalid_address" });
  });
});

describe("a server that is not there", () => {
  it.each([{}, { credentials }])("is told of at once, once, until it is there: %j", async (options) => {
    world.proxy.reachable = false;
    const client = world.client(options);
    const events = told(client);
    const came = fate(client.register());
    await settled();
    expect(client.error).toMatchObject({ code: "server_unreachable", fatal: false });
    expect(client.error?.message).toMatch(/^The server cannot be reached at (https|wss):\/\/pbx\.example/);
    await pass(60_000);
    expect([came(), events]).toEqual(["server_unreachable", ["registering", "error server_unreachable"]]);
    world.proxy.reachable = true;
    await pass(10_000);
    expect([client.error, client.isRegistered, events.at(-1)]).toEqual([null, true, "registered"]);
    await world.proxy.vanish();
    expect([client.error, events.at(-1)]).toEqual([null, "registering"]);
  });
});

describe("the end", () => {
  const closed = expect.objectContaining({ code: "closed" });

  it("leaves nothing", async () => {
    const client = world.client();
    await client.register();
    client.close();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
    expect(FakeSocket.all.every((socket) => socket.closed)).toBe(true);
    expect(world.page.contexts()).toBe(0);
  });

  it.each<[{ reachable?: boolean; authentication?: boolean }]>([
    [{ reachable: false }],
    [{ authentication: true }],
    [{ authentication: true, reachable: false }],
  ])("lets nobody wait: %j", async (how) => {
    Object.assign(world.proxy, how);
    const client = world.client(how.authentication ? { credentials } : {});
    const came = fate(client.register());
    client.close();
    await settled();
    expect(came()).toBe("closed");
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends a sign-in that does not come back", async () => {
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    const client = world.client({ credentials });
    const came = fate(client.register());
    await pass(100);
    client.close();
    await settled();
    expect(came()).toBe("closed");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes a microphone that is allowed after it", async () => {
    let allow = (): void => undefined;
    world.page.microphone.open = () => new Promise((resolve) => (allow = resolve));
    const client = world.client();
    client.call("600");
    await settled();
    client.close();
    allow();
    await settled();
    expect(world.page.microphone.opened.map(({ stopped }) => stopped)).toEqual([true]);
    expect(world.page.contexts()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is quiet where there are no connections to be had", async () => {
    vi.stubGlobal("RTCPeerConnection", undefined);
    const client = world.client();
    await client.register();
    const call = client.call("600");
    const events = told(call);
    await pass(100);
    expect(events.at(-1)).toBe("disconnected");
    client.close();
  });

  it("leaves nothing where signing in ends after it", async () => {
    let answer = (): void => undefined;
    const { fetch } = globalThis;
    vi.stubGlobal("fetch", async (url: string, init?: RequestInit) => {
      if (url.endsWith("/session")) await new Promise<void>((resolve) => (answer = resolve));
      return fetch(url, init);
    });
    world.proxy.authentication = true;
    const client = world.client({ credentials });
    client.register().catch(() => undefined);
    await settled();
    client.close();
    answer();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is no good afterwards, and may come twice", async () => {
    const client = world.client();
    await client.register();
    client.close();
    client.close();
    expect(() => client.call("600")).toThrow(closed);
    await expect(client.register()).rejects.toEqual(closed);
    await expect(client.runPreflight()).rejects.toEqual(closed);
    client.updateToken(jwt({ sub: "1001", exp: Date.now() / 1000 + 600 }));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes what never began", () => {
    const client = world.client();
    client.close();
    expect(FakeSocket.all).toEqual([]);
    expect(() => client.call("600")).toThrow(closed);
  });
});
