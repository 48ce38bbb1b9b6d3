// What a call sends in place of the microphone, which stays closed.

import type { Microphone } from "./microphone.js";

export type SoundSource = Pick<Microphone, "get" | "sure" | "hold" | "release">;

/** A track of the caller's own; it is never stopped here. */
export function ownSound(track: MediaStreamTrack): SoundSource {
  return { get: () => Promise.resolve(track), sure: true, hold: () => undefined, release: () => undefined };
}

/** For calls that only listen. Silence is sent, for the server to see that the page is there. */
export function silence(): SoundSource {
  const audio = new AudioContext();
  const [track] = audio.createMediaStreamDestination().stream.getAudioTracks();
  return {
    get: () => (track ? Promise.resolve(track) : Promise.reject(new Error("this browser makes no sound of its own"))),
    sure: true,
    hold: () => undefined,
    release: () => (track?.stop(), void audio.close().catch(() => undefined)),
  };
}

/** `sound`: false is silence, nothing is the microphone (null). */
export const sourceOf = (sound: MediaStreamTrack | false | undefined): SoundSource | null =>
  sound === undefined ? null : sound === false ? silence() : ownSound(sound);
