import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeLocks, settled } from "../testing/fakes.js";
import { electRingingPage } from "./ring.js";

let locks: FakeLocks;
beforeEach(() => void (locks = new FakeLocks()));
afterEach(() => vi.unstubAllGlobals());

/** A page of this browser. `focus` looks at it. */
function page(hidden = false): { aloud: boolean; focus(): void; close(): void } {
  const target = new EventTarget();
  vi.stubGlobal("navigator", { locks });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden, hasFocus: () => false }));
  vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
  vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
  const made = {
    aloud: false,
    focus: () => void target.dispatchEvent(new Event("focus")),
    close: (): void => undefined,
  };
  made.close = electRingingPage("1001", (aloud) => (made.aloud = aloud));
  return made;
}

it("one page rings: the first, then the one that is looked at, then the one that is left", async () => {
  const [one, two, three] = [page(), page(), page()];
  const aloud = async (): Promise<boolean[]> => (await settled(), [one, two, three].map((each) => each.aloud));
  expect(await aloud()).toEqual([true, false, false]);
  two.focus();
  expect(await aloud()).toEqual([false, true, false]);
  one.focus();
  two.focus();
  one.focus();
  expect(await aloud()).toEqual([true, false, false]);
  one.close();
  two.close();
  expect((await aloud())[2]).toBe(true);
});

it("where there are no locks, each page rings", () => {
  vi.stubGlobal("navigator", {});
  const rings: boolean[] = [];
  electRingingPage("1001", (aloud) => rings.push(aloud))();
  expect(rings).toEqual([true]);
});
