// How good a call sounds: figures from getStats to a mean opinion score and bars. Pure.

import type { StatsEntry } from "../media/mediaLiveness.js";
import type { Quality } from "../state/model.js";

/** Counters at one moment, from which the next sample's loss is reckoned. */
export interface Counters {
  received: number;
  lost: number;
}

/** One sample. `before` are the counters of the sample before (zeros at the start). */
export function computeQuality(
  entries: Iterable<StatsEntry>,
  before: Counters,
): { quality: Quality; counters: Counters } {
  const all = [...entries];
  const inbound = all.find((entry) => entry.type === "inbound-rtp" && entry["kind"] === "audio");
  const pair = all.find(
    (entry) => entry.type === "candidate-pair" && entry["nominated"] === true && entry["state"] === "succeeded",
  );
  const codec = all.find((entry) => entry.type === "codec" && entry.id === inbound?.["codecId"]);
  const counters = {
    received: number(inbound?.["packetsReceived"]),
    lost: Math.max(0, number(inbound?.["packetsLost"])),
  };
  const lost = Math.max(0, counters.lost - before.lost);
  const expected = lost + Math.max(0, counters.received - before.received);
  const lossPercent = expected > 0 ? (100 * lost) / expected : 0;
  const roundTrip = pair?.["currentRoundTripTime"];
  const roundTripMs = typeof roundTrip === "number" ? roundTrip * 1000 : null;
  const jitterMs = number(inbound?.["jitter"]) * 1000;
  const name = codecName(codec);
  const mos = meanOpinion(roundTripMs ?? 0, jitterMs, lossPercent, name);
  const remote = all.find((entry) => entry.type === "remote-inbound-rtp" && entry["kind"] === "audio");
  const fraction = remote?.["fractionLost"];
  const sentLossPercent = typeof fraction === "number" && Number.isFinite(fraction) ? 100 * fraction : null;
  return {
    counters,
    quality: {
      roundTripMs,
      jitterMs,
      lossPercent,
      sentLossPercent,
      codec: name,
      packets: counters.received,
      mos,
      bars: barsOf(mos),
    },
  };
}

/**
 * What a codec costs (`ie`) and how robust it is against random loss (`bpl`), for Ie,eff of ITU-T G.107 section 7.5.
 * PCMU: G.113 appendix I, G.711 with concealment. Opus: G.113 has no values; with its in-band FEC it is at least as
 * robust, which is our assumption (docs/QUALITY.md).
 */
const CODECS = { pcmu: { ie: 0, bpl: 25.1 }, opus: { ie: 0, bpl: 35 } } as const;

/**
 * The E-model of ITU-T G.107 with its defaults, cut down to delay, codec and loss: R = 93.2 - Id - Ie,eff. Id as Cole and
 * Rosenbluth (2001) have simplified it. `codec`: as `Quality` has it.
 */
export function meanOpinion(roundTripMs: number, jitterMs: number, lossPercent: number, codec = ""): number {
  const delay = roundTripMs / 2 + 2 * jitterMs + 10;
  const byDelay = 0.024 * delay + 0.11 * Math.max(0, delay - 177.3);
  const { ie, bpl } = /^pcm/i.test(codec) ? CODECS.pcmu : CODECS.opus;
  const byLoss = ie + ((95 - ie) * lossPercent) / (lossPercent + bpl);
  const r = Math.min(100, Math.max(0, 93.2 - byDelay - byLoss));
  return 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r);
}

export function barsOf(mos: number): 0 | 1 | 2 | 3 | 4 {
  if (mos >= 4) return 4;
  if (mos >= 3.6) return 3;
  if (mos >= 3.1) return 2;
  return mos >= 2.2 ? 1 : 0;
}

function codecName(codec: StatsEntry | undefined): string {
  if (!codec) return "";
  const name = String(codec["mimeType"] ?? "").replace(/^audio\//, "");
  const rate = number(codec["clockRate"]) / 1000;
  return rate > 0 ? `${name} ${rate} kHz` : name;
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
