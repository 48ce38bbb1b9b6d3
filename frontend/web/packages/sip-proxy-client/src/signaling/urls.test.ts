import { describe, expect, it } from "vitest";
import { addressesOf } from "./urls.js";

describe("the addresses of a server", () => {
  it.each([
    ["https://pbx.example", "wss://pbx.example/ws", "https://pbx.example"],
    [" https://pbx.example/ ", "wss://pbx.example/ws", "https://pbx.example"],
    ["http://pbx.example:8080", "ws://pbx.example:8080/ws", "http://pbx.example:8080"],
    ["wss://pbx.example/ws", "wss://pbx.example/ws", "https://pbx.example"],
    ["wss://pbx.example/ws/", "wss://pbx.example/ws", "https://pbx.example"],
    ["WS://pbx.example", "ws://pbx.example/ws", "http://pbx.example"],
    ["https://shop.example/phone", "wss://shop.example/phone/ws", "https://shop.example/phone"],
    ["https://shop.example/phone/ws?x=1#y", "wss://shop.example/phone/ws", "https://shop.example/phone"],
    ["https://shop.example/news", "wss://shop.example/news/ws", "https://shop.example/news"],
    ["pbx.example", "wss://pbx.example/ws", "https://pbx.example"],
    ["pbx.example:8443/phone", "wss://pbx.example:8443/phone/ws", "https://pbx.example:8443/phone"],
    ["localhost", "ws://localhost/ws", "http://localhost"],
    ["localhost:3000", "ws://localhost:3000/ws", "http://localhost:3000"],
    ["127.0.0.1:3000", "ws://127.0.0.1:3000/ws", "http://127.0.0.1:3000"],
    ["[::1]:3000", "ws://[::1]:3000/ws", "http://[::1]:3000"],
    ["10.0.0.5:3000", "wss://10.0.0.5:3000/ws", "https://10.0.0.5:3000"],
  ])("one alone, as either: %s", (url, socket, api) => {
    expect(addressesOf(url)).toEqual({ socket, api });
    expect(addressesOf(undefined, url)).toEqual({ socket, api });
    expect(addressesOf("", url)).toEqual({ socket, api });
  });

  it.each([
    ["http://HOST:3000", "ws://HOST:8080", "ws://host:8080/ws", "http://host:3000"], // as they are meant
    ["http://host:3000", "http://host:8080", "ws://host:8080/ws", "http://host:3000"],
    ["ws://host:3000", "ws://host:8080", "ws://host:8080/ws", "http://host:3000"],
    ["ws://host:8080", "http://host:3000", "ws://host:8080/ws", "http://host:3000"], // the other way round
    ["wss://host:8080/ws", "https://api.example/v1/?x#y", "wss://host:8080/ws", "https://api.example/v1"],
    ["ws://localhost:8080", "localhost:3000", "ws://localhost:8080/ws", "http://localhost:3000"],
    ["localhost:3000", "localhost:8080", "ws://localhost:8080/ws", "http://localhost:3000"],
    ["https://api.example/v1", "wss://pbx.example/socket/ws", "wss://pbx.example/socket/ws", "https://api.example/v1"],
    ["http://host:3000", "ws://host:3000/ws", "ws://host:3000/ws", "http://host:3000"],
  ])("two: %s and %s", (proxyUrl, bridgeUrl, socket, api) => {
    expect(addressesOf(proxyUrl, bridgeUrl)).toEqual({ socket, api });
  });

  it("are those of the page where none is given", () => {
    expect(addressesOf("", "", "https://page.example/a/b?c")).toEqual({
      socket: "wss://page.example/ws",
      api: "https://page.example",
    });
    expect(addressesOf(undefined, null, "http://page.example/a/")).toEqual({
      socket: "ws://page.example/ws",
      api: "http://page.example",
    });
  });

  it.each([
    ["/phone", "http://page.example/a/", "http://page.example/phone"],
    ["./phone", "http://page.example/a/", "http://page.example/a/phone"],
    ["//pbx.example", "https://page.example/", "https://pbx.example"],
    ["pbx.example", "https://page.example/", "https://pbx.example"],
    ["pbx.example:3000", "http://page.example/", "http://pbx.example:3000"],
    ["localhost:3000", "http://localhost:5173/", "http://localhost:3000"],
    ["http://localhost:3000", "https://page.example/", "http://localhost:3000"], // browsers allow that
  ])("beside a page: %s on %s", (proxyUrl, page, api) => {
    expect(addressesOf(proxyUrl, undefined, page).api).toBe(api);
  });

  it.each([
    ["ftp://pbx.example", "", undefined, "proxyUrl is “ftp://pbx.example”: it has to begin with https://"],
    ["", "", undefined, "proxyUrl is missing, e.g. https://phone.example.com."],
    ["", "", "about:blank", "proxyUrl is missing"],
    ["https://", "", undefined, "it is not a URL"],
    ["https://pbx.example", "mailto:x", undefined, "bridgeUrl is “mailto:x”: it is not a URL"],
    ["pbx example", "", undefined, "it is not a URL"],
    ["pbx.example:99999", "", undefined, "it is not a URL"],
    ["/phone", "", undefined, "it is relative, and there is no page"],
    ["https://1001:secret@pbx.example", "", undefined, "names and passwords belong in credentials"],
    ["http://pbx.example", "", "https://page.example/", "an https page can only use https and wss"],
    [
      "https://pbx.example",
      "ws://pbx.example:8080",
      "https://page.example/",
      "bridgeUrl is “ws://pbx.example:8080”: an https page",
    ],
    [42, {}, undefined, "bridgeUrl is “[object Object]”"],
  ])("are none, and why: %s %s on %s", (proxyUrl, bridgeUrl, page, why) => {
    expect(() => addressesOf(proxyUrl, bridgeUrl, page)).toThrow(why);
  });
});
