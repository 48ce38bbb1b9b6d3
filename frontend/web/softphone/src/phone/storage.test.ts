import { afterEach, expect, it, vi } from "vitest";
import { allowNotifications, notificationState, notify } from "./notifications";
import { clear, load, save } from "./signedIn";

afterEach(() => vi.unstubAllGlobals());

const forbidden = (): never => {
  throw new DOMException("forbidden", "SecurityError");
};

it("who may keep nothing is signed in as long as the page lasts", () => {
  vi.stubGlobal("sessionStorage", { getItem: forbidden, setItem: forbidden, removeItem: forbidden });
  save({ user: "1001", token: "t" });
  expect(load()).toEqual({ user: "1001", token: "t" });
  clear();
  expect(load()).toBeNull();
});

it.each([
  ["has none", undefined],
  [
    "has one that throws, as Android's",
    Object.assign(
      class {
        constructor() {
          throw new TypeError("Illegal constructor");
        }
      },
      { permission: "granted" },
    ),
  ],
])("a browser that %s takes no page down", async (_, fake) => {
  vi.stubGlobal("Notification", fake);
  notify("Ada is calling", {}, () => undefined)();
  await allowNotifications();
  expect(notificationState()).toBe(fake ? "allowed" : "none");
});

it("a browser that refuses even to say whether it may show some has none", () => {
  vi.stubGlobal("Notification", Object.defineProperty(class {}, "permission", { get: forbidden }));
  expect(notificationState()).toBe("none");
});
