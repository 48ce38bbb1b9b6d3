// The phone without a page: joins signalling, media and the calls' state. Knows no framework, and no events: it has one
// immutable `snapshot`, says when that changes, and takes what a person asks for. None of its methods throws.

import { callTime, steady, timeCalls } from "./clock.js";
import { ask, attend, unheard, type Settings } from "./state/userState.js";
import { callOf, type Call, type PhoneEvent, type PhoneState, type Problem, type Quality, type Release } from "./state/model.js";
import { preferring, type Codec } from "./state/codec.js";
import { CallCommands } from "./calls/CallCommands.js";
import { DeviceManager, microphoneError } from "./devices/DeviceManager.js";
import { newId } from "./ids.js";
import { MediaManager } from "./media/MediaManager.js";
import { CallLocks } from "./calls/CallLocks.js";
import type { CallMedia } from "./media/CallMedia.js";
import type { QualityMonitor, Sampled } from "./quality/QualityMonitor.js";
import { forget, keep } from "./calls/callStorage.js";
import type { Preflight } from "./quality/preflight.js";
import { named } from "./state/reconcile.js";
import { NOTHING_YET, type Snapshot } from "./state/snapshot.js";
import { CallReconciler } from "./calls/CallReconciler.js";
import { activeOf, canDial, findCall, step, toHold } from "./state/phoneReducer.js";
import { MediaPrewarmer } from "./media/MediaPrewarmer.js";
import { Microphone, type MicrophoneProblem } from "./devices/Microphone.js";
import { PeerConnection } from "./media/PeerConnection.js";
import { sourceOf } from "./devices/audioSource.js";
import { IceConfig } from "./media/iceConfig.js";
import { RemoteAudio } from "./devices/RemoteAudio.js";
import type { Dtmf, Error as Refusal, Feedback, ServerMessage } from "./protocol/messages.js";
import { URGENT_WITHIN_MS } from "./signaling/heartbeat.js";
import { onHint } from "./signaling/networkEvents.js";
import type { PastCall } from "./http/pastCalls.js";
import { SignalingClient } from "./signaling/SignalingClient.js";
import type { Server } from "./http/HttpApi.js";
import { PageSession } from "./signaling/PageSession.js";

export interface EngineOptions {
  url: string; // of the WebSocket
  server: Server;
  user: string;
  signedIn: Promise<void>; // when the token is there, or none is needed
  relayOnly: boolean; // see `Reach`
  nameOf(number: string): string; // "" where unknown
  prefer(): Codec | undefined; // asked with each offer
  onChange(before: Snapshot, after: Snapshot): void; // is to be noted; what is done here is not done yet
  onDone(): void; // whoever listens may be told of it
  onDigits(message: Dtmf): void; // pressed by the other side
  onPastCall(call: PastCall): void; // one of this user has ended
  onSample(id: string, sample: Sampled): void; // of each call, each second
  onRefusal(refusal: Refusal): void; // of something that belongs to no call
  onRefused(reason: string): void; // the server takes this sign-in no more
  onSignedOut(reason: string): void; // the same, once all calls are over
}

/** What a call may be given beside its number. */
export interface CallWishes {
  consults?: string | undefined; // the call whose party this one is about
  sound?: MediaStreamTrack | false | undefined; // in place of the microphone; false: silence
}

const PATIENCE_MS = 3000; // of a press, for a connection that is being changed
const FIRST_PATIENCE_MS = 15_000; // the same, where somebody is being signed in before

