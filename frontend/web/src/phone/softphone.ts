// The softphone without a page: joins signalling, media and the call's state. Knows no framework.
// A page subscribes, reads `snapshot`, and calls the methods below; none of them throws.

import { LevelMeter } from "../media/level";
import { Microphone, MicrophoneError, listDevices, onDevicesChange, type Devices } from "../media/microphone";
import { Peer } from "../media/peer";
import { sample, type Counters, type Quality } from "../media/quality";
import { Sounds, keyTones, type Sound } from "../media/sounds";
import { Voice } from "../media/voice";
import type { ServerMessage } from "../messages";
import { Refused, request, type PhoneBookEntry, type Session } from "../signalling/http";
import { Socket, type LinkStatus } from "../signalling/socket";
import { IDLE, isLive, promoteWaiting, step, type Call, type PhoneEvent, type PhoneState } from "./call";
import { entryOf, load, remember, save, type HistoryEntry } from "./history";

export interface Snapshot extends PhoneState {
  link: LinkStatus;
  registered: boolean;
  quality: Quality | null; // null until a call has had media
  history: readonly HistoryEntry[];
  devices: Devices;
  chosen: { microphone: string; speaker: string; ring: string }; // device ids; "" is the system's choice
  microphoneOpen: boolean;
}

export interface SoftphoneOptions {
  url: string; // of the WebSocket
  session: Session;
  phoneBook: readonly PhoneBookEntry[];
  onSignedOut(reason: string): void; // the server takes this sign-in no more
}

const QUALITY_EVERY_MS = 2000;
const CHECK_EVERY_MS = 2000;

export class Softphone {
  snapshot: Snapshot;
  private readonly listeners = new Set<() => void>();
  private readonly socket: Socket;
  private readonly microphone = new Microphone();
  private readonly sounds = new Sounds();
  private readonly voice = new Voice();
  private prepared: Promise<Peer> | null = null;
  private peer: Peer | null = null;
  private remoteMeter: LevelMeter | null = null;
  private counters: Counters = { received: 0, lost: 0 };
  private timers: number[] = []; // of the present call
  private checking: number | undefined;
  private readonly stopDevices: () => void;

  constructor(private readonly options: SoftphoneOptions) {
    this.snapshot = {
      ...IDLE,
      link: "connecting",
      registered: false,
      quality: null,
      history: load(options.session.user),
      devices: { microphones: [], speakers: [] },
      chosen: { microphone: "", speaker: "", ring: "" },
      microphoneOpen: false,
    };
    this.microphone.onChange((open) => {
      this.set({ microphoneOpen: open });
      if (open) void this.readDevices(); // names are known from now on
    });
    this.microphone.onLost(() => void this.sendMicrophone());
    this.stopDevices = onDevicesChange(() => void this.readDevices());
    this.socket = new Socket({ url: options.url, onMessage: this.heard, onStatus: this.linkChanged });
    void this.readDevices();
    void this.microphone.warm();
    this.prepare();
  }

