import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CallSummary, ServerMessage } from "../protocol/messages.js";
import { FakeSocket, fakeBrowser, settled } from "../testing/fakes.js";
import type { PageSession } from "./PageSession.js";
import { type ListKind, SignalingClient } from "./SignalingClient.js";

const welcome = (session: string): ServerMessage => ({ type: "welcome", version: "1", authentication: true, session });
const registered: ServerMessage = { type: "registered", user: "1001" };
const calls = (...list: CallSummary[]): ServerMessage => ({ type: "calls", calls: list });

let link: SignalingClient;
let session: { token: string | null };
let lists: ListKind[];
let heard: string[];
let seen: string[]; // what people see, each time that it changes
let refusals: string[];
let inCall: boolean;

function start(token: string | null = null): void {
  session = { token };
  [lists, heard, seen, refusals, inCall] = [[], [], [], [], false];
  link = new SignalingClient({
    url: "ws://x/ws",
    user: "1001",
    token: () => "t",
    session: Promise.resolve(session as PageSession),
    isInCall: () => inCall,
    onMessage: ({ type }) => heard.push(type),
    onCalls: (_, when) => lists.push(when),
    onChange: () => {
      const now = `${link.status}${link.registered ? " registered" : ""}`;
      if (seen.at(-1) !== now) seen.push(now);
    },
    onUnauthorized: (reason) => refusals.push(reason),
  });
}

