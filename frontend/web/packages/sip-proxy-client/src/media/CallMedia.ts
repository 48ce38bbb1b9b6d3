// One call's media: a copy of the microphone out, the far side's voice in, and a new connection in place of a lost one.
//
// A new connection is made beside the old one, which plays until the new one is connected. What to do is decided
// in mediaRecovery.ts; this file does it.

import { monotonicNow } from "../clock.js";
import type { AudioSource } from "../devices/audioSource.js";
import { microphoneError } from "../devices/DeviceManager.js";
import type { Call, LiveCall } from "../state/model.js";
import type { PhoneContext } from "../state/phoneContext.js";
import { findCall } from "../state/phoneReducer.js";
import {
  expectMedia,
  isDead,
  isStalled,
  type MediaLiveness,
  NO_MEDIA_YET,
  type StatsEntry,
  silenceMs,
  update,
} from "./mediaLiveness.js";
import { type ConnectionPhase, decide, isHealthy, type MediaHealth, RECOVERED_AFTER_MS } from "./mediaRecovery.js";
import type { PeerConnection } from "./PeerConnection.js";

/** What the media of all calls have in common. */
export interface MediaCallbacks extends PhoneContext {
  isSignalingReady(): boolean; // the server can be reached, and has sent its list of calls
  onPacketsMissing(): void; // packets do not arrive: is the path lost?
  sendOffer(id: string, sdp: string): boolean; // of a new connection for an existing call; false: the server cannot be reached
  onMediaFailed(id: string): void; // no media after all attempts
  onStats(id: string, peer: PeerConnection, entries: StatsEntry[]): void; // each second: the statistics of `current`
}

export interface CallMediaOptions extends MediaCallbacks {
  microphone: AudioSource;
  takePeer(): Promise<PeerConnection>; // a connection with its offer made
  prepareNext(): void; // one more, ahead of its use
  onRemoteStream(): void; // there is another stream to play
}

const CHECK_INTERVAL_MS = 500;
const CLOSE_CHECK_INTERVAL_MS = 250; // when something is wrong, or about to be
const FIRST_PACKET_CHECK_INTERVAL_MS = 100; // before the first packet: the ringback that it ends would sound into it
/** Packets come every 20 ms: after such a pause the call is checked more often. */
const PAUSE_MS = 100;
/** After such a pause the path may be dead. */
const PACKETS_MISSING_AFTER_MS = 500;
/** After such a pause, if the path is alive, the far side is silent. */
const FAR_SIDE_SILENT_AFTER_MS = 5000;
const STATS_INTERVAL_MS = 1000;

export class CallMedia {
  current: PeerConnection | null = null; // what plays, or will as the first
  remoteStream: MediaStream | null = null; // the far side's voice, once there may be any
  #next: PeerConnection | null = null; // is made in place of `current`
  #microphoneTrack: MediaStreamTrack | null = null; // this call's copy of the microphone: it can be silent while another call's is not
  #clonedFrom: MediaStreamTrack | null = null; // what it is a copy of
  #transmitting = false;
  #closed = false;
  #isOffering = false; // the first offer is being made
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reportedState: Call["media"] = "new";

  // See `MediaHealth`.
  #since = 0;
  #lostByServer = false;
  #wasConnected = false;
  #isAttempting = false;
  #attempts = 0;
  #serverAskedAt = 0;
  #attemptedAt = 0;

  #signalingLostAt: number | null = null;
  #wasHeld = false;
  #missingReported = false; // in this pause of packets
  #healthySince = monotonicNow();
  #attemptId = 0; // counts attempts: a superseded one does nothing any more
  #liveness: MediaLiveness = NO_MEDIA_YET;
  #statsAt = 0;
  readonly #id: string;
  readonly #options: CallMediaOptions;

  constructor(id: string, options: CallMediaOptions) {
    this.#id = id;
    this.#options = options;
    options.microphone.retain();
    this.#scheduleCheck(0);
  }

