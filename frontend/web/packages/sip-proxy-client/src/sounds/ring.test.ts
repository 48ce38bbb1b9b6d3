import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeLocks, settled } from "../testing/fakes.js";
import { electRingingPage } from "./ring.js";

let locks: FakeLocks;
beforeEach(() => void (locks = new FakeLocks()));
afterEach(() => vi.unstubAllGlobals());

/** A page of this browser. `focus` looks at it. */
function page(hidden = false): { isRinging: boolean; focus(): void; close(): void } {
  const target = new EventTarget();
  vi.stubGlobal("navigator", { locks });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden, hasFocus: () => false }));
  vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
  vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
  const made = {
    isRinging: false,
    focus: () => void target.dispatchEvent(new Event("focus")),
    close: (): void => undefined,
  };
  made.close = electRingingPage("1001", (isRinging) => (made.isRinging = isRinging));
  return made;
}

it("one page rings: the first, then the one that is looked at, then the one that is left", async () => {
  const [one, two, three] = [page(), page(), page()];
  const isRinging = async (): Promise<boolean[]> => (await settled(), [one, two, three].map((each) => each.isRinging));
  expect(await isRinging()).toEqual([true, false, false]);
  two.focus();
  expect(await isRinging()).toEqual([false, true, false]);
  one.focus();
  two.focus();
  one.focus();
  expect(await isRinging()).toEqual([true, false, false]);
  one.close();
  two.close();
  expect((await isRinging())[2]).toBe(true);
});

it("where there are no locks, each page rings", () => {
  vi.stubGlobal("navigator", {});
  const rings: boolean[] = [];
  electRingingPage("1001", (isRinging) => rings.push(isRinging))();
  expect(rings).toEqual([true]);
});
