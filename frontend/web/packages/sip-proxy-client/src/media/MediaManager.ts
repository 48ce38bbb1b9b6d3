// The media of all calls: each has its own connection, one of them is heard, and all share the microphone.

import { AudioLevelMeter } from "../devices/AudioLevelMeter.js";
import type { AudioSource } from "../devices/audioSource.js";
import type { RemoteAudio } from "../devices/RemoteAudio.js";
import type { PhoneState } from "../state/model.js";
import { findCall } from "../state/phoneReducer.js";
import { CallMedia, type MediaCallbacks } from "./CallMedia.js";
import type { PeerConnection } from "./PeerConnection.js";

export interface MediaManagerOptions extends MediaCallbacks {
  microphone: AudioSource;
  remoteAudio: Pick<RemoteAudio, "play" | "stop">;
  preparePeer(): Promise<PeerConnection>; // a connection with its offer made, not used yet
  levelMeter?(stream: MediaStream): Pick<AudioLevelMeter, "read" | "close">;
}

export class MediaManager {
  readonly #all = new Map<string, CallMedia>();
  readonly #customAudio = new Set<string>(); // calls that do not use the microphone
  #prepared: Promise<PeerConnection> | null = null;
  #playing: MediaStream | null = null;
  #meter: Pick<AudioLevelMeter, "read" | "close"> | null = null;
  readonly #options: MediaManagerOptions;

  constructor(options: MediaManagerOptions) {
    this.#options = options;
    this.#preparePeer();
  }

  /** The call's media; null if it has none here. */
  get(id: string): CallMedia | null {
    return this.#all.get(id) ?? null;
  }

  /** Opens the media of a call. `source`: sent in place of the microphone. */
  open(id: string, source: AudioSource | null = null): CallMedia {
    this.closeCall(id);
    const options = this.#options;
    if (source) this.#customAudio.add(id);
    const media = new CallMedia(id, {
      ...options,
      microphone: source ?? options.microphone,
      takePeer: () => this.#takePeer(),
      prepareNext: () => this.#preparePeer(),
      onRemoteStream: () => this.#play(),
    });
    this.#all.set(id, media);
    this.sync(options.state());
    return media;
  }

  closeCall(id: string): void {
    this.#all.get(id)?.close();
    this.#all.delete(id);
    this.#customAudio.delete(id);
    this.#play();
  }

  /** Closes the media of calls that have ended; connects microphone and loudspeaker with the active call. */
  sync(state: PhoneState): void {
    for (const [id, media] of this.#all) {
      const call = findCall(state, id);
      if (call) media.setTransmitting(id === state.activeId && !call.muted && !call.held);
      else this.closeCall(id);
    }
    this.#play();
    if (state.calls.every(({ phase }) => phase === "accepted")) this.#preparePeer(); // else a call is being made, which is more urgent
  }

  /** Of the active call. */
  get active(): CallMedia | null {
    return this.#all.get(this.#options.state().activeId ?? "") ?? null;
  }

  /** Loudness of what is played now, 0 to 1. */
  outputLevel(): number {
    return this.#meter?.read() ?? 0;
  }

  onSignalingLost(): void {
    for (const media of this.#all.values()) media.onSignalingLost();
  }

  /** Something hints at a change. */
  checkNow(): void {
    for (const media of this.#all.values()) media.checkNow();
  }

  /** Another microphone. */
  async setMicrophone(track: MediaStreamTrack): Promise<void> {
    await Promise.all(
      [...this.#all].map(([id, media]) => (this.#customAudio.has(id) ? undefined : media.setMicrophone(track))),
    );
  }

  close(): void {
    for (const id of [...this.#all.keys()]) this.closeCall(id);
    this.#prepared?.then(
      (peer) => peer.close(),
      () => undefined,
    );
    this.#prepared = null;
  }

  /** Prepares the next connection. */
  #preparePeer(): void {
    this.#prepared ??= this.#options.preparePeer();
    this.#prepared.catch(() => (this.#prepared = null));
  }

  /** A connection for a call that is only expected; another one is prepared at once for any other call. */
  async takePeerAhead(): Promise<PeerConnection> {
    const peer = await this.#takePeer();
    this.#preparePeer();
    return peer;
  }

  async #takePeer(): Promise<PeerConnection> {
    this.#preparePeer();
    const peer = this.#prepared;
    this.#prepared = null;
    return peer ?? this.#options.preparePeer();
  }

  #play(): void {
    const stream = this.active?.remoteStream ?? null;
    if (stream === this.#playing) return;
    this.#playing = stream;
    this.#meter?.close();
    this.#meter = null;
    if (!stream) return this.#options.remoteAudio.stop();
    this.#options.remoteAudio.play(stream);
    const meter = this.#options.levelMeter ?? ((remote: MediaStream) => new AudioLevelMeter(remote));
    if (stream.getTracks().length > 0) this.#meter = meter(stream);
  }
}
