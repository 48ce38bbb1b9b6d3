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
    expect(addressesOf("", "", "https://page.example/a/b?c")).toEqual({ socket: "wss://page.example/ws", api: "https://page.example" });
    expect(addressesOf(undefined, null, "http://page.example/a/")).toEqual({ socket: "ws://page.example/ws", api: "http://page.example" });
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
    ["ftp://pbx.example", "", undefined, "proxyUrl is “ftp://pbx.example”: the address of a server begins with https://"],
    ["", "", undefined, "There is no proxyUrl. Give the server's address, e.g. https://phone.example.com."],
    ["", "", "about:blank", "There is no proxyUrl."],
    ["https://", "", undefined, "that is no address of a server"],
    ["https://pbx.example", "mailto:x", undefined, "bridgeUrl is “mailto:x”: that is no address"],
    ["pbx example", "", undefined, "that is no address"],
    ["pbx.example:99999", "", undefined, "that is no address"],
    ["/phone", "", undefined, "there is no page for it to be relative to"],
    ["https://1001:secret@pbx.example", "", undefined, "a name or password has no place in an address, but in credentials"],
    ["http://pbx.example", "", "https://page.example/", "a page that came by https may only talk to https or wss addresses"],
    ["https://pbx.example", "ws://pbx.example:8080", "https://page.example/", "bridgeUrl is “ws://pbx.example:8080”: a page that came by https"],
    [42, {}, undefined, "bridgeUrl is “[object Object]”"],
  ])("are none, and why: %s %s on %s", (proxyUrl, bridgeUrl, page, why) => {
    expect(() => addressesOf(proxyUrl, bridgeUrl, page)).toThrow(why);
  });
});
