// One call's sound: the microphone out, the far side's voice in, and a new connection where the old one is lost.
//
// A new connection is made beside the old one, which plays until the new one is connected. What is to be done is decided
// in recovery.ts; this file does it.

import { LevelMeter } from "../media/level";
import { Microphone, MicrophoneError, type MicrophoneProblem } from "../media/microphone";
import { Peer } from "../media/peer";
import { NO_PULSE, expecting, feel, isDead, isStill, quietMs, type Pulse } from "../media/pulse";
import { sample, type Counters, type Quality } from "../media/quality";
import { Voice } from "../media/voice";
import type { Call } from "./call";
import { WELL_MS, decide, isWell, type MediaStands, type Standing } from "./recovery";

export interface MediaHooks {
  link(): boolean; // the server hears us, and has told which calls stand
  held(): boolean; // the far side holds the call
  suspicious(): void; // packets fail to come: is it the path?
  offer(sdp: string): boolean; // of a new connection for the call that stands; false: nobody hears
  changed(state: Call["media"]): void;
  unheard(problem: MicrophoneProblem | null): void; // the call goes on without our microphone; null: with it
  hopeless(): void; // no sound after all tries
  quality(quality: Quality): void;
}

/** What it is made of; tests give their own. */
export interface MediaParts {
  microphone: Pick<Microphone, "get" | "sure" | "hold" | "release" | "setMuted">;
  voice: Pick<Voice, "play" | "stop">;
  peer(): Promise<Peer>;
  meter(stream: MediaStream): Pick<LevelMeter, "read" | "close">;
}

const LOOK_MS = 500;
const LOOK_CLOSELY_MS = 250; // when something is wrong, or about to be
/** Packets come each 20 ms: without them for so long, one looks closely. */
const QUIET_MS = 100;
/** For so long, the path may be dead. */
const SUSPICIOUS_MS = 500;
/** For so long though the path is not dead, the far side is silent. */
const SILENT_MS = 5000;
/** A new connection that packets come through this soon was needed. */
const HELPED_MS = 2000;
const QUALITY_MS = 2000;
const NOTHING: Counters = { received: 0, lost: 0 };

export class CallMedia {
  current: Peer | null = null; // what plays, or will as the first
  private next: Peer | null = null; // is made in place of `current`
  private prepared: Promise<Peer> | null = null;
  private meter: Pick<LevelMeter, "read" | "close"> | null = null;
  private run = 0; // counts calls: what was begun for an earlier one is dropped
  private active = false;
  private beginning = false; // the first offer is being made
  private timer: ReturnType<typeof setTimeout> | undefined;
  private told: Call["media"] = "new";

  // See `Standing`.
  private since = 0;
  private lost = false;
  private everHeard = false;
  private trying = false;
  private tries = 0;
  private stillTries = 0;
  private triedAt = 0;

  private linkLostAt: number | null = null;
  private suspected = false; // in this pause of packets
  private wellSince = 0;
  private attempt = 0; // counts tries over all calls: a try that is over does nothing any more
  private pulse: Pulse = NO_PULSE;
  private counters: Counters = NOTHING;
  private qualityAt = 0;

  constructor(
    private readonly hooks: MediaHooks,
    private readonly parts: MediaParts,
  ) {
    this.prepare();
  }

  // --- a call begins and ends ------------------------------------------------------

  /**
   * The first offer of a call, as soon as may be: at once where the microphone is known to open, else after it.
   * `send` gives false where nobody hears, and so does this. Throws `MicrophoneError`; whether the offer was sent before that, `current` tells.
   */
  async begin(send: (sdp: string) => Promise<boolean>): Promise<boolean> {
    const run = this.start(false);
    this.beginning = true;
    const track = this.parts.microphone.get();
    track.catch(() => undefined); // awaited below
    if (!this.parts.microphone.sure) await track;
    const peer = await this.take();
    const sent = run === this.run && (await send(peer.offer(() => this.peerChanged(peer))));
    if (run !== this.run) {
      peer.close(); // hung up in the meantime
      return true;
    }
    if (!sent) {
      peer.close();
      return false;
    }
    this.beginning = false;
    this.current = peer;
    const microphone = await track;
    if (this.current === peer) await peer.replaceTrack(microphone);
    return true;
  }

