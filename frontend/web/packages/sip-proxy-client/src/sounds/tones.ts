// Ringtone, ringback, call waiting, busy and key tones by Web Audio: no files. Frequencies and cadences after
// ITU-T E.180 supplement 2 (Europe) for ringback and busy, ITU-T Q.23 for DTMF.

import { onUserActivation } from "../devices/autoplay.js";
import { AudioOutput } from "./output.js";

export type Sound = "ringtone" | "ringback" | "knock" | "busy" | "congestion";

interface Pattern {
  hertz: number[];
  volume: number;
  beats: [on: number, off: number][]; // seconds
  times: number; // how often the beats are repeated
}

const REPEATS_UNTIL_STOPPED = 60;

const PATTERNS: Record<Sound, Pattern> = {
  ringtone: {
    hertz: [660, 880],
    volume: 0.16,
    beats: [
      [0.35, 0.2],
      [0.35, 2],
    ],
    times: REPEATS_UNTIL_STOPPED,
  },
  ringback: { hertz: [425], volume: 0.08, beats: [[1, 4]], times: REPEATS_UNTIL_STOPPED },
  knock: {
    hertz: [425],
    volume: 0.05,
    beats: [
      [0.2, 0.6],
      [0.2, 6],
    ],
    times: 20,
  }, // softly, into the talk
  busy: { hertz: [425], volume: 0.08, beats: [[0.5, 0.5]], times: 4 },
  congestion: { hertz: [425], volume: 0.08, beats: [[0.25, 0.25]], times: 6 },
};

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const KEYS = "123A456B789C*0#D";

/** The two frequencies of a key; null if there is no such key. */
export function keyTones(key: string): [number, number] | null {
  const index = KEYS.indexOf(key);
  if (index < 0 || key.length !== 1) return null;
  return [ROWS[Math.floor(index / 4)] ?? 0, COLUMNS[index % 4] ?? 0];
}

export class TonePlayer {
  private readonly outputs = { talk: new AudioOutput(), ring: new AudioOutput() }; // the ringtone on the loudspeaker, all others in the headset
  private readonly stopListening = onUserActivation(() => {
    this.outputs.talk.start();
    this.outputs.ring.start();
  });
  private playing: Sound | null = null;
  private stopPlaying: () => void = () => undefined;

  /** Plays a sound in place of the one before; null is silence. The same sound again continues without interruption. */
  play(sound: Sound | null): void {
    if (sound === this.playing) return;
    this.stopPlaying();
    this.stopPlaying = () => undefined;
    this.playing = sound;
    if (!sound) return;
    const output = this.outputs[sound === "ringtone" ? "ring" : "talk"].node;
    if (!output) return;
    const { context } = output;
    const pattern = PATTERNS[sound];
    const gain = new GainNode(context, { gain: 0 });
    gain.connect(output);
    const voices = pattern.hertz.map((frequency) => new OscillatorNode(context, { frequency }));
    let at = context.currentTime + 0.02;
    for (let round = 0; round < pattern.times; round++) {
      for (const [on, off] of pattern.beats) {
        gain.gain.setTargetAtTime(pattern.volume, at, 0.008);
        gain.gain.setTargetAtTime(0, at + on, 0.012);
        at += on + off;
      }
    }
    for (const voice of voices) {
      voice.connect(gain);
      voice.start();
      voice.stop(at);
    }
    this.stopPlaying = () => {
      for (const voice of voices) voice.stop();
      gain.disconnect();
    };
  }

  /** Plays the short tone of a key. */
  key(key: string): void {
    const tones = keyTones(key);
    const output = tones && this.outputs.talk.node;
    if (!output) return;
    const { context } = output;
    const now = context.currentTime;
    const gain = new GainNode(context, { gain: 0.05 });
    gain.gain.setTargetAtTime(0, now + 0.09, 0.01);
    gain.connect(output);
    for (const frequency of tones) {
      const voice = new OscillatorNode(context, { frequency });
      voice.connect(gain);
      voice.start(now);
      voice.stop(now + 0.15);
    }
  }

  /** Selects the device: `talk` for the tones of calls, `ring` for the ringtone. "" is the system default. */
  setDevice(which: "talk" | "ring", deviceId: string): void {
    this.outputs[which].setDevice(deviceId);
  }

  close(): void {
    this.play(null);
    this.stopListening();
    this.outputs.talk.close();
    this.outputs.ring.close();
  }
}
