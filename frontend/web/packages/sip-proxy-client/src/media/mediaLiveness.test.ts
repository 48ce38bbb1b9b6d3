import { describe, expect, it } from "vitest";
import {
  expectMedia,
  isDead,
  isStalled,
  type MediaLiveness,
  NO_MEDIA_YET,
  silenceMs,
  update,
} from "./mediaLiveness.js";

interface Line {
  packets: number;
  lastAt?: number;
  asked?: number;
  answers?: number;
  bytes?: number;
  path?: string;
}

const report = ({ packets, lastAt, asked, answers, bytes, path = "p" }: Line) => [
  { type: "inbound-rtp", id: "i", kind: "audio", packetsReceived: packets, lastPacketReceivedTimestamp: lastAt },
  { type: "transport", id: "t", selectedCandidatePairId: path },
  { type: "candidate-pair", id: "other", nominated: true, requestsSent: 1, responsesReceived: 0 },
  {
    type: "candidate-pair",
    id: path,
    nominated: true,
    requestsSent: asked,
    responsesReceived: answers,
    bytesReceived: bytes,
  },
];

/** Samples at these milliseconds. */
const felt = (...samples: [at: number, line: Line][]): MediaLiveness =>
  samples.reduce((pulse, [at, line]) => update(pulse, report(line), at), NO_MEDIA_YET);

