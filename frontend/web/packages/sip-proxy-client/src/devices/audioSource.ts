// What a call sends in place of the microphone, which stays closed.

import { onPress, resume } from "./autoplay.js";
import type { Microphone } from "./Microphone.js";

export type SoundSource = Pick<Microphone, "get" | "sure" | "hold" | "release">;

/** A track of the caller's own; it is never stopped here. */
export function ownSound(track: MediaStreamTrack): SoundSource {
  return { get: () => Promise.resolve(track), sure: true, hold: () => undefined, release: () => undefined };
}

/** For calls that only listen. Silence is sent, for the server to see that the page is there. */
export function silence(): SoundSource {
  let audio: AudioContext | null = null;
  let track: MediaStreamTrack | undefined;
  const stopListening = onPress(() => resume(audio)); // till then a browser may make not even silence
  return {
    async get() {
      audio ??= new AudioContext();
      resume(audio);
      track ??= audio.createMediaStreamDestination().stream.getAudioTracks()[0];
      if (!track) throw new Error("this browser makes no sound of its own");
      return track;
    },
    sure: true,
    hold: () => undefined,
    release: () => (stopListening(), track?.stop(), void audio?.close().catch(() => undefined)),
  };
}

/** `sound`: false is silence, nothing is the microphone (null). */
export const sourceOf = (sound: MediaStreamTrack | false | undefined): SoundSource | null =>
  sound === undefined ? null : sound === false ? silence() : ownSound(sound);
