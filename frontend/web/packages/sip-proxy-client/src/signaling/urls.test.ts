import { describe, expect, it } from "vitest";
import { addressesOf } from "./urls.js";

describe("the addresses of a server", () => {
  it.each([
    ["https://pbx.example", "wss://pbx.example/ws", "https://pbx.example"],
    ["https://pbx.example/", "wss://pbx.example/ws", "https://pbx.example"],
    ["http://pbx.example:8080", "ws://pbx.example:8080/ws", "http://pbx.example:8080"],
    ["wss://pbx.example/ws", "wss://pbx.example/ws", "https://pbx.example"],
    ["wss://pbx.example/ws/", "wss://pbx.example/ws", "https://pbx.example"],
    ["ws://pbx.example", "ws://pbx.example/ws", "http://pbx.example"],
    ["https://shop.example/phone", "wss://shop.example/phone/ws", "https://shop.example/phone"],
    ["https://shop.example/phone/ws?x=1#y", "wss://shop.example/phone/ws", "https://shop.example/phone"],
    ["https://shop.example/news", "wss://shop.example/news/ws", "https://shop.example/news"],
  ])("%s", (proxyUrl, socket, api) => {
    expect(addressesOf(proxyUrl)).toEqual({ socket, api });
  });

  it("are those of the page where none is given", () => {
    expect(addressesOf("", "", "https://page.example/a/b?c")).toEqual({ socket: "wss://page.example/ws", api: "https://page.example" });
    expect(addressesOf("/phone", "", "http://page.example/a/")).toEqual({ socket: "ws://page.example/phone/ws", api: "http://page.example/phone" });
  });

  it("may be two", () => {
    expect(addressesOf("wss://pbx.example/ws", "https://api.example/v1/?x#y")).toEqual({ socket: "wss://pbx.example/ws", api: "https://api.example/v1" });
    expect(addressesOf("https://pbx.example", "wss://api.example").api).toBe("https://api.example");
  });

  it.each([["ftp://pbx.example", ""], ["pbx.example", ""], ["localhost:8080", ""], ["", ""], ["https://", ""], ["https://pbx.example", "mailto:x"]])(
    "are none: %s %s",
    (proxyUrl, bridgeUrl) => {
      expect(() => addressesOf(proxyUrl, bridgeUrl)).toThrow(TypeError);
    },
  );
});
