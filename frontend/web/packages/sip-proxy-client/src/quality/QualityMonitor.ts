// The quality of calls: figures each second, warnings, and reports to the server. Loaded on demand: no call needs it.

import type { StatsEntry } from "../media/mediaLiveness.js";
import type { QualityReport, QualityWarning } from "../protocol/messages.js";
import type { Quality } from "../state/model.js";
import { QualityReports } from "./callQuality.js";
import { type Counters, computeQuality } from "./mos.js";

export interface QualitySample {
  quality: Quality;
  raised: QualityWarning[]; // raised by this sample
  cleared: QualityWarning[];
}

const ZERO_COUNTERS: Counters = { received: 0, lost: 0 };

export class QualityMonitor {
  readonly #reports: QualityReports;
  readonly #last = new Map<string, { connection: object; counters: Counters; quality: Quality }>(); // by call

  constructor(send: (callId: string, report: QualityReport) => void) {
    this.#reports = new QualityReports(send);
  }

  /** `entries`: the statistics of the call's `connection` at `at`, in milliseconds. */
  addSample(id: string, connection: object, entries: Iterable<StatsEntry>, at: number): QualitySample {
    const last = this.#last.get(id);
    const { quality, counters } = computeQuality(
      entries,
      last?.connection === connection ? last.counters : ZERO_COUNTERS,
    );
    this.#last.set(id, { connection, counters, quality });
    return { quality, ...this.#reports.addSample(id, quality, at) };
  }

  /** The last figures; null before the first. */
  quality(id: string | null): Quality | null {
    return this.#last.get(id ?? "")?.quality ?? null;
  }

  /** Those that are raised now. */
  warnings(id: string | null): readonly QualityWarning[] {
    return this.#reports.warnings(id);
  }

  /** The call has ended here, or is another page's. */
  end(id: string): void {
    this.#last.delete(id);
    this.#reports.end(id);
  }
}