  // --- the call begins and ends ------------------------------------------------------

  /**
   * The first offer of a call, as early as possible: at once if the microphone is known to open, else after it has opened.
   * `prewarmed`: a connection that was made in advance. `send` returns false if the server cannot be reached,
   * and so does this. Throws `MicrophoneError`; `current` says whether the offer had been sent before.
   */
  async start(send: (sdp: string) => Promise<boolean>, prewarmed: PeerConnection | null = null): Promise<boolean> {
    this.#isOffering = true;
    const track = this.#options.microphone.get();
    track.catch(() => undefined); // awaited below
    if (!this.#options.microphone.isGranted) await track;
    const peer = prewarmed ?? (await this.#options.takePeer());
    const offer = prewarmed ? prewarmed.handOver(() => this.#onPeerState(prewarmed)) : this.#offerOf(peer);
    const sent = !this.#closed && (await send(offer));
    if (this.#closed) {
      peer.close(); // hung up in the meantime
      return true;
    }
    if (!sent) {
      this.#isOffering = false;
      peer.close();
      return false;
    }
    this.#isOffering = false;
    this.current = peer;
    // Its answer may not have been applied yet: until then there is no media.
    if (prewarmed) void prewarmed.applied.then(() => this.current === prewarmed && this.#startWith(prewarmed));
    const microphone = await track;
    if (this.current === peer) await this.setMicrophone(microphone);
    return true;
  }

  /** The call exists, and has no connection here yet. */
  resume(): void {
    this.#wasConnected = true;
    this.#reportedState = "returning";
    this.check();
  }

  /** For good. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#abandon();
    this.#options.microphone.release();
    this.#microphoneTrack?.stop();
    this.current?.close();
    this.current = this.remoteStream = null;
  }

  // --- what happens to it ------------------------------------------------------------

  /** Whether the microphone goes into this call. Silence goes in else: the server sees that the page is there. */
  setTransmitting(talking: boolean): void {
    this.#transmitting = talking;
    if (this.#microphoneTrack) this.#microphoneTrack.enabled = talking;
  }

  /** The SDP answer to the last offer. Media may arrive from now on, also before the far side answers. */
  async onAnswer(sdp: string): Promise<void> {
    const peer = [this.#next, this.current].find((one) => one && !one.answered);
    // The prepared leg does not exist any more: this is the answer of a leg that our connection does not know.
    if (!peer && this.current && this.current.answerSdp !== sdp) return this.onLostByServer();
    if (!peer) return;
    const first = peer === this.current;
    if (first) this.#since = monotonicNow();
    await peer.answer(sdp);
    if (first && this.current === peer) this.#play(peer);
  }

  /** The server cannot be reached. An unanswered offer is lost; a connected one plays on. */
  onSignalingLost(): void {
    this.#signalingLostAt = monotonicNow();
    if (this.#next && !this.#next.answered) this.#abandon();
    if (this.current && !this.current.answered) {
      this.current.close();
      this.current = null;
    }
    this.#report();
  }

  /** The server's side of the connection has failed. */
  onLostByServer(): void {
    if (this.#closed || (this.#isAttempting && !this.#next?.answered)) return; // the new offer is there already
    if (this.#isAttempting) this.#abandon();
    this.#lostByServer = true;
    this.check();
  }

  /** The server waits for an offer, having lost the one before: now, whatever was tried until then. */
  onOfferWanted(): void {
    this.#attempts = 0;
    this.onLostByServer();
  }

  /** The server does send us media: if none has arrived here, the connection is useless. */
  onServerHasMedia(): void {
    if (isStalled(this.#liveness)) this.onLostByServer();
  }

  /** The server refuses the new offer for now. */
  onOfferRefused(): void {
    this.#abandon();
  }

  get isRenewing(): boolean {
    return this.#isAttempting;
  }

  /** Checks the media, as something may have changed. */
  check(): void {
    if (this.#closed) return;
    const now = monotonicNow();
    const held = expectsNoPackets(findCall(this.#options.state(), this.#id));
    // Packets are expected from the end of a hold on, not from its beginning.
    if (this.#wasHeld && !held && this.#liveness.lastPacketAt !== null)
      this.#liveness = { ...this.#liveness, sampledAt: now, lastPacketAt: now };
    this.#wasHeld = held;
    const health = this.#health(held);
    const isWell = isHealthy(health, now);
    const silence = held ? 0 : silenceMs(this.#liveness);
    this.#scheduleCheck(isWell ? silence : PAUSE_MS);
    if (silence < PACKETS_MISSING_AFTER_MS) this.#missingReported = false;
    else if (!this.#missingReported) {
      this.#missingReported = true;
      this.#options.onPacketsMissing();
    }
    if (!isWell) this.#healthySince = now;
    else if (now - this.#healthySince >= RECOVERED_AFTER_MS) this.#attempts = 0;
    const decision = decide(health, now);
    if (decision === "ask") {
      this.#serverAskedAt = now;
      this.#options.send({ type: "check-media", callId: this.#id });
    }
    if (decision === "attach") void this.#renew();
    else if (decision === "abandon") this.#abandon();
    else if (decision === "give-up") this.#options.onMediaFailed(this.#id);
    else this.#report();
  }

  /** Measures at once, then looks. */
  checkNow(): void {
    if (!this.#closed) void this.#sample();
  }

  /** Sends this microphone in place of the one before, without a gap. */
  async setMicrophone(track: MediaStreamTrack): Promise<void> {
    if (this.#closed) return;
    const before = this.#microphoneTrack;
    if (!before || this.#clonedFrom !== track) {
      this.#microphoneTrack = track.clone();
      this.#microphoneTrack.enabled = this.#transmitting;
      this.#clonedFrom = track;
    }
    const voice = this.#microphoneTrack;
    await Promise.all([this.current, this.#next].map((peer) => voice && peer?.replaceTrack(voice)));
    if (before !== voice) before?.stop();
    if (!this.#closed) this.#options.dispatch({ type: "microphone", id: this.#id, problem: null });
  }

  // --- how it does that ----------------------------------------------------------------

  #health(isHeld: boolean): MediaHealth {
    return {
      isSignalingReady: this.#options.isSignalingReady(),
      connection: this.#connectionPhase(),
      since: this.#since,
      isDead: this.#isDead(),
      isStalled: isStalled(this.#liveness),
      serverAskedAt: this.#serverAskedAt,
      isHeld,
      lostByServer: this.#lostByServer,
      wasConnected: this.#wasConnected,
      attempts: this.#attempts,
      attemptedAt: this.#attemptedAt,
      isAttempting: this.#isAttempting,
    };
  }

  /** On hold no packets are expected: only the path's own checks tell, and those are less frequent. */
  #isDead(): boolean {
    return isDead(this.#liveness, this.#wasHeld ? null : this.#signalingLostAt, this.#wasHeld);
  }

  #connectionPhase(): ConnectionPhase {
    if (this.#isOffering) return "asked";
    if (!this.current) return "none";
    if (!this.current.answered) return "asked";
    return this.current.state === "new" ? "connecting" : this.current.state;
  }

  async #renew(): Promise<void> {
    const attempt = ++this.#attemptId;
    this.#isAttempting = true;
    this.#attempts++;
    this.#attemptedAt = monotonicNow();
    this.#lostByServer = false;
    this.#report();
    const peer = await this.#options.takePeer().catch(() => null);
    if (attempt !== this.#attemptId) return peer?.close();
    if (!peer) return this.#abandon();
    this.#next = peer;
    if (!this.#options.sendOffer(this.#id, this.#offerOf(peer))) return this.#abandon();
    this.#options.prepareNext();
    try {
      const track = await this.#options.microphone.get();
      if (this.current === peer || this.#next === peer) await this.setMicrophone(track);
    } catch (error) {
      // To hear the far side is better than nothing.
      if (this.current === peer || this.#next === peer)
        this.#options.dispatch({ type: "microphone", id: this.#id, problem: microphoneError(error).problem });
    }
  }

  #offerOf(peer: PeerConnection): string {
    return peer.offer(
      () => this.#onPeerState(peer),
      (candidate) => this.#options.send({ type: "candidate", callId: this.#id, ...candidate }),
    );
  }

  #abandon(): void {
    this.#attemptId++;
    this.#isAttempting = false;
    this.#next?.close();
    this.#next = null;
    this.#report();
  }

  #onPeerState(peer: PeerConnection): void {
    if (peer === this.#next) {
      if (peer.state === "failed") this.#abandon();
      else if (peer.state === "connected") this.#switchTo(peer);
    } else if (peer === this.current) {
      this.#since = monotonicNow();
      if (peer.state === "connected") this.#wasConnected = true;
      this.check();
    }
  }

  /** The new connection is there: from now on it is the one. */
  #switchTo(peer: PeerConnection): void {
    const before = this.current;
    this.current = peer;
    this.#next = null;
    this.#isAttempting = false;
    this.#wasConnected = true;
    this.#since = this.#healthySince = monotonicNow();
    this.#liveness = this.#liveness.lastPacketAt === null ? NO_MEDIA_YET : expectMedia(this.#since);
    this.#play(peer);
    before?.close();
    this.#report();
  }

  /** A connection that was made ahead: what happened to it until now is made up for. */
  #startWith(peer: PeerConnection): void {
    this.#since = monotonicNow();
    this.#wasConnected = peer.state === "connected";
    this.#play(peer);
    this.check();
  }

  #play(peer: PeerConnection): void {
    this.remoteStream = peer.remoteStream;
    this.#options.onRemoteStream();
  }

  async #sample(): Promise<void> {
    clearTimeout(this.#timer);
    const { current } = this;
    if (current?.state === "connected") {
      const report = await current.stats().catch(() => null);
      if (this.#closed) return;
      if (report && current === this.current) this.#onSample(current, [...report.values()] as StatsEntry[]);
    }
    this.check();
  }

  #scheduleCheck(quiet: number): void {
    clearTimeout(this.#timer);
    const soundless = this.current?.state === "connected" && this.#liveness.packets === 0;
    const pause = quiet >= PAUSE_MS && quiet < FAR_SIDE_SILENT_AFTER_MS ? CLOSE_CHECK_INTERVAL_MS : CHECK_INTERVAL_MS;
    this.#timer = setTimeout(
      () => void this.#sample(),
      soundless ? Math.min(pause, FIRST_PACKET_CHECK_INTERVAL_MS) : pause,
    );
  }

  #onSample(peer: PeerConnection, entries: StatsEntry[]): void {
    const now = monotonicNow();
    const { packets } = this.#liveness;
    this.#liveness = update(this.#liveness, entries, now);
    if (packets === 0 && this.#liveness.packets > 0) this.#options.dispatch({ type: "far-audio", id: this.#id });
    if (now - this.#statsAt < STATS_INTERVAL_MS - 100) return;
    this.#statsAt = now;
    this.#options.onStats(this.#id, peer, entries);
  }

  #report(): void {
    const state = this.#state();
    if (state === this.#reportedState || this.#closed) return;
    this.#reportedState = state;
    this.#options.dispatch({ type: "media", id: this.#id, state });
  }

  #state(): Call["media"] {
    if (this.current?.state === "connected" && !this.#lostByServer && !this.#isDead()) return "connected";
    if (!this.#wasConnected && this.#attempts === 0) return this.current?.state ?? "new";
    return this.#isAttempting || !this.current ? "returning" : "interrupted";
  }
}

/** One of the sides holds the call, or is transferring it. */
const expectsNoPackets = (call: LiveCall | null): boolean =>
  call !== null && (call.held || call.heldByFar || call.transferring !== null);