export class PhoneController {
  snapshot: Snapshot;
  /** Hold, swap, transfer, conference, recording. */
  readonly commands: CallCommands;
  readonly devices: DeviceManager;
  readonly #link: SignalingClient;
  readonly #page: Promise<PageSession>;
  readonly #microphone = new Microphone();
  readonly #voice = new RemoteAudio((soundBlocked) => this.snapshot.soundBlocked !== soundBlocked && this.#set({ soundBlocked }));
  readonly #lines: MediaManager;
  readonly #warm: MediaPrewarmer;
  readonly #reach: IceConfig;
  readonly #locks = new CallLocks();
  readonly #standing: CallReconciler;
  readonly #stops: (() => void)[];
  #measuring: QualityMonitor | null = null; // loaded behind all else
  readonly #scope: string; // what belongs to this user and server in the browser's storage
  readonly #takingOver = new Set<string>(); // calls that are taken from another page, until that is done
  #forNext: string | null = null; // the id that the next call is to have: its media are made ahead
  #signedOut: string | null = null; // why; told when all calls are over
  #changing = 0; // how many changes are being made, each within the one before
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { user, server, nameOf } = options;
    const microphone = this.#microphone;
    const voice = this.#voice;
    const { host, pathname } = new URL(options.url);
    const scope = (this.#scope = `${user}@${host}${pathname.replace(/\/ws$/, "")}`);
    const reach = (this.#reach = new IceConfig(options));
    const state = (): PhoneState => this.snapshot;
    const dispatch = (event: PhoneEvent): void => this.#dispatch(event);
    this.snapshot = NOTHING_YET;
    this.#lines = new MediaManager({
      microphone, voice, state, dispatch,
      peer: () => PeerConnection.prepare(reach),
      link: () => this.#standing.known && !this.#link.doubtful,
      suspicious: () => this.#link.check(URGENT_WITHIN_MS),
      silent: (callId) => void this.#link.send({ type: "check-media", callId }),
      offer: this.#offerAgain,
      found: (id, candidate) => void this.#link.send({ type: "candidate", callId: id, ...candidate }),
      hopeless: this.#hopeless,
      measured: (id, peer, entries) => {
        const sampled = this.#measuring?.take(id, peer, entries, steady());
        if (sampled) options.onSample(id, sampled);
        if (sampled && id === this.snapshot.activeId) this.#soundsSo();
      },
    });
    this.#warm = new MediaPrewarmer({
      prefer: () => options.prefer(),
      take: () => this.#lines.takeAhead(),
      send: (message) => this.#link.ready && this.#link.send(message),
      found: (id, candidate) => void this.#link.send({ type: "candidate", callId: id, ...candidate }),
    });
    this.#page = options.signedIn.then(() => PageSession.claim(scope));
    this.#link = new SignalingClient({
      url: options.url, user, token: () => server.token, session: this.#page,
      inCall: () => this.snapshot.calls.length > 0,
      onMessage: this.#heard,
      onCalls: (calls, when) => this.#standing.list(calls, when),
      onIceServers: (message) => reach.take(message),
      onChange: this.#linkChanged,
      onRefused: this.#refused,
    });
    this.#standing = new CallReconciler({
      link: this.#link, server, scope, state, dispatch, nameOf,
      takeBack: (call) => this.#takeBack(call),
      renew: (id) => this.#lines.of(id)?.lostByServer(),
      look: () => this.#lines.hurry(),
    });
    this.commands = new CallCommands({ state, dispatch, nameOf, send: (message) => this.#link.send(message), release: (id, how) => this.#release(id, how) });
    this.#stops = [onHint(() => (this.#link.check(), this.#lines.hurry()))];
    this.devices = new DeviceManager({ microphone, voice, onChange: (values) => this.#set(values), onTrack: (track) => this.#lines.send(track) });
    void this.#page.then((page) => this.#standing.restore(page.returns), () => undefined);
    void this.#loadMeasuring();
  }

  // --- what a person asks for ----------------------------------------------------

  /** Whether calls ring here. */
  takeCalls(wanted: boolean): void {
    this.#link.takeCalls(wanted);
  }

  /** The server's token is another one now. */
  signedInAgain(): void {
    this.#signedOut = null;
    if (this.snapshot.signedOut !== null) this.#set({ signedOut: null });
    this.#link.register();
  }

  /** Does not wait for the next try to connect. */
  reconnect(): void {
    this.#link.check();
  }

  /** Null until the call has had media. */
  qualityOf(id: string): Quality | null {
    return this.#measuring?.quality(id) ?? null;
  }

  mediaOf(id: string): CallMedia | null {
    return this.#lines.of(id);
  }

  /** Loudness now, 0 to 1, for meters that are drawn on each frame. */
  readonly ownLevel = (): number => {
    const call = activeOf(this.snapshot);
    return call?.muted || call?.held ? 0 : this.#microphone.level();
  };
  readonly remoteLevel = (): number => this.#lines.level();

  /** The call that talks is held. The id of the new one; null where there is no number, or no line. */
  call(number: string, { consults, sound }: CallWishes = {}): string | null {
    const target = number.trim();
    if (!target || !canDial(this.snapshot)) return null;
    const { nameOf, user: caller } = this.#options;
    const id = this.#forNext ?? newId();
    this.#forNext = null;
    const ownSound = sound !== undefined;
    this.#dispatch({ type: "dialled", id, number: target, name: nameOf(target), ...(consults ? { consults } : {}), ownSound, at: callTime() });
    void this.#connect(id, { target, callId: id, caller }, sound);
    return id;
  }

  /** Somebody is about to be called, as it seems (`likely`), or is not. */
  expectCall(likely: boolean): void {
    if (likely && this.#warm.callId === null && canDial(this.snapshot)) {
      this.#forNext = newId();
      void this.#warm.prepare(this.#forNext);
    } else if (!likely && this.#forNext !== null && this.#warm.callId === this.#forNext) {
      this.#forNext = null;
      this.#warm.cool();
    }
  }

  /** The call that talks is held. */
  accept(id: string, sound?: MediaStreamTrack | false): boolean {
    if (findCall(this.snapshot, id)?.phase !== "incoming") return false;
    this.#dispatch({ type: "accept-pressed", id, ownSound: sound !== undefined });
    void this.#connect(id, { callId: id }, sound);
    return true;
  }

  decline(id: string): boolean {
    if (findCall(this.snapshot, id)?.phase !== "incoming") return false;
    this.#standing.released.set(id, "hangup");
    this.#link.send({ type: "decline", callId: id });
    this.#dispatch({ type: "decline-pressed", id, at: callTime() });
    return true;
  }

  /** Ends a call, for all who are in it. */
  hangup(id: string): boolean {
    if (!this.#owns(id)) return false;
    this.#release(id, "hangup");
    this.#dispatch({ type: "hangup-pressed", id, at: callTime() });
    return true;
  }

  /** Takes the calls over that other pages hold. */
  bring(): void {
    for (const seen of this.snapshot.elsewhere) {
      this.#takingOver.add(seen.id);
      this.#takeBack(callOf(seen));
    }
  }

  /** What is to be done with calls: shown at once, and corrected by what the server says. */
  prefer(change: Partial<Settings>): void {
    const attended = ask(this.snapshot.attended, change);
    if (attended?.wanted && this.#link.send({ type: "preferences", ...attended.wanted })) this.#set({ attended });
  }

  dismiss(): void {
    this.#dispatch({ type: "dismissed" });
  }

  /** How a call that has ended was. */
  feedback(feedback: Omit<Feedback, "type">): boolean {
    return this.#link.send({ type: "feedback", ...feedback });
  }

  setMuted(id: string, muted: boolean): void {
    this.#dispatch({ type: "muted", id, muted });
  }

  /** 0-9, *, #, A-D. */
  sendDigits(id: string, digits: string): boolean {
    const call = findCall(this.snapshot, id);
    if (!call || call.phase === "incoming" || call.phase === "connecting") return false;
    if (!this.#link.send({ type: "dtmf", callId: id, digits })) return false;
    this.#dispatch({ type: "digits-sent", id, digits });
    return true;
  }

  /** Tests the connection by an echo at `number`; "": only the microphone and the server. */
  async testConnection(number: string): Promise<Preflight> {
    const { user, server } = this.#options;
    const { runPreflight } = await import("./quality/preflight.js");
    const microphone = async (): Promise<MicrophoneProblem | null> => (await this.devices.tryMicrophone())?.problem ?? null;
    return runPreflight({ number, user, server, prefer: this.#options.prefer(), reach: this.#reach, microphone });
  }

  /** Signs out: the page's session ends, and its calls with it. */
  close(): void {
    for (const { id } of this.snapshot.calls) this.hangup(id);
    this.#warm.drop();
    this.#standing.close();
    this.#lines.close();
    this.#link.close();
    for (const stop of this.#stops) stop();
    this.#locks.set([]);
    void this.#page.then((page) => page.end(), () => undefined);
    this.devices.close();
    forget(this.#scope);
  }

  // --- the calls -----------------------------------------------------------------

  async #connect(id: string, offer: { target?: string; callId: string; caller?: string }, sound?: MediaStreamTrack | false): Promise<void> {
    if (!this.#owns(id)) return; // whoever heard of it has ended it at once
    void this.#loadMeasuring();
    const ready = Promise.race([this.#page.then(() => this.#link.whenReady(PATIENCE_MS)), this.#link.whenReady(FIRST_PATIENCE_MS)]);
    const send = async (sdp: string): Promise<boolean> => {
      await ready;
      this.#standing.offered(id);
      return this.#owns(id) && this.#link.send({ type: "offer", sdp, ...preferring(this.#options.prefer()), ...offer });
    };
    const accepting = offer.target === undefined;
    try {
      const media = this.#lines.open(id, sourceOf(sound));
      if ((await media.begin(send, this.#warm.take(id))) || !this.#owns(id)) return;
      if (accepting) this.#standing.offerRefused(id); // it is offered when the server is back, and the call rings here yet
      else this.#fail(id, "not_connected");
    } catch (error) {
      const { problem } = microphoneError(error);
      if (!this.#owns(id)) return;
      if (accepting && !this.#lines.of(id)?.current) this.#ringsOn(id, problem);
      else {
        this.#release(id, "hangup");
        this.#fail(id, problem);
      }
    }
  }

  /** Accepting did not work: the call rings as before. */
  #ringsOn(id: string, problem: Problem): void {
    this.#lines.drop(id);
    this.#dispatch({ type: "accept-failed", id, problem });
  }

  /** Shows a call that stands, and gives it sound as soon as the server hears us. */
  #takeBack(call: Call): void {
    this.#dispatch({ type: "returned", call });
    if (this.#owns(call.id)) this.#lines.open(call.id, sourceOf(call.ownSound ? false : undefined)).adopt();
  }

  readonly #offerAgain = (id: string, sdp: string): boolean => {
    if (!this.#owns(id)) return false;
    this.#standing.offered(id);
    return this.#link.send({ type: "offer", callId: id, sdp, ...preferring(this.#options.prefer()), ...(this.#takingOver.has(id) ? { takeOver: true } : {}) });
  };

  readonly #hopeless = (id: string): void => {
    this.#release(id, "hangup");
    this.#dispatch({ type: "no-sound", id, at: callTime() });
  };

  readonly #heard = (message: ServerMessage): void => {
    const at = callTime();
    this.#warm.heard(message);
    const attended = attend(this.snapshot.attended, message);
    if (attended) return this.#set({ attended });
    switch (message.type) {
      case "media-prepared":
      case "media-discarded":
        return;
      case "answer":
        this.#takingOver.delete(message.callId);
        return void this.#lines.of(message.callId)?.answered(message.sdp);
      case "media-lost":
        return this.#lines.of(message.callId)?.lostByServer();
      case "media-checked":
        return void (message.sounds && this.#lines.of(message.callId)?.ought());
      case "error":
        if (this.#refusesRenewal(message)) return;
        if (!message.callId) this.#options.onRefusal(message);
        break;
      case "dtmf":
        this.#options.onDigits(message);
        break;
      case "past-call": {
        const { type: _, ...call } = message;
        return this.#options.onPastCall({ ringingAt: null, answeredAt: null, connectedNumber: "", connectedName: "", ...call });
      }
      case "incoming-call":
        if (!this.#standing.rings(message)) return;
        if (findCall(this.snapshot, message.callId)?.phase === "connecting" && this.#standing.offerLost(message.callId)) {
          return this.#lines.of(message.callId)?.wanted(); // it was accepted, and the server died with our offer
        }
        if (this.snapshot.calls.length === 0) void this.#warm.prepare(message.callId);
        message.callerName ||= this.#options.nameOf(message.caller);
        this.#nameConnected(message);
        break;
      case "party":
        message = named(message, this.#options.nameOf);
        break;
      case "state":
        this.#options.server.clock.message(message.at, at);
        this.#nameConnected(message);
    }
    this.#dispatch({ type: "server", message, at });
  };

  #nameConnected(message: { connectedNumber?: string; connectedName?: string }): void {
    if (message.connectedNumber) message.connectedName ||= this.#options.nameOf(message.connectedNumber);
  }

  /** Whether this is about a new connection for a call that stands, not about what a person asked for. */
  #refusesRenewal({ callId = "", code }: Refusal): boolean {
    const media = this.#lines.of(callId);
    if (!media?.renewing || findCall(this.snapshot, callId)?.asked) return false;
    media.refused();
    this.#standing.offerRefused(callId);
    if (code === "unknown_call") void this.#standing.lookUp(callId);
    else if (code === "owned_elsewhere") this.#dispatch({ type: "server", message: { type: "taken-over", callId }, at: callTime() });
    return true;
  }

  readonly #linkChanged = (): void => {
    const { status: link, registered, ready } = this.#link;
    const lost = link === "lost";
    if (lost && this.snapshot.link !== "lost") this.#standing.lost();
    if (!ready) this.#set({ attended: unheard(this.snapshot.attended) });
    this.#set({ link, registered, linkLostAt: lost ? (this.snapshot.linkLostAt ?? callTime()) : null });
    if (ready) return;
    this.#lines.linkLost();
    this.#warm.drop();
  };

  /** Our sign-in is worth nothing any more. A call that stands needs none. */
  readonly #refused = (reason: string): void => {
    this.#signedOut = reason;
    this.#set({ signedOut: reason });
    this.#options.onRefused(reason);
    if (this.snapshot.calls.length === 0) this.#options.onSignedOut(reason);
  };

  /** There is no sign-in: what was begun in the hope of one comes to nothing. */
  refuseCalls(): void {
    for (const { id } of this.snapshot.calls) this.#fail(id, "unauthorized");
  }

  #owns(id: string): boolean {
    return findCall(this.snapshot, id) !== null;
  }

  #release(id: string, how: Release): void {
    this.#standing.released.set(id, how); // should nobody hear us now, it is said again
    this.#link.send({ type: how, callId: id });
  }

  #fail(id: string, problem: Problem): void {
    this.#dispatch({ type: "failed", id, problem, at: callTime() });
  }

  /** Without it calls are as good, and nobody knows how good: where it cannot be had, the next call asks again. */
  async #loadMeasuring(): Promise<void> {
    const loaded = await import("./quality/QualityMonitor.js").catch(() => null);
    if (loaded) this.#measuring ??= new loaded.QualityMonitor((callId, report) => void this.#link.send({ type: "quality", callId, report }));
  }

  #soundsSo(): void {
    const { activeId } = this.snapshot;
    this.#set({ quality: this.#measuring?.quality(activeId) ?? null, warnings: this.#measuring?.warnings(activeId) ?? [] });
  }

  // --- state ---------------------------------------------------------------------

  #dispatch(event: PhoneEvent): void {
    const { calls, activeId, over, elsewhere } = this.snapshot;
    const before: PhoneState = { calls, activeId, over, elsewhere };
    const next = step(before, event);
    if (next === before) return;
    this.#changing++;
    this.#become(next, before);
    this.#changing--;
    this.#done();
    if (calls.length > 0 && this.snapshot.calls.length === 0 && this.#signedOut !== null) this.#options.onSignedOut(this.#signedOut);
  }

  #become(next: PhoneState, { calls, activeId }: PhoneState): void {
    for (const { id } of calls) {
      if (findCall(next, id)) continue;
      this.#takingOver.delete(id);
      this.#measuring?.end(id);
    }
    timeCalls(this, next.calls.length > 0);
    this.#set(next);
    this.#lines.follow(next);
    if (next.activeId !== activeId) this.#soundsSo();
    this.#locks.set(next.calls.filter(({ phase }) => phase !== "incoming").map(({ id }) => id));
    keep(this.#scope, next, this.#standing.released);
    for (const call of toHold(this.snapshot)) this.commands.hold(call.id, true);
  }

  #set(values: Partial<Snapshot>): void {
    const before = this.snapshot;
    this.snapshot = { ...before, ...values };
    this.#options.onChange(before, this.snapshot);
    this.#done();
  }

  /** A listener may ask for more at once: it is to find everything as it is to be. */
  #done(): void {
    if (this.#changing === 0) this.#options.onDone();
  }
}