  /** A call that stands, and has no connection here yet. */
  adopt(): void {
    this.start(true);
    this.look();
  }

  stop(): void {
    if (!this.active) return;
    this.run++;
    this.active = this.beginning = false;
    clearTimeout(this.timer);
    this.abandon();
    this.parts.microphone.release();
    this.parts.microphone.setMuted(false);
    this.parts.voice.stop();
    this.meter?.close();
    this.meter = null;
    this.current?.close();
    this.current = null;
    this.told = "new";
  }

  close(): void {
    this.stop();
    void this.prepared?.then((peer) => peer.close());
  }

  /** Makes the next connection ahead of its use. */
  prepare(): void {
    this.prepared ??= this.parts.peer();
    this.prepared.catch(() => (this.prepared = null));
  }

  // --- what it is told ---------------------------------------------------------------

  /** The SDP answer to the last offer. Sound can be heard from then on, also before the far side answers. */
  async answered(sdp: string): Promise<void> {
    const peer = [this.next, this.current].find((one) => one && !one.answered);
    if (!peer) return;
    const first = peer === this.current;
    if (first) this.since = Date.now();
    await peer.answer(sdp);
    if (first && this.current === peer) this.play(peer);
  }

  /** Nobody hears us any more. What was offered and not answered is lost; what is connected plays on. */
  linkLost(): void {
    this.linkLostAt = Date.now();
    if (this.next && !this.next.answered) this.abandon();
    if (this.current && !this.current.answered) {
      this.current.close();
      this.current = null;
    }
    this.tell();
  }

  /** The server's side of the connection is gone. */
  lostByServer(): void {
    if (!this.active || (this.trying && !this.next?.answered)) return; // the new offer is there already
    if (this.trying) this.abandon();
    this.lost = true;
    this.look();
  }

  /** The server refuses the new offer for now. */
  refused(): void {
    this.abandon();
  }

  get renewing(): boolean {
    return this.trying;
  }

  /** Looks how things stand: at once, since something hints at a change. */
  look(): void {
    if (!this.active) return;
    const now = Date.now();
    const standing = this.standing();
    const well = isWell(standing, now);
    const quiet = quietMs(this.pulse);
    this.lookAgain(well ? quiet : QUIET_MS);
    if (quiet < SUSPICIOUS_MS) this.suspected = false;
    else if (!this.suspected) {
      this.suspected = true;
      this.hooks.suspicious();
    }
    if (!well) this.wellSince = now;
    else if (now - this.wellSince >= WELL_MS) this.tries = 0;
    const decision = decide(standing, now);
    if (decision === "attach" && standing.still) this.stillTries++;
    if (decision === "attach") void this.renew();
    else if (decision === "abandon") this.abandon();
    else if (decision === "give-up") this.hooks.hopeless();
    else this.tell();
  }

  /** Measures at once, then looks. */
  hurry(): void {
    if (this.active) void this.measure();
  }

  /** Sends this microphone in place of the one before. */
  async send(track: MediaStreamTrack): Promise<void> {
    await Promise.all([this.current, this.next].map((peer) => peer?.replaceTrack(track)));
    if (this.active) this.hooks.unheard(null);
  }

  readonly level = (): number => this.meter?.read() ?? 0;

  // --- how it does that ----------------------------------------------------------------

  private start(everHeard: boolean): number {
    this.stop();
    this.active = true;
    this.parts.microphone.hold();
    Object.assign(this, { since: 0, lost: false, everHeard, trying: false, tries: 0, stillTries: 0, triedAt: 0, wellSince: Date.now() });
    Object.assign(this, { pulse: NO_PULSE, linkLostAt: null, suspected: false, counters: NOTHING, qualityAt: 0, told: everHeard ? "returning" : "new" });
    this.lookAgain(0);
    return ++this.run;
  }

  private standing(): Standing {
    return {
      link: this.hooks.link(), media: this.media(), since: this.since,
      dead: this.isDead(), still: isStill(this.pulse), stillTries: this.stillTries, held: this.hooks.held(), lost: this.lost,
      everHeard: this.everHeard, tries: this.tries, triedAt: this.triedAt, trying: this.trying,
    };
  }

