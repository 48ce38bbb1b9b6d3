// The softphone without a page: joins signalling, media and the call's state. Knows no framework.
// A page subscribes, reads `snapshot`, and calls the methods below; none of them throws.

import { LevelMeter } from "../media/level";
import { Microphone, type MicrophoneError } from "../media/microphone";
import { Peer } from "../media/peer";
import type { Quality } from "../media/quality";
import { Sounds, keyTones } from "../media/sounds";
import { Voice } from "../media/voice";
import type { Error as Refusal, ServerMessage } from "../messages";
import { serverClock } from "../signalling/clock";
import { URGENT_WITHIN_MS } from "../signalling/heartbeat";
import { onHint } from "../signalling/hints";
import type { PhoneBookEntry, Session } from "../signalling/http";
import { Link, type LinkStatus } from "../signalling/link";
import { HeldLock } from "../signalling/locks";
import { PageSession } from "../signalling/session";
import { IDLE, callOf, isLive, promoteWaiting, step, type Call, type PhoneEvent, type PhoneState } from "./call";
import { ChosenDevices, NO_DEVICES, microphoneError, type DeviceState } from "./devices";
import { entryOf, load, onSaved, remember, save, type HistoryEntry } from "./history";
import { CallMedia } from "./media";
import { forget, keep } from "./memory";
import { ringAloud } from "./ring";
import { soundOf } from "./sound";
import { Standing, callLock } from "./standing";

export interface Snapshot extends PhoneState, DeviceState {
  link: LinkStatus;
  linkLostAt: number | null; // Unix milliseconds; null where the link is not lost
  registered: boolean;
  aloud: boolean; // this page rings, not another one of this browser
  soundBlocked: boolean; // the browser plays nothing until somebody presses something
  quality: Quality | null; // null until a call has had media
  history: readonly HistoryEntry[];
}

export interface SoftphoneOptions {
  url: string; // of the WebSocket
  session: Session;
  phoneBook: readonly PhoneBookEntry[];
  onSignedOut(reason: string): void; // the server takes this sign-in no more
}

/** How long a press waits for a connection that is being changed. */
const PATIENCE_MS = 3000;
export class Softphone {
  snapshot: Snapshot;
  private readonly listeners = new Set<() => void>();
  private readonly link: Link;
  private readonly page: Promise<PageSession>;
  private readonly microphone = new Microphone();
  private readonly sounds = new Sounds();
  private readonly voice = new Voice((soundBlocked) => this.snapshot.soundBlocked !== soundBlocked && this.set({ soundBlocked }));
  private readonly media: CallMedia;
  private readonly devices: ChosenDevices;
  private readonly lock = new HeldLock(); // tells other pages of this browser that the call is looked after
  private readonly standing: Standing;
  private readonly stops: (() => void)[];
  private takingOver = ""; // the call that is taken from another page, until that is done
  private signedOut: string | null = null; // why; told when the call is over

  constructor(private readonly options: SoftphoneOptions) {
    const { user, token } = options.session;
    this.snapshot = {
      ...IDLE,
      ...NO_DEVICES,
      link: "connecting",
      linkLostAt: null,
      registered: false,
      aloud: false,
      soundBlocked: false,
      quality: null,
      history: load(user),
    };
    this.media = new CallMedia(
      {
        link: () => this.standing.known && !this.link.doubtful,
        suspicious: () => this.link.check(URGENT_WITHIN_MS),
        held: () => this.snapshot.call?.held ?? false,
        offer: this.offerAgain,
        changed: (state) => this.dispatch({ type: "media", state }),
        unheard: (problem) => this.dispatch({ type: "unheard", problem }),
        hopeless: this.hopeless,
        quality: (quality) => this.set({ quality }),
      },
      { microphone: this.microphone, voice: this.voice, peer: () => Peer.prepare(), meter: (stream) => new LevelMeter(stream) },
    );
    this.page = PageSession.claim(user);
    this.link = new Link({
      url: options.url, user, token, session: this.page,
      inCall: () => isLive(this.snapshot.call),
      onMessage: this.heard,
      onCalls: (calls, when) => this.standing.list(calls, when),
      onChange: this.linkChanged,
      onRefused: this.refused,
    });
    this.standing = new Standing({
      link: this.link, token,
      state: () => this.snapshot,
      dispatch: (event) => this.dispatch(event),
      nameOf: (number) => this.nameOf(number),
      takeBack: (call) => this.takeBack(call),
      renew: () => this.media.lostByServer(),
      look: () => this.media.hurry(),
    });
    this.stops = [
      onHint(() => (this.link.check(), this.media.hurry())),
      onSaved(user, () => this.set({ history: load(user) })),
      ringAloud(user, (aloud) => (this.set({ aloud }), this.ringing())),
    ];
    const { microphone, voice, sounds } = this;
    this.devices = new ChosenDevices({ microphone, voice, sounds, onChange: (values) => this.set(values), onTrack: (track) => this.media.send(track) });
    void this.page.then((page) => this.standing.restore(page.returns));
  }