async function stands(socket = FakeSocket.last, token = "s2"): Promise<FakeSocket> {
  socket.open();
  socket.say(welcome(token));
  await settled();
  socket.say(registered, calls());
  return socket;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  fakeBrowser();
});
afterEach(() => {
  link.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("a new page", () => {
  it("keeps the session of its welcome, and registers", async () => {
    start();
    const socket = await stands();
    expect(socket.told).toEqual([{ type: "register", user: "1001", token: "t" }]);
    expect(session.token).toBe("s2");
    expect([link.status, link.registered, link.ready]).toEqual(["open", true, true]);
  });

  it("is heard only once it is registered", async () => {
    start();
    FakeSocket.last.open();
    FakeSocket.last.say(welcome("s"));
    expect(link.send({ type: "hangup", callId: "c" })).toBe(false);
    await settled();
    FakeSocket.last.say(registered);
    expect(link.send({ type: "hangup", callId: "c" })).toBe(true);
  });
});

describe("a page that returns", () => {
  it("resumes before it registers", async () => {
    start("s1");
    const socket = await stands();
    expect(socket.told.map(({ type }) => type)).toEqual(["resume", "register"]);
    expect(socket.told[0]).toEqual({ type: "resume", session: "s1", token: "t" });
    socket.say({ type: "resumed", session: "s1" });
    await settled();
    expect(session.token).toBe("s1");
  });

  it("takes the new session where the old one is not known, and stays signed in", async () => {
    start("old");
    const socket = await stands(FakeSocket.last, "new");
    socket.say({ type: "error", code: "unauthorized", field: "session", message: "not known" });
    await settled();
    expect(session.token).toBe("new");
    expect(refusals).toEqual([]);
  });

  it("is signed out where its sign-in is refused", async () => {
    start("s1");
    const socket = await stands();
    socket.say({ type: "error", code: "unauthorized", field: "token", message: "expired" });
    expect(refusals).toEqual(["expired"]);
  });

  it("has its calls do as they are told where its sign-in is refused", async () => {
    start("s1");
    const socket = FakeSocket.last;
    socket.open();
    socket.say(welcome("s2"));
    await settled();
    socket.say({ type: "resumed", session: "s1" }, calls(), {
      type: "error",
      code: "unauthorized",
      field: "token",
      message: "expired",
    });
    expect([refusals, link.status, link.registered, link.ready, lists]).toEqual([
      ["expired"],
      "open",
      false,
      true,
      ["first"],
    ]);
    expect(link.send({ type: "hangup", callId: "c" })).toBe(true);
    expect(socket.told.at(-1)).toEqual({ type: "hangup", callId: "c" });
    link.authenticate(); // somebody has signed in again
    socket.say(registered, calls());
    expect([link.registered, lists]).toEqual([true, ["first", "first"]]);
  });

  it("is not heard where neither its session nor its sign-in is taken", async () => {
    start("old");
    FakeSocket.last.open();
    FakeSocket.last.say(welcome("new"));
    await settled();
    FakeSocket.last.say(
      { type: "error", code: "unauthorized", field: "session", message: "not known" },
      { type: "error", code: "unauthorized", message: "expired" },
    );
    expect([refusals, link.ready]).toEqual([["expired"], false]);
  });

  it("tells of a call that is refused for want of a sign-in", async () => {
    start("s1");
    const socket = await stands();
    socket.say({ type: "error", code: "unauthorized", callId: "c", message: "sign in first" });
    expect(heard.at(-1)).toBe("error");
  });

  it("gets the first full list as that, on each connection", async () => {
    start("s1");
    const first = FakeSocket.last;
    first.open();
    first.say(welcome("s2"));
    await settled();
    first.say({ type: "resumed", session: "s1" }, calls(), registered, calls(), calls());
    first.end();
    vi.advanceTimersByTime(300);
    await stands();
    expect(lists).toEqual(["first", "later", "first"]);
  });
});

describe("a lost connection", () => {
  it("is shown, made again with growing pauses, and resumed", async () => {
    start();
    const first = await stands();
    first.end();
    expect([link.status, link.ready]).toEqual(["lost", false]);
    vi.advanceTimersByTime(250);
    expect(FakeSocket.all.length).toBe(2);
    FakeSocket.last.end();
    vi.advanceTimersByTime(499);
    expect(FakeSocket.all.length).toBe(2);
    vi.advanceTimersByTime(1);
    const third = await stands(FakeSocket.last, "s9");
    expect(third.told[0]).toEqual({ type: "resume", session: "s2", token: "t" });
    expect(seen).toEqual(["open registered", "lost", "open registered"]);
  });

  it("is found when a ping has no answer", async () => {
    start();
    const socket = await stands();
    inCall = true;
    vi.advanceTimersByTime(3500);
    expect(socket.sent.at(-1)).toEqual({ type: "ping", id: 1 });
    expect(link.status).toBe("open");
    vi.advanceTimersByTime(3000);
    expect([link.status, socket.closed]).toEqual(["lost", true]);
  });

  it("is found soon after a hint", async () => {
    start();
    await stands();
    link.check();
    vi.advanceTimersByTime(2000);
    expect(link.status).toBe("lost");
  });

  it("gives up a try that comes to nothing", () => {
    start();
    vi.advanceTimersByTime(5000);
    expect([link.status, FakeSocket.last.closed]).toEqual(["lost", true]);
  });

  it("takes a new session where its own goes on elsewhere", async () => {
    start("s1");
    const socket = await stands();
    socket.end(4001);
    await settled();
    vi.advanceTimersByTime(250);
    const next = await stands(FakeSocket.last, "s3");
    expect(next.told.map(({ type }) => type)).toEqual(["register"]);
    expect(session.token).toBe("s3");
  });
});

describe("a press", () => {
  it("waits for a connection that is being made", async () => {
    start();
    const ready = link.whenReady(3000);
    await stands();
    expect(await ready).toBe(true);
  });

  it("waits no longer than it may, and not at all for one that is lost", async () => {
    start();
    const ready = link.whenReady(3000);
    vi.advanceTimersByTime(3000);
    expect(await ready).toBe(false);
    FakeSocket.last.end();
    expect(await link.whenReady(3000)).toBe(false);
  });
});

describe("a server that is about to be replaced", () => {
  it("is left at a random moment for its successor, and nobody sees it", async () => {
    start();
    const old = await stands();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    old.say({ type: "reconnect", within: 4 });
    vi.advanceTimersByTime(1999);
    expect(FakeSocket.all.length).toBe(1);
    vi.advanceTimersByTime(1);
    expect([FakeSocket.all.length, old.closed, link.ready]).toEqual([2, false, true]);
    const next = await stands();
    expect([old.closed, next.told[0]?.type, link.ready]).toEqual([true, "resume", true]);
    expect(seen).toEqual(["open registered"]);
  });

  it("is used until its end where there is no successor yet", async () => {
    start();
    const old = await stands();
    old.say({ type: "reconnect", within: 1 });
    vi.advanceTimersByTime(1000);
    FakeSocket.last.end(); // 503
    expect(link.send({ type: "hangup", callId: "c" })).toBe(true);
    vi.advanceTimersByTime(500);
    FakeSocket.last.end();
    old.end(1012);
    expect([link.status, link.registered, link.ready]).toEqual(["open", true, false]);
    vi.advanceTimersByTime(250);
    await stands();
    vi.advanceTimersByTime(10_000);
    expect(seen).toEqual(["open registered"]);
  });

  it("is missed openly after two seconds", async () => {
    start();
    const old = await stands();
    old.say({ type: "reconnect", within: 9 });
    old.end(1012);
    vi.advanceTimersByTime(1999);
    expect(link.status).toBe("open");
    vi.advanceTimersByTime(1);
    expect([link.status, link.registered]).toEqual(["lost", false]);
  });
});
