// What a call sends in place of the microphone, which stays closed.

import { onUserActivation, resume } from "./autoplay.js";
import type { Microphone } from "./Microphone.js";

export type AudioSource = Pick<Microphone, "get" | "isGranted" | "retain" | "release">;

/** The program's own track; it is never stopped here. */
export function trackSource(track: MediaStreamTrack): AudioSource {
  return { get: () => Promise.resolve(track), isGranted: true, retain: () => undefined, release: () => undefined };
}

/** For calls that only listen. Silence is sent, for the server to see that the page is there. */
export function silentSource(): AudioSource {
  let audio: AudioContext | null = null;
  let track: MediaStreamTrack | undefined;
  const stopListening = onUserActivation(() => resume(audio)); // till then a browser may make not even silence
  return {
    async get() {
      audio ??= new AudioContext();
      resume(audio);
      track ??= audio.createMediaStreamDestination().stream.getAudioTracks()[0];
      if (!track) throw new Error("this browser makes no sound of its own");
      return track;
    },
    isGranted: true,
    retain: () => undefined,
    release: () => (stopListening(), track?.stop(), void audio?.close().catch(() => undefined)),
  };
}

/** `sound`: false is silence, undefined is the microphone (null). */
export const audioSourceOf = (sound: MediaStreamTrack | false | undefined): AudioSource | null =>
  sound === undefined ? null : sound === false ? silentSource() : trackSource(sound);
