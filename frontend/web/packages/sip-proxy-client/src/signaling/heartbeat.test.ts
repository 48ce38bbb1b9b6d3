import { describe, expect, it } from "vitest";
import { check, isDoubtful, onReceived, startHeartbeat, tick, URGENT_CHECK_TIMEOUT_MS } from "./heartbeat.js";

/** Ticks each half second; gives what was done, and when. */
function run(seconds: number, inCall: boolean, answers: boolean): string[] {
  let beat = startHeartbeat(0);
  const seen: string[] = [];
  for (let now = 500; now <= seconds * 1000; now += 500) {
    const { beat: next, act } = tick(beat, now, inCall);
    beat = answers ? onReceived(next) : next;
    if (act !== "nothing") seen.push(`${act} ${now / 1000}`);
    if (act === "lost") break;
  }
  return seen;
}

describe("a heartbeat", () => {
  it("pings every 3 s with a call, every 20 s without", () => {
    expect(run(10, true, true)).toEqual(["ping 3", "ping 6", "ping 9"]);
    expect(run(45, false, true)).toEqual(["ping 20", "ping 40"]);
  });

  it("finds a half-open connection in a call within 10 s", () => {
    expect(run(20, true, false)).toEqual(["ping 3", "lost 6"]);
  });

  it("asks anew after a sleep, and trusts no deadline from before it", () => {
    const asked = tick(startHeartbeat(0), 3000, true).beat;
    const awake = tick(asked, 60_000, true);
    expect(awake.act).toBe("ping");
    expect(tick(awake.beat, 61_000, true).act).toBe("nothing");
    expect(tick(awake.beat, 61_500, true).act).toBe("lost");
  });

  it("knows within 1.5 s after a check, also where a ping was on its way already", () => {
    expect(check(startHeartbeat(0), 100).deadline).toBe(1600);
    expect(check(startHeartbeat(0), 100, URGENT_CHECK_TIMEOUT_MS).deadline).toBe(1100);
    const asked = tick(startHeartbeat(0), 3000, true).beat;
    expect(check(asked, 3100).deadline).toBe(4600);
    expect(check(asked, 5900).deadline).toBe(6000);
  });

  it("is doubtful while an answer is overdue", () => {
    const asked = check(startHeartbeat(0), 100);
    expect([isDoubtful(asked, 349), isDoubtful(asked, 350), isDoubtful(onReceived(asked), 350)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("begins at once to ping as in a call when a call begins", () => {
    expect(tick(tick(startHeartbeat(0), 3000, false).beat, 3500, true).act).toBe("ping");
  });
});
