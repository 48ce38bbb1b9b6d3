// The quality of calls over time: warnings with hysteresis, and a report of each whole call. No clock.

import type { QualityReport, QualityWarning } from "../protocol/messages.js";
import type { Quality } from "../state/model.js";
import { QUALITY_LIMITS } from "./limits.js";

/** Whether a sample is bad in this respect. */
export const EXCEEDS: Record<QualityWarning, (sample: Quality) => boolean> = {
  mos: ({ mos }) => mos < QUALITY_LIMITS.mos,
  rtt: ({ roundTripMs }) => (roundTripMs ?? 0) > QUALITY_LIMITS.roundTripMs,
  jitter: ({ jitterMs }) => jitterMs > QUALITY_LIMITS.jitterMs,
  loss: ({ lossPercent }) => lossPercent > QUALITY_LIMITS.lossPercent,
};
const WARNINGS = Object.keys(EXCEEDS) as QualityWarning[];

const WINDOW_SAMPLES = 5; // samples, of a second each
const MIN_BAD_SAMPLES = 3; // of these; cleared when none of all five is over

/** Whether a warning is raised after one more sample: `last` are the newest samples, whether they were bad, newest last. */
export function isRaised(before: boolean, last: readonly boolean[]): boolean {
  if (last.filter(Boolean).length >= MIN_BAD_SAMPLES) return true;
  return before && !(last.length >= WINDOW_SAMPLES && last.every((over) => !over));
}

/** One call's. */
export class CallQuality {
  readonly warnings = new Set<QualityWarning>(); // that are raised now
  readonly #everRaised = new Set<QualityWarning>();
  readonly #recent = new Map<QualityWarning, boolean[]>();
  #count = 0;
  #roundTrips = 0;
  #sum = { mos: 0, lossPercent: 0, jitterMs: 0, roundTripMs: 0 };
  #worst = { mos: 5, lossPercent: 0, jitterMs: 0, roundTripMs: 0 };
  #sentLoss = 0;
  #sentLossCount = 0;
  #codec = "";

  /** Which warnings this raises and clears, by the rules of Twilio's Voice SDK: `warning` and `warning-cleared`. */
  addSample(sample: Quality): { raised: QualityWarning[]; cleared: QualityWarning[] } {
    this.#add(sample);
    const changes = { raised: [] as QualityWarning[], cleared: [] as QualityWarning[] };
    for (const kind of WARNINGS) {
      const last = [...(this.#recent.get(kind) ?? []), EXCEEDS[kind](sample)].slice(-WINDOW_SAMPLES);
      this.#recent.set(kind, last);
      const before = this.warnings.has(kind);
      if (isRaised(before, last) === before) continue;
      changes[before ? "cleared" : "raised"].push(kind);
      if (before) this.warnings.delete(kind);
      else {
        this.warnings.add(kind);
        this.#everRaised.add(kind);
      }
    }
    return changes;
  }

  /** Of the call until now; null before the first sample. */
  report(): QualityReport | null {
    const count = this.#count;
    const trips = this.#roundTrips;
    const sum = this.#sum;
    const worst = this.#worst;
    if (count === 0) return null;
    return {
      seconds: count,
      mos: round(sum.mos / count),
      worstMos: round(worst.mos),
      lossPercent: round(sum.lossPercent / count),
      worstLossPercent: round(worst.lossPercent),
      jitterMs: round(sum.jitterMs / count),
      worstJitterMs: round(worst.jitterMs),
      ...(trips > 0 ? { roundTripMs: round(sum.roundTripMs / trips), worstRoundTripMs: round(worst.roundTripMs) } : {}),
      ...(this.#sentLossCount > 0 ? { sentLossPercent: round(this.#sentLoss / this.#sentLossCount) } : {}),
      codec: this.#codec.slice(0, 40),
      warnings: [...this.#everRaised],
    };
  }

  #add(sample: Quality): void {
    const { mos, lossPercent, jitterMs, roundTripMs, sentLossPercent } = sample;
    this.#count++;
    this.#codec = sample.codec || this.#codec;
    this.#sum = {
      mos: this.#sum.mos + mos,
      lossPercent: this.#sum.lossPercent + lossPercent,
      jitterMs: this.#sum.jitterMs + jitterMs,
      roundTripMs: this.#sum.roundTripMs + (roundTripMs ?? 0),
    };
    this.#worst = {
      mos: Math.min(this.#worst.mos, mos),
      lossPercent: Math.max(this.#worst.lossPercent, lossPercent),
      jitterMs: Math.max(this.#worst.jitterMs, jitterMs),
      roundTripMs: Math.max(this.#worst.roundTripMs, roundTripMs ?? 0),
    };
    if (roundTripMs !== null) this.#roundTrips++;
    if (sentLossPercent === null || sentLossPercent === undefined) return;
    this.#sentLoss += Math.min(100, Math.max(0, sentLossPercent));
    this.#sentLossCount++;
  }
}

/** How often the server gets a report, in milliseconds. */
const REPORT_INTERVAL_MS = 10_000;

/** Of all calls: reports to the server every ten seconds, and at the end. */
export class QualityReports {
  readonly #calls = new Map<string, { quality: CallQuality; reportedAt: number }>();
  readonly #send: (callId: string, report: QualityReport) => void;

  constructor(send: (callId: string, report: QualityReport) => void) {
    this.#send = send;
  }

  /** `at`: milliseconds. */
  addSample(id: string, sample: Quality, at: number): { raised: QualityWarning[]; cleared: QualityWarning[] } {
    const call = this.#calls.get(id) ?? { quality: new CallQuality(), reportedAt: at };
    this.#calls.set(id, call);
    const changes = call.quality.addSample(sample);
    if (at - call.reportedAt >= REPORT_INTERVAL_MS) {
      call.reportedAt = at;
      this.#report(id, call.quality);
    }
    return changes;
  }

  /** The call has ended here, or is another page's. */
  end(id: string): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (call) this.#report(id, call.quality);
  }

  warnings(id: string | null): readonly QualityWarning[] {
    return [...(this.#calls.get(id ?? "")?.quality.warnings ?? [])];
  }

  #report(id: string, quality: CallQuality): void {
    const report = quality.report();
    if (report) this.#send(id, report);
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;