  private isDead(): boolean {
    return isDead(this.pulse, this.linkLostAt);
  }

  private media(): MediaStands {
    if (this.beginning) return "asked";
    if (!this.current) return "none";
    if (!this.current.answered) return "asked";
    return this.current.state === "new" ? "connecting" : this.current.state;
  }

  private async renew(): Promise<void> {
    const attempt = ++this.attempt;
    this.trying = true;
    this.tries++;
    this.triedAt = Date.now();
    this.lost = false;
    this.tell();
    const peer = await this.take().catch(() => null);
    if (attempt !== this.attempt) return peer?.close();
    if (!peer) return this.abandon();
    this.next = peer;
    const sdp = peer.offer(() => this.peerChanged(peer));
    if (!this.hooks.offer(sdp)) return this.abandon();
    this.prepare();
    try {
      const track = await this.parts.microphone.get();
      if (this.current !== peer && this.next !== peer) return;
      await peer.replaceTrack(track);
      this.hooks.unheard(null);
    } catch (error) {
      // To hear is better than nothing.
      if (this.current === peer || this.next === peer) this.hooks.unheard(error instanceof MicrophoneError ? error.problem : "microphone_failed");
    }
  }

  private abandon(): void {
    this.attempt++;
    this.trying = false;
    this.next?.close();
    this.next = null;
    if (this.active) this.tell();
  }

  private peerChanged(peer: Peer): void {
    if (peer === this.next) {
      if (peer.state === "failed") this.abandon();
      else if (peer.state === "connected") this.change(peer);
    } else if (peer === this.current) {
      this.since = Date.now();
      if (peer.state === "connected") this.everHeard = true;
      this.look();
    }
  }

  /** The new connection is there: from now on it is the one. */
  private change(peer: Peer): void {
    const before = this.current;
    this.current = peer;
    this.next = null;
    this.trying = false;
    this.everHeard = true;
    this.since = this.wellSince = Date.now();
    this.pulse = this.pulse.lastAt === null ? NO_PULSE : expecting(this.since);
    this.counters = NOTHING;
    this.play(peer);
    before?.close();
    this.tell();
  }

  private play(peer: Peer): void {
    this.parts.voice.play(peer.remoteStream);
    this.meter?.close();
    this.meter = peer.remoteStream.getTracks().length > 0 ? this.parts.meter(peer.remoteStream) : null;
  }

  private async take(): Promise<Peer> {
    this.prepare();
    const peer = this.prepared;
    this.prepared = null;
    return peer ?? this.parts.peer();
  }

  private async measure(): Promise<void> {
    clearTimeout(this.timer);
    const { run, current } = this;
    if (current?.state === "connected") {
      const report = await current.stats().catch(() => null);
      if (run !== this.run) return;
      if (report && current === this.current) this.read([...report.values()] as { type: string; id: string }[]);
    }
    this.look();
  }

  private lookAgain(quiet: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.measure(), quiet >= QUIET_MS && quiet < SILENT_MS ? LOOK_CLOSELY_MS : LOOK_MS);
  }

  private read(entries: { type: string; id: string }[]): void {
    const now = Date.now();
    const { packets } = this.pulse;
    this.pulse = feel(this.pulse, entries, now);
    // It helped: else packets would come only when somebody speaks there.
    if (this.pulse.packets > packets && now - this.since < HELPED_MS) this.stillTries = 0;
    if (now - this.qualityAt < QUALITY_MS - 100) return;
    this.qualityAt = now;
    const { quality, counters } = sample(entries, this.counters);
    this.counters = counters;
    this.hooks.quality(quality);
  }

  private tell(): void {
    const state = this.shown();
    if (state === this.told || !this.active) return;
    this.told = state;
    this.hooks.changed(state);
  }

  private shown(): Call["media"] {
    if (this.current?.state === "connected" && !this.lost && !this.isDead()) return "connected";
    if (!this.everHeard && this.tries === 0) return this.current?.state ?? "new";
    return this.trying || !this.current ? "returning" : "interrupted";
  }
}
