import { afterEach, expect, test, vi } from "vitest";
import { chooseCodec, chosenCodec } from "./codec";

function storage(): Pick<Storage, "getItem" | "setItem"> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

afterEach(() => {
  chooseCodec("");
  vi.unstubAllGlobals();
});

test("nothing is preferred until somebody chooses, and what is chosen is kept", () => {
  vi.stubGlobal("localStorage", storage());
  expect(chosenCodec()).toBe("");
  chooseCodec("pcmu");
  expect(chosenCodec()).toBe("pcmu");
  chooseCodec("");
  expect(chosenCodec()).toBe("");
});

test("what no page has kept there counts as nothing", () => {
  const other = storage();
  other.setItem("softphone.codec", "speex");
  vi.stubGlobal("localStorage", other);
  expect(chosenCodec()).toBe("");
});

test("where storage is forbidden the choice lasts as long as the page", () => {
  const forbidden = (): never => {
    throw new DOMException("forbidden");
  };
  vi.stubGlobal("localStorage", { getItem: forbidden, setItem: forbidden });
  chooseCodec("opus");
  expect(chosenCodec()).toBe("opus");
});