  // --- for the page ------------------------------------------------------------

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): Snapshot => this.snapshot;

  get connection(): RTCPeerConnection | null {
    return this.media.current?.connection ?? null;
  }

  get remoteStream(): MediaStream | null {
    return this.media.current?.remoteStream ?? null;
  }

  /** Loudness now, 0 to 1, for meters that are drawn on each frame. */
  readonly ownLevel = (): number => (this.snapshot.call?.muted ? 0 : this.microphone.level());
  readonly remoteLevel = (): number => this.media.level();

  call(number: string): void {
    const target = number.trim();
    if (!target || isLive(this.snapshot.call)) return;
    const id = newId();
    this.dispatch({ type: "dialled", id, number: target, name: this.nameOf(target), at: Date.now() });
    void this.connect(id, { target, callId: id, caller: this.options.session.user });
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
    this.standing.released.add(call.id);
    this.link.send({ type: "decline", callId: call.id });
    this.dispatch({ type: "decline-pressed", at: Date.now() });
  }

  declineWaiting(): void {
    const { waiting } = this.snapshot;
    if (!waiting) return;
    this.link.send({ type: "decline", callId: waiting.id });
    this.dispatch({ type: "waiting-gone" });
  }

  hangup(): void {
    const { call } = this.snapshot;
    if (!isLive(call)) return;
    this.release(call.id);
    this.dispatch({ type: "hangup-pressed", at: Date.now() });
  }

  /** Takes the call over that another page holds. */
  bring(): void {
    const { elsewhere, call } = this.snapshot;
    if (!elsewhere || isLive(call)) return;
    this.takingOver = elsewhere.id;
    this.takeBack(callOf(elsewhere));
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
    if (this.link.send({ type: "dtmf", callId: call.id, digits: key })) this.dispatch({ type: "digit-sent", digit: key });
  }

  readonly tryMicrophone = (): Promise<MicrophoneError | null> => this.devices.tryMicrophone();
  readonly chooseMicrophone = (id: string): Promise<void> => this.devices.chooseMicrophone(id);
  readonly chooseSpeaker = (id: string): void => this.devices.chooseSpeaker(id);
  readonly chooseRing = (id: string): void => this.devices.chooseRing(id);

  /** Signs out: the page's session ends, and its call with it. */
  close(): void {
    this.hangup();
    this.media.close();
    this.link.close();
    for (const stop of this.stops) stop();
    this.lock.set(null);
    void this.page.then((page) => page.end());
    this.sounds.play(null);
    this.devices.close();
    forget();
  }

  // --- the call ------------------------------------------------------------------

  private async connect(id: string, offer: { target?: string; callId: string; caller?: string }): Promise<void> {
    const ready = this.link.whenReady(PATIENCE_MS);
    const send = async (sdp: string): Promise<boolean> => {
      await ready;
      this.standing.offered();
      return this.owns(id) && this.link.send({ type: "offer", sdp, ...offer });
    };
    const accepting = offer.target === undefined;
    try {
      if ((await this.media.begin(send)) || !this.owns(id)) return;
      if (!accepting) return this.fail(id, "not_connected");
      this.media.stop();
      this.dispatch({ type: "accept-failed", problem: "not_connected" });
    } catch (error) {
      const { problem } = microphoneError(error);
      if (!this.owns(id)) return;
      if (accepting && this.media.current === null) {
        this.media.stop();
        this.dispatch({ type: "accept-failed", problem });
      } else {
        this.release(id);
        this.fail(id, problem);
      }
    }
  }

  /** Shows a call that stands, and gives it sound as soon as the server hears us. */
  private takeBack(call: Call): void {
    this.dispatch({ type: "returned", call });
    if (!this.owns(call.id)) return;
    this.media.adopt();
    this.applyMute();
  }

  private readonly offerAgain = (sdp: string): boolean => {
    const { call } = this.snapshot;
    if (!isLive(call)) return false;
    this.standing.offered();
    const takeOver = this.takingOver === call.id;
    return this.link.send({ type: "offer", callId: call.id, sdp, ...(takeOver ? { takeOver } : {}) });
  };

  private readonly hopeless = (): void => {
    const { call } = this.snapshot;
    if (!isLive(call)) return;
    this.release(call.id);
    this.dispatch({ type: "no-sound", at: Date.now() });
  };

  private readonly heard = (message: ServerMessage): void => {
    const { call } = this.snapshot;
    const at = Date.now();
    switch (message.type) {
      case "answer":
        if (!this.owns(message.callId)) return;
        this.takingOver = "";
        return void this.media.answered(message.sdp);
      case "media-lost":
        return this.owns(message.callId) ? this.media.lostByServer() : undefined;
      case "error":
        if (isLive(call) && message.callId === call.id && this.media.renewing) return this.renewalRefused(message);
        break;
      case "incoming-call":
        if (!this.standing.rings(message)) return;
        message.callerName ||= this.nameOf(message.caller);
        break;
      case "state":
        serverClock.message(message.at, at);
    }
    this.dispatch({ type: "server", message, at });
  };

  private renewalRefused(refusal: Refusal): void {
    const callId = refusal.callId ?? "";
    this.media.refused();
    if (refusal.code === "unknown_call") void this.standing.lookUp(callId);
    else if (refusal.code === "held_elsewhere") this.dispatch({ type: "server", message: { type: "taken-over", callId }, at: Date.now() });
  }

  private readonly linkChanged = (): void => {
    const { status: link, registered, ready } = this.link;
    const lost = link === "lost";
    if (lost && this.snapshot.link !== "lost") this.standing.lost();
    this.set({ link, registered, linkLostAt: lost ? (this.snapshot.linkLostAt ?? Date.now()) : null });
    this.ringing();
    if (ready) return;
    this.dispatch({ type: "waiting-gone" }); // told of again where it still waits
    this.media.linkLost();
  };

  /** Our sign-in is worth nothing any more. A call that stands needs none. */
  private readonly refused = (reason: string): void => {
    this.signedOut = reason;
    if (!isLive(this.snapshot.call)) this.options.onSignedOut(reason);
  };

  private owns(id: string): boolean {
    const { call } = this.snapshot;
    return call?.id === id && isLive(call);
  }

  private release(id: string): void {
    this.standing.released.add(id); // should nobody hear us now, it is said again
    this.link.send({ type: "hangup", callId: id });
  }

  private fail(id: string, problem: Extract<PhoneEvent, { type: "failed" }>["problem"]): void {
    if (this.owns(id)) this.dispatch({ type: "failed", problem, at: Date.now() });
  }

  // --- state ---------------------------------------------------------------------

  private dispatch(event: PhoneEvent): void {
    const { call, waiting, elsewhere } = this.snapshot;
    let next = step({ call, waiting, elsewhere }, event);
    const left = isLive(call) && !(next.call?.id === call.id && isLive(next.call)) ? call : null;
    const over = left && next.call?.id === left.id ? next.call : null; // else another page has it
    next = promoteWaiting(next, Date.now());
    if (next.call === call && next.waiting === waiting && next.elsewhere === elsewhere) return;
    const more: Partial<Snapshot> = { ...next };
    if (next.call?.id !== call?.id) more.quality = null;
    if (over && !ELSEWHERE.has(over.problem)) {
      const { user } = this.options.session;
      more.history = remember(load(user), entryOf(over));
      save(user, more.history);
    }
    if (left) {
      this.takingOver = "";
      this.media.stop();
    }
    this.set(more);
    this.lock.set(isLive(next.call) && next.call.phase !== "incoming" ? callLock(next.call.id) : null);
    keep(next.call, this.standing.released);
    if (next.call !== call) this.sound(call);
    if (!isLive(next.call)) this.media.prepare();
    if (left && this.signedOut !== null) this.options.onSignedOut(this.signedOut);
  }

  private set(values: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...values };
    for (const listener of this.listeners) listener();
  }

  /** Where it is not known whether the call still rings, nothing does. */
  private sound(before: Call | null): void {
    this.sounds.play(soundOf(this.snapshot.call, before, this.snapshot.aloud && this.snapshot.link === "open"));
  }

  private ringing(): void {
    if (this.snapshot.call?.phase === "incoming") this.sound(null);
  }

  private applyMute(): void {
    this.microphone.setMuted(this.snapshot.call?.muted ?? false);
  }

  private nameOf(number: string): string {
    return this.options.phoneBook.find((entry) => entry.number === number)?.name ?? "";
  }
}

/** Ended here only: the page that has it tells of it. */
const ELSEWHERE: ReadonlySet<Call["problem"]> = new Set<Call["problem"]>(["accepted_elsewhere", "held_elsewhere"]);

function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
