import { describe, expect, it } from "vitest";
import { feel, isDead, isStill, NO_PULSE, quietMs, type Pulse } from "./pulse";

interface Line {
  packets: number;
  lastAt?: number;
  asked?: number;
  answers?: number;
}

const report = ({ packets, lastAt, asked, answers }: Line) => [
  { type: "inbound-rtp", id: "i", kind: "audio", packetsReceived: packets, lastPacketReceivedTimestamp: lastAt },
  { type: "transport", id: "t", selectedCandidatePairId: "p" },
  { type: "candidate-pair", id: "other", nominated: true, requestsSent: 1, responsesReceived: 0 },
  { type: "candidate-pair", id: "p", nominated: true, requestsSent: asked, responsesReceived: answers },
];

/** Samples at these milliseconds. */
const felt = (...samples: [at: number, line: Line][]): Pulse => samples.reduce((pulse, [at, line]) => feel(pulse, report(line), at), NO_PULSE);

describe("a pulse", () => {
  it("is not missed before the first packet", () => {
    const pulse = felt([1000, { packets: 0 }], [60_000, { packets: 0 }]);
    expect([quietMs(pulse, 60_000), isDead(pulse, 60_000), isStill(pulse, 60_000)]).toEqual([0, false, false]);
  });

  it("counts from the packet, not from the sample, where the browser tells", () => {
    expect(quietMs(felt([2000, { packets: 9, lastAt: 1100 }]), 3000)).toBe(1900);
    expect(quietMs(felt([2000, { packets: 9 }]), 3000)).toBe(1000);
    expect(quietMs(felt([2000, { packets: 9, lastAt: 99_999 }]), 3000)).toBe(1000); // another clock
  });

  it("is dead after two seconds without packets and with a check that nobody answers", () => {
    const pulse = felt([1000, { packets: 9, asked: 5, answers: 4 }], [2000, { packets: 9, asked: 6, answers: 4 }]);
    expect(isDead(pulse, 2900)).toBe(false);
    expect(isDead(pulse, 3000)).toBe(true);
  });

  it("is not dead while a check is on its way", () => {
    const pulse = felt([1000, { packets: 9, asked: 5, answers: 5 }], [4000, { packets: 9, asked: 6, answers: 5 }]);
    expect([isDead(pulse, 4300), isDead(pulse, 4400)]).toEqual([false, true]);
  });

  it("is only still where the far side is silent and the media server answers", () => {
    let pulse = felt([1000, { packets: 9, asked: 5, answers: 5 }]);
    for (let at = 2000; at <= 12_000; at += 1000) {
      pulse = feel(pulse, report({ packets: 9, asked: 5 + at / 1000, answers: 5 + at / 1000 }), at);
      expect(isDead(pulse, at)).toBe(false);
    }
    expect([isStill(pulse, 10_999), isStill(pulse, 12_000)]).toEqual([false, true]);
  });

  it("is dead a little later where no check was made, or the browser does not count them", () => {
    const unasked = felt([1000, { packets: 9, asked: 5, answers: 5 }], [4000, { packets: 9, asked: 5, answers: 5 }]);
    expect([isDead(unasked, 4400), isDead(unasked, 4500)]).toEqual([false, true]);
    const unknown = felt([1000, { packets: 9 }], [4000, { packets: 9 }]);
    expect([isDead(unknown, 4400), isDead(unknown, 4500)]).toEqual([false, true]);
  });

  it("is dead sooner where signalling was lost, and nothing has come since", () => {
    const pulse = felt([1000, { packets: 9, asked: 5, answers: 5 }]);
    expect([isDead(pulse, 1900, 1500), isDead(pulse, 2000, 1500), isDead(pulse, 2000, 900)]).toEqual([false, true, false]);
    expect(isDead(felt([1000, { packets: 0 }]), 9000, 1500)).toBe(false);
  });

  it("beats again when packets come again", () => {
    const pulse = felt([1000, { packets: 9, asked: 5, answers: 5 }], [4000, { packets: 9, asked: 6, answers: 5 }], [5000, { packets: 10, asked: 7, answers: 6 }]);
    expect(isDead(pulse, 5500)).toBe(false);
  });
});
