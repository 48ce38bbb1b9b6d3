// The media of all calls: each has a connection of its own, one is talked on and heard, and all share the microphone.

import { AudioLevelMeter } from "../devices/AudioLevelMeter.js";
import type { SoundSource } from "../devices/audioSource.js";
import type { PeerConnection } from "./PeerConnection.js";
import type { FoundCandidate } from "./iceConfig.js";
import type { StatsEntry } from "./mediaLiveness.js";
import type { RemoteAudio } from "../devices/RemoteAudio.js";
import type { CallEvent, LiveCall, PhoneState } from "../state/model.js";
import { CallMedia } from "./CallMedia.js";
import { findCall } from "../state/phoneReducer.js";

export interface LinesOptions {
  microphone: SoundSource;
  voice: Pick<RemoteAudio, "play" | "stop">;
  peer(): Promise<PeerConnection>; // a connection with its offer made, in no use yet
  meter?(stream: MediaStream): Pick<AudioLevelMeter, "read" | "close">;
  link(): boolean; // the server hears us, and has told which calls stand
  suspicious(): void; // packets fail to come: is it the path?
  silent(id: string): void; // none has come for long: ought something to be heard?
  state(): PhoneState;
  dispatch(event: { id: string } & CallEvent): void;
  found(id: string, candidate: FoundCandidate): void; // to be told to the server
  offer(id: string, sdp: string): boolean; // for a call that stands; false: nobody hears
  hopeless(id: string): void;
  measured(id: string, peer: PeerConnection, entries: StatsEntry[]): void; // of each call, each second
}

export class MediaManager {
  readonly #all = new Map<string, CallMedia>();
  readonly #own = new Set<string>(); // calls that do not use the microphone
  #prepared: Promise<PeerConnection> | null = null;
  #playing: MediaStream | null = null;
  #meter: Pick<AudioLevelMeter, "read" | "close"> | null = null;
  readonly #options: LinesOptions;

  constructor(options: LinesOptions) {
    this.#options = options;
    this.#prepare();
  }

  /** The call's media; null where it has none here. */
  of(id: string): CallMedia | null {
    return this.#all.get(id) ?? null;
  }

  /** Media for a call that has none. `own`: a sound of its own in place of the microphone. */
  open(id: string, own: SoundSource | null = null): CallMedia {
    this.drop(id);
    const options = this.#options;
    const microphone = own ?? options.microphone;
    if (own) this.#own.add(id);
    const media = new CallMedia(
      {
        link: options.link,
        held: () => isQuiet(findCall(options.state(), id)),
        suspicious: options.suspicious,
        silent: () => options.silent(id),
        found: (candidate) => options.found(id, candidate),
        offer: (sdp) => options.offer(id, sdp),
        changed: (state) => options.dispatch({ type: "media", id, state }),
        unheard: (problem) => options.dispatch({ type: "unheard", id, problem }),
        hopeless: () => options.hopeless(id),
        heard: () => this.#play(),
        sounds: () => options.dispatch({ type: "far-heard", id }),
        measured: (peer, entries) => options.measured(id, peer, entries),
      },
      { microphone, take: () => this.#take(), prepare: () => this.#prepare() },
    );
    this.#all.set(id, media);
    this.follow(options.state());
    return media;
  }

  drop(id: string): void {
    this.#all.get(id)?.close();
    this.#all.delete(id);
    this.#own.delete(id);
    this.#play();
  }

  /** Closes what belongs to no call any more; gives the microphone and the ear to the active one. */
  follow(state: PhoneState): void {
    for (const [id, media] of this.#all) {
      const call = findCall(state, id);
      if (call) media.talk(id === state.activeId && !call.muted && !call.held);
      else this.drop(id);
    }
    this.#play();
    if (state.calls.every(({ phase }) => phase === "accepted")) this.#prepare(); // else a call is being made, which is more urgent
  }

  /** Of the active call. */
  get active(): CallMedia | null {
    return this.#all.get(this.#options.state().activeId ?? "") ?? null;
  }

  /** Loudness of what is played now, 0 to 1. */
  level(): number {
    return this.#meter?.read() ?? 0;
  }

  linkLost(): void {
    for (const media of this.#all.values()) media.linkLost();
  }

  /** Something hints at a change. */
  hurry(): void {
    for (const media of this.#all.values()) media.hurry();
  }

  /** Another microphone. */
  async send(track: MediaStreamTrack): Promise<void> {
    await Promise.all([...this.#all].map(([id, media]) => (this.#own.has(id) ? undefined : media.send(track))));
  }

  close(): void {
    for (const id of [...this.#all.keys()]) this.drop(id);
    this.#prepared?.then((peer) => peer.close(), () => undefined);
    this.#prepared = null;
  }

  /** Makes the next connection ahead of its use. */
  #prepare(): void {
    this.#prepared ??= this.#options.peer();
    this.#prepared.catch(() => (this.#prepared = null));
  }

  /** A connection for media ahead of a call; one for a call that comes all the same is made at once. */
  async takeAhead(): Promise<PeerConnection> {
    const peer = await this.#take();
    this.#prepare();
    return peer;
  }

  async #take(): Promise<PeerConnection> {
    this.#prepare();
    const peer = this.#prepared;
    this.#prepared = null;
    return peer ?? this.#options.peer();
  }

  #play(): void {
    const stream = this.active?.heard ?? null;
    if (stream === this.#playing) return;
    this.#playing = stream;
    this.#meter?.close();
    this.#meter = null;
    if (!stream) return this.#options.voice.stop();
    this.#options.voice.play(stream);
    const meter = this.#options.meter ?? ((heard: MediaStream) => new AudioLevelMeter(heard));
    if (stream.getTracks().length > 0) this.#meter = meter(stream);
  }
}

/** Nothing need come: a side holds the call, or gives it away. */
const isQuiet = (call: LiveCall | null): boolean => call !== null && (call.held || call.heldByFar || call.transferring !== null);
