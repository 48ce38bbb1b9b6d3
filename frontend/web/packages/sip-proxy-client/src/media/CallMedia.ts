// One call's sound: a copy of the microphone out, the far side's voice in, and a new connection where the old one is lost.
//
// A new connection is made beside the old one, which plays until the new one is connected. What is to be done is decided
// in recovery.ts; this file does it.

import { steady } from "../clock.js";
import { MicrophoneError, type MicrophoneProblem } from "../devices/Microphone.js";
import type { SoundSource } from "../devices/audioSource.js";
import type { PeerConnection } from "./PeerConnection.js";
import { NO_PULSE, expecting, feel, isDead, isStill, quietMs, type Pulse, type StatsEntry } from "./mediaLiveness.js";
import type { FoundCandidate } from "./iceConfig.js";
import type { Call } from "../state/model.js";
import { WELL_MS, decide, isWell, type MediaStands, type Standing } from "./mediaRecovery.js";

export interface MediaHooks {
  link(): boolean; // the server hears us, and has told which calls stand
  held(): boolean; // by us or by the far side: nothing need come
  suspicious(): void; // packets fail to come: is it the path?
  silent(): void; // none has come for long, and the path stands: ought something to be heard?
  found(candidate: FoundCandidate): void; // of a connection that was offered
  offer(sdp: string): boolean; // of a new connection for the call that stands; false: nobody hears
  changed(state: Call["media"]): void;
  unheard(problem: MicrophoneProblem | null): void; // the call goes on without our microphone; null: with it
  hopeless(): void; // no sound after all tries
  heard(): void; // there is another stream to play
  sounds(): void; // the first packet of the other side has come
  measured(peer: PeerConnection, entries: StatsEntry[]): void; // each second: what `current` tells by getStats
}

/** What it is made of; tests give their own. */
export interface MediaParts {
  microphone: SoundSource;
  take(): Promise<PeerConnection>; // a connection with its offer made
  prepare(): void; // one more, ahead of its use
}

const LOOK_MS = 500;
const LOOK_CLOSELY_MS = 250; // when something is wrong, or about to be
const LOOK_FOR_SOUND_MS = 100; // before the first packet: the ringback that it ends would sound into it
/** Packets come each 20 ms: without them for so long, one looks closely. */
const QUIET_MS = 100;
/** For so long, the path may be dead. */
const SUSPICIOUS_MS = 500;
/** For so long though the path is not dead, the far side is silent. */
const SILENT_MS = 5000;
const QUALITY_MS = 1000;

export class CallMedia {
  current: PeerConnection | null = null; // what plays, or will as the first
  heard: MediaStream | null = null; // the far side's voice, once there may be any
  #next: PeerConnection | null = null; // is made in place of `current`
  #voice: MediaStreamTrack | null = null; // this call's copy of the microphone: it can be silent while another call's is not
  #voiceOf: MediaStreamTrack | null = null; // what it is a copy of
  #talking = false;
  #closed = false;
  #beginning = false; // the first offer is being made
  #timer: ReturnType<typeof setTimeout> | undefined;
  #told: Call["media"] = "new";

  // See `Standing`.
  #since = 0;
  #lost = false;
  #everHeard = false;
  #trying = false;
  #tries = 0;
  #askedAt = 0;
  #triedAt = 0;

  #linkLostAt: number | null = null;
  #wasHeld = false;
  #suspected = false; // in this pause of packets
  #wellSince = steady();
  #attempt = 0; // counts tries: one that is over does nothing any more
  #pulse: Pulse = NO_PULSE;
  #qualityAt = 0;
  readonly #hooks: MediaHooks;
  readonly #parts: MediaParts;

  constructor(hooks: MediaHooks, parts: MediaParts) {
    this.#hooks = hooks;
    this.#parts = parts;
    parts.microphone.hold();
    this.#lookAgain(0);
  }

  // --- the call begins and ends ------------------------------------------------------