describe("a pulse", () => {
  const nine = { packets: 9, asked: 5, answers: 5 };

  it("is not missed before the first packet", () => {
    const pulse = felt([1000, { packets: 0 }], [60_000, { packets: 0 }]);
    expect([silenceMs(pulse), isDead(pulse), isStalled(pulse)]).toEqual([0, false, false]);
  });

  it("counts from the packet, not from the sample, where the browser tells", () => {
    expect(silenceMs(felt([2000, { packets: 9, lastAt: 1100 }], [3000, { packets: 9 }]))).toBe(1900);
    expect(silenceMs(felt([2000, { packets: 9 }], [3000, { packets: 9 }]))).toBe(1000);
    expect(silenceMs(felt([2000, { packets: 9, lastAt: 99_999 }], [3000, { packets: 9 }]))).toBe(1000); // another clock
  });

  it("is dead after two seconds without packets and with a check that nobody answers", () => {
    const asked: [number, Line][] = [
      [1000, nine],
      [2000, { ...nine, asked: 6 }],
    ];
    expect(isDead(felt(...asked, [2900, { ...nine, asked: 6 }]))).toBe(false);
    expect(isDead(felt(...asked, [3000, { ...nine, asked: 6 }]))).toBe(true);
  });

  it("is not dead while a check is on its way", () => {
    const asked: [number, Line][] = [
      [1000, nine],
      [4000, { ...nine, asked: 6 }],
    ];
    expect([isDead(felt(...asked)), isDead(felt(...asked, [4400, { ...nine, asked: 6 }]))]).toEqual([false, true]);
  });

  it("is only still where the far side is silent and the media server answers", () => {
    let pulse = felt([1000, nine]);
    for (let at = 2000; at <= 12_000; at += 1000) {
      pulse = update(pulse, report({ packets: 9, asked: 5 + at / 1000, answers: 5 + at / 1000 }), at);
      expect([isDead(pulse), isStalled(pulse)]).toEqual([false, at >= 11_000]);
    }
  });

  it("is dead a little later where no check was made", () => {
    expect([4400, 4500].map((at) => isDead(felt([1000, nine], [at, nine])))).toEqual([false, true]);
  });

  it("is never dead by silence alone where the browser tells nothing of its path", () => {
    expect(isDead(felt([1000, { packets: 9 }], [600_000, { packets: 9 }]))).toBe(false);
  });

  describe("in a silence", () => {
    /** Chromium: each `[at, unanswered]`, after a talk that ended at 1000 and an answer at 3000. */
    const silent = (...checks: [at: number, unanswered: number][]): boolean =>
      isDead(
        felt(
          [1000, nine],
          [3000, { packets: 9, asked: 6, answers: 6 }],
          ...checks.map(([at, more]): [number, Line] => [at, { packets: 9, asked: 6 + more, answers: 6 }]),
        ),
      );

    it("one check that is lost is no loss, and three are", () => {
      expect(silent([5500, 1], [6000, 1])).toBe(false);
      expect(silent([5500, 1], [6400, 2], [7300, 2])).toBe(false);
      expect(silent([5500, 1], [6400, 2], [7300, 3])).toBe(true);
    });

    it("a lost check is none either at the beginning of a hold, when nothing was to come", () => {
      const pulse = felt([1000, nine], [2000, { ...nine, asked: 6 }], [3500, { ...nine, asked: 6 }]);
      expect([isDead(pulse), isDead(pulse, null, true)]).toEqual([true, false]);
    });

    it("signalling that is lost says nothing of the path", () => {
      const pulse = felt(
        [1000, nine],
        [3000, { packets: 9, asked: 6, answers: 6 }],
        [5000, { packets: 9, asked: 6, answers: 6 }],
      );
      expect(isDead(pulse, 4100)).toBe(false);
    });
  });

  describe("in Firefox, which counts no checks of its own", () => {
    // As it was seen: an answer each 4 to 6 s, and RTCP, which counts as bytes, as often.
    const signs = (from: number, to: number, every: number): [number, Line][] =>
      Array.from({ length: Math.floor((to - from) / 500) + 1 }, (_, step) => from + 500 * step).map((at) => [
        at,
        { packets: 9, answers: Math.floor(at / every), bytes: 96 * Math.floor((at + 2500) / 5000) },
      ]);

    it("silence is no loss, however long", () => {
      let pulse = NO_MEDIA_YET;
      for (const [at, line] of signs(1000, 120_000, 6000)) {
        pulse = update(pulse, report(line), at);
        expect([at, isDead(pulse), isDead(pulse, null, true)]).toEqual([at, false, false]);
      }
    });

    it("a path that is gone is noticed all the same: sooner in a talk than in a silence", () => {
      const dead = (at: number, silentFor: number, silence = false): boolean =>
        isDead(felt(...signs(1000, 1000 + silentFor, 6000), [at, { packets: 9, answers: 0, bytes: 0 }]), null, silence);
      expect([dead(7900, 0), dead(8000, 0)]).toEqual([false, true]);
      expect([dead(13_900, 0, true), dead(14_000, 0, true)]).toEqual([false, true]);
      expect([dead(42_000, 30_000), dead(43_500, 30_000)]).toEqual([false, true]);
    });
  });

  it("is dead sooner where signalling was lost, and nothing has come since", () => {
    const dead = (at: number, linkLostAt: number): boolean => isDead(felt([1000, nine], [at, nine]), linkLostAt);
    expect([dead(1900, 1500), dead(2000, 1500), dead(2000, 900)]).toEqual([false, true, false]);
    expect(isDead(felt([1000, { packets: 0 }], [9000, { packets: 0 }]), 1500)).toBe(false);
  });

  it("is not judged by a sample that is long ago: a busy page may have missed what came since", () => {
    expect(isDead(felt([1000, nine]), 1500)).toBe(false);
  });

  it("beats again when packets come again", () => {
    expect(
      isDead(felt([1000, nine], [4000, { ...nine, asked: 6 }], [5000, { packets: 10, asked: 7, answers: 6 }])),
    ).toBe(false);
  });

  it("is expected at once in a new connection in place of one that had it", () => {
    const pulse = update(expectMedia(1000), report({ packets: 0 }), 11_000);
    expect([silenceMs(pulse), isStalled(pulse)]).toEqual([10_000, true]);
  });

  describe("of a browser that went over to another path", () => {
    const wlan = { packets: 9, asked: 2, answers: 2, path: "wlan" };

    it("is still soon where no packet has come by it: the media server may send to the old one yet", () => {
      const still = (at: number): boolean => isStalled(felt([1000, nine], [1200, wlan], [at, wlan]));
      expect([still(1400), still(1500), still(1600)]).toEqual([false, true, true]);
      expect(isDead(felt([1000, nine], [1200, wlan], [3600, { ...wlan, asked: 3, answers: 3 }]))).toBe(false); // it answers
    });

    it("beats on where packets come, and is then as patient as before", () => {
      const both: [number, Line][] = [
        [1000, nine],
        [1200, wlan],
        [1400, { ...wlan, packets: 20 }],
      ];
      expect(isStalled(felt(...both, [3000, { ...wlan, packets: 20, asked: 3, answers: 3 }]))).toBe(false);
      expect(isStalled(felt(...both, [11_500, { ...wlan, packets: 20, asked: 9, answers: 9 }]))).toBe(true);
    });

    it("counts the checks of that path alone", () => {
      const old: [number, Line][] = [
        [1000, { packets: 9, asked: 40, answers: 40 }],
        [2000, { packets: 9, asked: 41, answers: 40 }],
      ];
      expect(isDead(felt(...old, [2100, wlan], [3200, { ...wlan, asked: 3, answers: 3 }]))).toBe(false);
    });

    it("is none before the first path, nor before the first packet", () => {
      expect(
        isStalled(
          felt([1000, { packets: 0 }], [1500, { packets: 0, path: "wlan" }], [9000, { packets: 0, path: "wlan" }]),
        ),
      ).toBe(false);
    });
  });
});
