// How loud a stream is.

import { audioContext, resume } from "./autoplay.js";

/** Measures the loudness of a stream without playing it. Reads silence if the browser cannot measure it. */
export class AudioLevelMeter {
  readonly #context = audioContext();
  readonly #analyser: AnalyserNode | null = null;
  readonly #samples = new Float32Array(512);

  constructor(stream: MediaStream) {
    try {
      if (!this.#context) return;
      this.#analyser = this.#context.createAnalyser();
      this.#analyser.fftSize = this.#samples.length;
      this.#context.createMediaStreamSource(stream).connect(this.#analyser);
    } catch {
      this.#analyser = null; // Firefox: the sound card's rate is another one than the microphone's
    }
  }

  /** A meter's position now, 0 to 1. */
  read(): number {
    if (!this.#analyser) return 0;
    resume(this.#context);
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return loudness(Math.sqrt(sum / this.#samples.length));
  }

  close(): void {
    void this.#context?.close().catch(() => undefined);
  }
}

/** Root mean square (0-1) to a meter's position (0-1): -60 dB is silence, -10 dB is full. */
export function loudness(rms: number): number {
  const decibels = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (decibels + 60) / 50));
}