  /**
   * The first offer of a call, as soon as may be: at once where the microphone is known to open, else after it.
   * `warm`: a connection that was made ahead of the call; it is there at once. `send` gives false where nobody hears,
   * and so does this. Throws `MicrophoneError`; whether the offer was sent before that, `current` tells.
   */
  async begin(send: (sdp: string) => Promise<boolean>, warm: PeerConnection | null = null): Promise<boolean> {
    this.#beginning = true;
    const track = this.#parts.microphone.get();
    track.catch(() => undefined); // awaited below
    if (!this.#parts.microphone.sure) await track;
    const peer = warm ?? (await this.#parts.take());
    const offer = warm ? warm.handOver(() => this.#peerChanged(warm)) : this.#offered(peer);
    const sent = !this.#closed && (await send(offer));
    if (this.#closed) {
      peer.close(); // hung up in the meantime
      return true;
    }
    if (!sent) {
      this.#beginning = false;
      peer.close();
      return false;
    }
    this.#beginning = false;
    this.current = peer;
    // Its answer may be on its way into the browser yet: there is nothing to be heard before.
    if (warm) void warm.applied.then(() => this.current === warm && this.#stand(warm));
    const microphone = await track;
    if (this.current === peer) await this.send(microphone);
    return true;
  }

  /** The call stands, and has no connection here yet. */
  adopt(): void {
    this.#everHeard = true;
    this.#told = "returning";
    this.look();
  }

  /** For ever. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#abandon();
    this.#parts.microphone.release();
    this.#voice?.stop();
    this.current?.close();
    this.current = this.heard = null;
  }

  // --- what it is told ---------------------------------------------------------------

  /** Whether the microphone goes into this call. Silence goes in else: the server sees that the page is there. */
  talk(talking: boolean): void {
    this.#talking = talking;
    if (this.#voice) this.#voice.enabled = talking;
  }

  /** The SDP answer to the last offer. Sound can be heard from then on, also before the far side answers. */
  async answered(sdp: string): Promise<void> {
    const peer = [this.#next, this.current].find((one) => one && !one.answered);
    // What was made ahead is not there any more: this is the answer of a leg that our connection knows nothing of.
    if (!peer && this.current && this.current.answerOf !== sdp) return this.lostByServer();
    if (!peer) return;
    const first = peer === this.current;
    if (first) this.#since = steady();
    await peer.answer(sdp);
    if (first && this.current === peer) this.#hear(peer);
  }

  /** Nobody hears us any more. What was offered and not answered is lost; what is connected plays on. */
  linkLost(): void {
    this.#linkLostAt = steady();
    if (this.#next && !this.#next.answered) this.#abandon();
    if (this.current && !this.current.answered) {
      this.current.close();
      this.current = null;
    }
    this.#tell();
  }

  /** The server's side of the connection is gone. */
  lostByServer(): void {
    if (this.#closed || (this.#trying && !this.#next?.answered)) return; // the new offer is there already
    if (this.#trying) this.#abandon();
    this.#lost = true;
    this.look();
  }

  /** The server waits for an offer, having lost the one before: now, whatever was tried until then. */
  wanted(): void {
    this.#tries = 0;
    this.lostByServer();
  }

  /** The server says that sound comes for us: where none has come here, the connection is of no use. */
  ought(): void {
    if (isStill(this.#pulse)) this.lostByServer();
  }

  /** The server refuses the new offer for now. */
  refused(): void {
    this.#abandon();
  }

  get renewing(): boolean {
    return this.#trying;
  }

  /** Looks how things stand: at once, since something hints at a change. */
  look(): void {
    if (this.#closed) return;
    const now = steady();
    const held = this.#hooks.held();
    // Packets are expected from the end of a hold on, not from its beginning.
    if (this.#wasHeld && !held && this.#pulse.lastAt !== null) this.#pulse = { ...this.#pulse, at: now, lastAt: now };
    this.#wasHeld = held;
    const standing = this.#standing(held);
    const well = isWell(standing, now);
    const quiet = held ? 0 : quietMs(this.#pulse);
    this.#lookAgain(well ? quiet : QUIET_MS);
    if (quiet < SUSPICIOUS_MS) this.#suspected = false;
    else if (!this.#suspected) {
      this.#suspected = true;
      this.#hooks.suspicious();
    }
    if (!well) this.#wellSince = now;
    else if (now - this.#wellSince >= WELL_MS) this.#tries = 0;
    const decision = decide(standing, now);
    if (decision === "ask") {
      this.#askedAt = now;
      this.#hooks.silent();
    }
    if (decision === "attach") void this.#renew();
    else if (decision === "abandon") this.#abandon();
    else if (decision === "give-up") this.#hooks.hopeless();
    else this.#tell();
  }

  /** Measures at once, then looks. */
  hurry(): void {
    if (!this.#closed) void this.#measure();
  }

  /** Sends this microphone in place of the one before, without a gap. */
  async send(track: MediaStreamTrack): Promise<void> {
    if (this.#closed) return;
    const before = this.#voice;
    if (!before || this.#voiceOf !== track) {
      this.#voice = track.clone();
      this.#voice.enabled = this.#talking;
      this.#voiceOf = track;
    }
    const voice = this.#voice;
    await Promise.all([this.current, this.#next].map((peer) => voice && peer?.replaceTrack(voice)));
    if (before !== voice) before?.stop();
    if (!this.#closed) this.#hooks.unheard(null);
  }

  // --- how it does that ----------------------------------------------------------------

  #standing(held: boolean): Standing {
    return {
      link: this.#hooks.link(), media: this.#media(), since: this.#since,
      dead: this.#isDead(), still: isStill(this.#pulse), askedAt: this.#askedAt, held, lost: this.#lost,
      everHeard: this.#everHeard, tries: this.#tries, triedAt: this.#triedAt, trying: this.#trying,
    };
  }

  /** On hold no packets come anyway: only the path's own checks tell, and those come further apart. */
  #isDead(): boolean {
    return isDead(this.#pulse, this.#wasHeld ? null : this.#linkLostAt, this.#wasHeld);
  }

  #media(): MediaStands {
    if (this.#beginning) return "asked";
    if (!this.current) return "none";
    if (!this.current.answered) return "asked";
    return this.current.state === "new" ? "connecting" : this.current.state;
  }

  async #renew(): Promise<void> {
    const attempt = ++this.#attempt;
    this.#trying = true;
    this.#tries++;
    this.#triedAt = steady();
    this.#lost = false;
    this.#tell();
    const peer = await this.#parts.take().catch(() => null);
    if (attempt !== this.#attempt) return peer?.close();
    if (!peer) return this.#abandon();
    this.#next = peer;
    if (!this.#hooks.offer(this.#offered(peer))) return this.#abandon();
    this.#parts.prepare();
    try {
      const track = await this.#parts.microphone.get();
      if (this.current === peer || this.#next === peer) await this.send(track);
    } catch (error) {
      // To hear is better than nothing.
      if (this.current === peer || this.#next === peer) this.#hooks.unheard(error instanceof MicrophoneError ? error.problem : "microphone_failed");
    }
  }

  #offered(peer: PeerConnection): string {
    return peer.offer(() => this.#peerChanged(peer), (candidate) => this.#hooks.found(candidate));
  }

  #abandon(): void {
    this.#attempt++;
    this.#trying = false;
    this.#next?.close();
    this.#next = null;
    this.#tell();
  }

  #peerChanged(peer: PeerConnection): void {
    if (peer === this.#next) {
      if (peer.state === "failed") this.#abandon();
      else if (peer.state === "connected") this.#change(peer);
    } else if (peer === this.current) {
      this.#since = steady();
      if (peer.state === "connected") this.#everHeard = true;
      this.look();
    }
  }

  /** The new connection is there: from now on it is the one. */
  #change(peer: PeerConnection): void {
    const before = this.current;
    this.current = peer;
    this.#next = null;
    this.#trying = false;
    this.#everHeard = true;
    this.#since = this.#wellSince = steady();
    this.#pulse = this.#pulse.lastAt === null ? NO_PULSE : expecting(this.#since);
    this.#hear(peer);
    before?.close();
    this.#tell();
  }

  /** A connection that was made ahead: what happened to it until now is made up for. */
  #stand(peer: PeerConnection): void {
    this.#since = steady();
    this.#everHeard = peer.state === "connected";
    this.#hear(peer);
    this.look();
  }

  #hear(peer: PeerConnection): void {
    this.heard = peer.remoteStream;
    this.#hooks.heard();
  }

  async #measure(): Promise<void> {
    clearTimeout(this.#timer);
    const { current } = this;
    if (current?.state === "connected") {
      const report = await current.stats().catch(() => null);
      if (this.#closed) return;
      if (report && current === this.current) this.#read(current, [...report.values()] as StatsEntry[]);
    }
    this.look();
  }

  #lookAgain(quiet: number): void {
    clearTimeout(this.#timer);
    const soundless = this.current?.state === "connected" && this.#pulse.packets === 0;
    const pause = quiet >= QUIET_MS && quiet < SILENT_MS ? LOOK_CLOSELY_MS : LOOK_MS;
    this.#timer = setTimeout(() => void this.#measure(), soundless ? Math.min(pause, LOOK_FOR_SOUND_MS) : pause);
  }

  #read(peer: PeerConnection, entries: StatsEntry[]): void {
    const now = steady();
    const { packets } = this.#pulse;
    this.#pulse = feel(this.#pulse, entries, now);
    if (packets === 0 && this.#pulse.packets > 0) this.#hooks.sounds();
    if (now - this.#qualityAt < QUALITY_MS - 100) return;
    this.#qualityAt = now;
    this.#hooks.measured(peer, entries);
  }

  #tell(): void {
    const state = this.#shown();
    if (state === this.#told || this.#closed) return;
    this.#told = state;
    this.#hooks.changed(state);
  }

  #shown(): Call["media"] {
    if (this.current?.state === "connected" && !this.#lost && !this.#isDead()) return "connected";
    if (!this.#everHeard && this.#tries === 0) return this.current?.state ?? "new";
    return this.#trying || !this.current ? "returning" : "interrupted";
  }
}