  // --- for the page ------------------------------------------------------------

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): Snapshot => this.snapshot;

  get connection(): RTCPeerConnection | null {
    return this.peer?.connection ?? null;
  }

  get remoteStream(): MediaStream | null {
    return this.peer?.remoteStream ?? null;
  }

  /** Loudness now, 0 to 1, for meters that are drawn on each frame. */
  readonly ownLevel = (): number => (this.snapshot.call?.muted ? 0 : this.microphone.level());
  readonly remoteLevel = (): number => this.remoteMeter?.read() ?? 0;

  call(number: string): void {
    const target = number.trim();
    if (!target || isLive(this.snapshot.call)) return;
    const id = newId();
    this.dispatch({ type: "dialled", id, number: target, name: this.nameOf(target), at: Date.now() });
    if (this.snapshot.link !== "open") this.fail(id, "not_connected");
    else void this.connect(id, { target, callId: id, caller: this.options.session.user });
  }

  accept(): void {
    const { call } = this.snapshot;
    if (call?.phase !== "incoming") return;
    this.dispatch({ type: "accept-pressed", at: Date.now() });
    void this.connect(call.id, { callId: call.id });
  }

  decline(): void {
    const { call } = this.snapshot;
    if (call?.phase !== "incoming") return;
    this.socket.send({ type: "decline", callId: call.id });
    this.dispatch({ type: "decline-pressed", at: Date.now() });
  }

  declineWaiting(): void {
    const { waiting } = this.snapshot;
    if (!waiting) return;
    this.socket.send({ type: "decline", callId: waiting.id });
    this.dispatch({ type: "decline-waiting-pressed" });
  }

  hangup(): void {
    const { call } = this.snapshot;
    if (!isLive(call)) return;
    this.release(call.id);
    this.dispatch({ type: "hangup-pressed", at: Date.now() });
  }

  dismiss(): void {
    this.dispatch({ type: "dismissed" });
  }

  setMuted(muted: boolean): void {
    this.dispatch({ type: "muted", muted });
    this.applyMute();
  }

  /** A key of the pad: its tone is heard; in a call it is sent. */
  press(key: string): void {
    if (!keyTones(key)) return;
    this.sounds.key(key);
    const { call } = this.snapshot;
    if (!isLive(call) || call.phase === "incoming" || call.phase === "connecting") return;
    if (this.socket.send({ type: "dtmf", callId: call.id, digits: key })) this.dispatch({ type: "digit-sent", digit: key });
  }

  /** Opens the microphone to show its level and the devices' names; the browser may ask. */
  async tryMicrophone(): Promise<MicrophoneError | null> {
    try {
      await this.microphone.get();
      return null;
    } catch (error) {
      return microphoneError(error);
    }
  }

  async chooseMicrophone(id: string): Promise<void> {
    this.set({ chosen: { ...this.snapshot.chosen, microphone: id } });
    try {
      const track = await this.microphone.choose(id);
      if (track && this.peer) await this.peer.replaceTrack(track);
      this.applyMute();
    } catch {
      void this.readDevices(); // it went away in the meantime: the list shows it
    }
  }

  chooseSpeaker(id: string): void {
    this.set({ chosen: { ...this.snapshot.chosen, speaker: id } });
    this.voice.setDevice(id);
    this.sounds.setDevice("talk", id);
  }

  chooseRing(id: string): void {
    this.set({ chosen: { ...this.snapshot.chosen, ring: id } });
    this.sounds.setDevice("ring", id);
  }

  close(): void {
    this.hangup();
    this.socket.close();
    this.stopDevices();
    this.sounds.play(null);
    this.microphone.close();
    void this.prepared?.then((peer) => peer.close());
    clearInterval(this.checking);
  }

  // --- the call ------------------------------------------------------------------

  /** Sends the offer as soon as may be: at once where the microphone is known to open, else after it. */
  private async connect(id: string, offer: { target?: string; callId: string; caller?: string }): Promise<void> {
    this.microphone.hold();
    this.timers.push(window.setInterval(() => void this.readQuality(), QUALITY_EVERY_MS));
    const track = this.microphone.get();
    track.catch(() => undefined); // awaited below
    try {
      if (!this.microphone.sure) await track;
      this.prepare();
      const peer = await this.prepared;
      this.prepared = null;
      if (!peer) return;
      if (!this.owns(id)) return peer.close(); // hung up in the meantime
      this.peer = peer;
      const sdp = peer.offer((state) => this.mediaChanged(id, state));
      if (!this.socket.send({ type: "offer", sdp, ...offer })) return this.fail(id, "not_connected");
      await peer.replaceTrack(await track);
      this.applyMute();
    } catch (error) {
      const { problem } = microphoneError(error);
      if (!this.owns(id)) return;
      if (offer.target === undefined && this.peer === null) {
        this.stopMedia();
        this.dispatch({ type: "accept-failed", problem });
      } else {
        this.release(id);
        this.fail(id, problem);
      }
    }
  }

  private readonly heard = (message: ServerMessage): void => {
    if (message.type === "welcome") this.register();
    else if (message.type === "registered") this.set({ registered: true });
    else if (message.type === "error" && message.code === "unauthorized") this.options.onSignedOut(message.message);
    else if (message.type === "answer") void this.answered(message.callId, message.sdp);
    else {
      if (message.type === "incoming-call") message.callerName ||= this.nameOf(message.caller);
      this.dispatch({ type: "server", message, at: Date.now() });
    }
  };

  private async answered(id: string, sdp: string): Promise<void> {
    const peer = this.peer;
    if (!peer || !this.owns(id)) return;
    try {
      await peer.answer(sdp);
      this.voice.play(peer.remoteStream);
      if (this.peer === peer && peer.remoteStream.getTracks().length > 0) this.remoteMeter ??= new LevelMeter(peer.remoteStream);
    } catch {
      this.mediaChanged(id, "failed");
    }
  }

  private mediaChanged(id: string, state: "new" | "connected" | "interrupted" | "failed"): void {
    if (!this.owns(id)) return;
    if (state === "failed") this.release(id);
    this.dispatch({ type: "media", state, at: Date.now() });
  }

  private register(): void {
    const { user, token } = this.options.session;
    this.socket.send({ type: "register", user, ...(token ? { token } : {}) });
  }

  private readonly linkChanged = (link: LinkStatus): void => {
    const was = this.snapshot.link;
    this.set({ link, ...(link === "open" ? {} : { registered: false }) });
    const { call } = this.snapshot;
    if (link === "lost" && call?.phase === "incoming") this.fail(call.id, "connection_lost");
    if (link === "open" && was !== "open" && isLive(call)) this.checkCall(call.id);
  };

  /** After a lost connection: the voice may still be there, but nobody tells us when the call ends. So ask. */
  private checkCall(id: string): void {
    clearInterval(this.checking);
    const check = async (): Promise<void> => {
      const { call } = this.snapshot;
      if (call?.id !== id || !isLive(call)) return clearInterval(this.checking);
      try {
        const seen = await request<{ state: string }>(`/call/${encodeURIComponent(id)}`, this.options.session.token);
        if (seen.state !== "ended" && seen.state !== "ending") return;
      } catch (error) {
        if (!(error instanceof Refused && error.status === 404)) return; // not reachable yet: asked again
      }
      this.fail(id, "connection_lost");
    };
    this.checking = window.setInterval(() => void check(), CHECK_EVERY_MS);
    void check();
  }

  private owns(id: string): boolean {
    const { call } = this.snapshot;
    return call?.id === id && isLive(call);
  }

  private release(id: string): void {
    this.socket.send({ type: "hangup", callId: id });
  }

  private fail(id: string, problem: Extract<PhoneEvent, { type: "failed" }>["problem"]): void {
    if (this.owns(id)) this.dispatch({ type: "failed", problem, at: Date.now() });
  }

  // --- state ---------------------------------------------------------------------

  private dispatch(event: PhoneEvent): void {
    const before = this.snapshot;
    const { call, waiting } = before;
    let next = step({ call, waiting }, event);
    const over = isLive(call) && next.call?.id === call.id && !isLive(next.call) ? next.call : null;
    next = promoteWaiting(next, Date.now());
    if (next.call === call && next.waiting === waiting) return;
    const more: Partial<Snapshot> = { ...next };
    if (next.call?.id !== call?.id) more.quality = null;
    if (over) {
      more.history = remember(before.history, entryOf(over));
      save(this.options.session.user, more.history);
      this.stopMedia();
    }
    this.set(more);
    if (next.call !== call) this.sounds.play(soundOf(next.call, call));
    if (!isLive(next.call)) this.prepare();
  }

  private set(values: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...values };
    for (const listener of this.listeners) listener();
  }

  private prepare(): void {
    this.prepared ??= Peer.prepare();
    this.prepared.catch(() => (this.prepared = null));
  }

  private stopMedia(): void {
    for (const timer of this.timers) clearInterval(timer);
    if (this.timers.length > 0) this.microphone.release();
    this.timers = [];
    this.counters = { received: 0, lost: 0 };
    this.remoteMeter?.close();
    this.remoteMeter = null;
    this.voice.stop();
    this.peer?.close();
    this.peer = null;
  }

  private applyMute(): void {
    this.microphone.setMuted(this.snapshot.call?.muted ?? false);
  }

  /** The microphone in use went away: any other is better than silence. */
  private async sendMicrophone(): Promise<void> {
    void this.readDevices();
    if (!this.peer) return;
    try {
      await this.peer.replaceTrack(await this.microphone.get());
      this.applyMute();
    } catch {
      // None is left: the call goes on, the meter shows silence, and a new device is offered by the list.
    }
  }

  private async readDevices(): Promise<void> {
    this.set({ devices: await listDevices() });
  }

  private async readQuality(): Promise<void> {
    const peer = this.peer;
    if (!peer) return;
    const report = await peer.stats();
    if (this.peer !== peer) return;
    const { quality, counters } = sample(report.values() as Iterable<{ type: string; id: string }>, this.counters);
    this.counters = counters;
    this.set({ quality });
  }

  private nameOf(number: string): string {
    return this.options.phoneBook.find((entry) => entry.number === number)?.name ?? "";
  }
}

/** What is heard in a state: our own ringback only until the far side sends audio itself. */
function soundOf(call: Call | null, before: Call | null): Sound | null {
  if (!call) return null;
  if (call.phase === "incoming") return "ringtone";
  if (call.phase === "ringing") return "ringback";
  if (call.phase !== "ended" || before?.phase === "accepted" || call.direction === "inbound") return null;
  if (call.outcome === "busy" || call.outcome === "rejected") return "busy";
  return call.outcome === "unreachable" || call.outcome === "failed_pbx" ? "congestion" : null;
}

function microphoneError(error: unknown): MicrophoneError {
  return error instanceof MicrophoneError ? error : new MicrophoneError("microphone_failed");
}

function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
