// @vitest-environment jsdom
import { act, cleanup, render, renderHook } from "@testing-library/react";
import { Activity, type ReactNode, StrictMode } from "react";
import { type ClientState, SIPProxyClient } from "sip-proxy-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeSocket } from "../../sip-proxy-client/src/testing/fakes.js";
import { fakeMedia } from "../../sip-proxy-client/src/testing/page.js";
import { FakeProxy, jwt, state, summary } from "../../sip-proxy-client/src/testing/proxy.js";
import {
  type SIPCallHook,
  SIPProxyProvider,
  type UseSIPProxyOptions,
  useSIPCall,
  useSIPProxy,
  useSIPProxyClient,
  useSIPState,
} from "./index.js";

let proxy: FakeProxy;
beforeEach(() => {
  vi.useFakeTimers({
    now: 1_700_000_000_000,
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
  });
  fakeMedia();
  sessionStorage.clear();
  FakeSocket.all = [];
  proxy = new FakeProxy();
});
afterEach(async () => {
  cleanup();
  await vi.advanceTimersByTimeAsync(1000);
  expect(open()).toEqual([]);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const proxyUrl = "https://pbx.example";
const open = (): FakeSocket[] => FakeSocket.all.filter(({ closed }) => !closed);
const pass = (ms = 50): Promise<void> => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

async function phone(options: UseSIPProxyOptions = { proxyUrl }, strict = false): Promise<{ current: SIPCallHook }> {
  const { result } = renderHook(() => useSIPCall(options), strict ? { wrapper: StrictMode } : {});
  await pass();
  return result;
}

describe.each([
  ["as it is", false],
  ["in StrictMode", true],
])("useSIPCall, %s", (_, strict) => {
  it("calls, talks, and hangs up", async () => {
    const hook = await phone({ proxyUrl }, strict);
    expect([hook.current.call, hook.current.isConnected, hook.current.isRegistered, hook.current.error]).toEqual([
      null,
      false,
      true,
      null,
    ]);
    act(() => void hook.current.makeCall("600"));
    await pass();
    const { call } = hook.current;
    expect([call?.number, hook.current.isConnected]).toEqual(["600", false]);
    act(() => proxy.say(state(call!.id, "accepted")));
    expect(hook.current.isConnected).toBe(true);
    act(() => hook.current.endCall());
    expect([hook.current.call, hook.current.isConnected]).toEqual([null, false]);
    expect(proxy.of("hangup")).toEqual([{ type: "hangup", callId: call!.id }]);
  });

  it("is answered, and declines", async () => {
    const hook = await phone({ proxyUrl }, strict);
    act(() => proxy.ring("in"));
    expect(hook.current.incoming?.name).toBe("Desk");
    act(() => hook.current.answer());
    await pass();
    expect([hook.current.isConnected, hook.current.incoming]).toEqual([true, null]);
    act(() => proxy.ring("second"));
    expect(hook.current.calls).toHaveLength(2);
    act(() => hook.current.reject());
    expect([hook.current.calls.map(({ id }) => id), proxy.of("decline")]).toEqual([
      ["in"],
      [{ type: "decline", callId: "second" }],
    ]);
  });

  it("has one connection, and closes it", async () => {
    const { unmount } = renderHook(() => useSIPCall({ proxyUrl }), strict ? { wrapper: StrictMode } : {});
    await pass();
    expect(open()).toHaveLength(1);
    expect(proxy.of("register")).toHaveLength(1);
    unmount();
    await pass();
    expect(open()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends its call where it goes away", async () => {
    const { result, unmount } = renderHook(() => useSIPCall({ proxyUrl }), strict ? { wrapper: StrictMode } : {});
    await pass();
    void result.current.makeCall("600");
    await pass();
    const call = result.current.call!;
    unmount();
    await pass();
    expect(call.state).toBe("ended");
    expect(proxy.of("hangup")).toHaveLength(1);
  });
});

describe("useSIPCall", () => {
  it("tells why a call came to nothing, until the next", async () => {
    const hook = await phone();
    act(() => void hook.current.makeCall("600"));
    await pass();
    act(() => proxy.say(state(hook.current.call!.id, "ended", { outcome: "busy" })));
    expect([hook.current.error?.code, hook.current.call]).toEqual(["busy", null]);
    act(() => void hook.current.makeCall("600"));
    expect(hook.current.error).toBeNull();
  });

  it("tells what fails before anything was rendered", async () => {
    fakeMedia().microphone.open = async () => {
      throw new DOMException("no", "NotAllowedError");
    };
    const hook = await phone();
    await act(async () => void hook.current.makeCall("600"));
    await pass();
    expect(hook.current.error?.code).toBe("microphone_blocked");
  });

  it("tells a number that is none, and too many calls", async () => {
    const hook = await phone();
    for (const target of [" ", "6&7"]) {
      await act(() => expect(hook.current.makeCall(target)).rejects.toMatchObject({ code: "invalid_target" }));
      expect(hook.current.error?.code).toBe("invalid_target");
    }
    for (const target of ["1", "2", "3"]) act(() => void hook.current.makeCall(target));
    await act(() => expect(hook.current.makeCall("4")).rejects.toMatchObject({ code: "too_many" }));
    expect(hook.current.error?.code).toBe("too_many");
  });

  it("gives a promise of the call, as the original's code takes it", async () => {
    const hook = await phone();
    const told: string[] = [];
    const press = async (): Promise<void> => {
      try {
        const call = await hook.current.makeCall("600");
        call.on("connected", () => told.push("connected"));
        told.push(call.number);
      } catch (error) {
        told.push(String(error));
      }
    };
    void press();
    await pass();
    act(() => proxy.say(state(hook.current.call!.id, "accepted")));
    await pass();
    expect(told).toEqual(["600", "connected"]);
    act(() => hook.current.endCall());
    void press();
    await pass();
    act(() => proxy.say(state(hook.current.call!.id, "ended", { outcome: "busy" })));
    await pass();
    expect(told.at(-1)).toBe("SIPProxyError: The other side is busy.");
    expect(hook.current.error?.code).toBe("busy");
  });

  it("takes no call that somebody gave up for a failure", async () => {
    const hook = await phone();
    act(() => void hook.current.makeCall("600"));
    await pass();
    act(() => hook.current.endCall());
    await pass();
    expect(hook.current.error).toBeNull();
  });

  it.each([["ftp://pbx.example"], ["https://"], ["pbx example"]])(
    "says what is wrong with an address, and takes no page down: %s",
    async (wrong) => {
      const hook = await phone({ proxyUrl: wrong }, true);
      expect(hook.current.error).toMatchObject({
        code: "invalid_address",
        message: expect.stringContaining(wrong) as string,
      });
      await act(() => expect(hook.current.makeCall("600")).rejects.toBe(hook.current.error));
      act(() => (hook.current.answer(), hook.current.reject(), hook.current.endCall()));
    },
  );

  it("says that the server was never there, until it is", async () => {
    proxy.reachable = false;
    const hook = await phone();
    expect(hook.current.error?.code).toBe("server_unreachable");
    proxy.reachable = true;
    await pass(6000);
    expect([hook.current.error, hook.current.isRegistered]).toEqual([null, true]);
  });

  it("says so to a component that comes later, below a provider too", async () => {
    proxy.reachable = false;
    const client = new SIPProxyClient({ proxyUrl });
    client.register().catch(() => undefined);
    await pass();
    const { result } = renderHook(() => useSIPCall(), {
      wrapper: ({ children }) => <SIPProxyProvider client={client}>{children}</SIPProxyProvider>,
    });
    expect(result.current.error?.code).toBe("server_unreachable");
    client.close();
  });

  it("tells a wrong password", async () => {
    proxy.authentication = true;
    const hook = await phone({ proxyUrl, credentials: { apiKey: "1001", secret: "wrong" } });
    expect(hook.current.error).toMatchObject({ code: "unauthorized", fatal: true });
  });

  it("says that it is reconnecting", async () => {
    const hook = await phone();
    await act(() => proxy.vanish());
    expect([hook.current.isReconnecting, hook.current.isRegistered]).toEqual([true, false]);
    proxy.reachable = true;
    await pass(6000);
    expect([hook.current.isReconnecting, hook.current.isRegistered]).toEqual([false, true]);
  });

  it("keeps its functions from one render to the next", async () => {
    const hook = await phone();
    const { makeCall, answer, reject, endCall } = hook.current;
    act(() => void hook.current.makeCall("600"));
    expect(hook.current).toMatchObject({ makeCall, answer, reject, endCall });
  });

  it("has its call again after a reload, in StrictMode too", async () => {
    const first = renderHook(() => useSIPCall({ proxyUrl, user: "1001" }), { wrapper: StrictMode });
    await pass();
    void first.result.current.makeCall("600");
    await pass();
    const call = first.result.current.call!;
    act(() => proxy.say(state(call.id, "accepted")));
    await pass();
    const kept = { ...sessionStorage };
    for (const socket of FakeSocket.all) socket.onclose = socket.onmessage = null;
    first.unmount();
    await pass();
    for (const [key, value] of Object.entries(kept)) sessionStorage.setItem(key, value);
    proxy = new FakeProxy();
    proxy.calls = [summary(call.id)];
    const again = renderHook(() => useSIPCall({ proxyUrl, user: "1001" }), { wrapper: StrictMode });
    await pass(1000);
    expect([again.result.current.call?.id, again.result.current.isConnected]).toEqual([call.id, true]);
  });
});

describe("options that change", () => {
  const seen: (SIPProxyClient | null)[] = [];
  beforeEach(() => void (seen.length = 0));
  const using = (first: UseSIPProxyOptions) =>
    renderHook(
      (options: UseSIPProxyOptions) => {
        const { client } = useSIPProxy(options);
        if (seen.at(-1) !== client) seen.push(client);
        return client;
      },
      { initialProps: first },
    );

  it("make another client where they are another server or user", async () => {
    const { rerender } = using({ proxyUrl, user: "1001" });
    await pass();
    rerender({ proxyUrl, user: "1001" });
    await pass();
    expect(seen).toHaveLength(1);
    rerender({ proxyUrl, user: "1002" });
    await pass();
    rerender({ proxyUrl: "https://other.example", user: "1002" });
    await pass();
    expect(seen).toHaveLength(3);
    expect(open().map(({ url }) => url)).toEqual(["wss://other.example/ws"]);
    expect(proxy.of("register").map(({ user }) => user)).toEqual(["1001", "1002", "1002"]);
  });

  it("give a new token of the same user to the client that there is", async () => {
    proxy.authentication = true;
    const [token, next, others] = [jwt({ sub: "1001", jti: 1 }), jwt({ sub: "1001", jti: 2 }), jwt({ sub: "1002" })];
    proxy.tokens = new Set([token, next, others]);
    const { rerender } = using({ proxyUrl, credentials: { token } });
    await pass();
    expect(proxy.of("register")).toHaveLength(1);
    rerender({ proxyUrl, credentials: { token: next } });
    await pass();
    expect(seen).toHaveLength(1);
    expect(proxy.of("register").map((one) => one.token)).toEqual([token]);
    expect(proxy.of("authenticate").map((one) => one.token)).toEqual([next]);
    rerender({ proxyUrl, credentials: { token: others } });
    await pass();
    expect(seen).toHaveLength(2);
    expect(proxy.of("register").at(-1)).toMatchObject({ user: "1002", token: others });
  });

  it("let calls ring, and not", async () => {
    const { rerender, result } = using({ proxyUrl, register: false });
    await pass();
    expect(open()).toEqual([]);
    rerender({ proxyUrl, register: true });
    await pass();
    expect(result.current?.isRegistered).toBe(true);
    rerender({ proxyUrl, register: false });
    await pass();
    expect(result.current?.isRegistered).toBe(false);
  });

  it("name numbers as the last of them says", async () => {
    const { rerender, result } = using({ proxyUrl, nameOf: () => "" });
    await pass();
    rerender({ proxyUrl, nameOf: (number) => `Number ${number}` });
    await pass();
    expect(result.current!.call("600").name).toBe("Number 600");
    expect(seen).toHaveLength(1);
  });
});

describe("a part of a page that is hidden for a while", () => {
  it("has another client when it is back", async () => {
    let hook: SIPCallHook | undefined;
    const Phone = (): ReactNode => {
      hook = useSIPCall({ proxyUrl });
      return null;
    };
    const page = (mode: "visible" | "hidden"): ReactNode => (
      <Activity mode={mode}>
        <Phone />
      </Activity>
    );
    const { rerender } = render(page("visible"));
    await pass();
    rerender(page("hidden"));
    await pass();
    expect(open()).toEqual([]);
    rerender(page("visible"));
    await pass();
    expect([hook?.isRegistered, open().length]).toEqual([true, 1]);
  });
});

describe("a provider", () => {
  it("shares one client", async () => {
    const calls: (string | undefined)[] = [];
    const Below = (): ReactNode => {
      const { call, client } = useSIPCall();
      expect(client).toBe(useSIPProxyClient());
      calls.push(call?.number);
      return null;
    };
    const client = new SIPProxyClient({ proxyUrl });
    const { unmount } = render(
      <SIPProxyProvider client={client}>
        <Below />
        <Below />
      </SIPProxyProvider>,
    );
    act(() => void client.call("600"));
    await pass();
    expect(calls.slice(-2)).toEqual(["600", "600"]);
    unmount();
    await pass();
    expect(client.calls).toHaveLength(1); // it belongs to who made it
    client.close();
  });

  it("is none where there is none", async () => {
    const { result } = renderHook(() => useSIPCall());
    expect(result.current).toMatchObject({ call: null, calls: [], client: null, isConnected: false });
    await act(() =>
      expect(result.current.makeCall("600")).rejects.toMatchObject({
        code: "closed",
        message: expect.stringContaining("SIPProxyProvider") as string,
      }),
    );
    act(() => (result.current.answer(), result.current.reject(), result.current.endCall()));
  });
});

describe("two components", () => {
  it("have two clients, and nothing of each other", async () => {
    const one = await phone({ proxyUrl, user: "1001" });
    const other = await phone({ proxyUrl, user: "1002" });
    expect(one.current.client).not.toBe(other.current.client);
    act(() => void one.current.makeCall("600"));
    await pass();
    expect([one.current.calls.length, other.current.calls.length]).toEqual([1, 0]);
    expect(open()).toHaveLength(2);
  });
});

describe("useSIPState", () => {
  it("renders anew with each change, and no more", async () => {
    const client = new SIPProxyClient({ proxyUrl });
    const states: ClientState[] = [];
    const { unmount } = renderHook(() => states.push(useSIPState(client)));
    await act(() => client.register());
    expect(states.at(-1)).toBe(client.state);
    expect(states.at(-1)!.registered).toBe(true);
    unmount();
    const { length } = states;
    client.close();
    expect(states).toHaveLength(length);
  });
});
