// The phone without a page: joins signaling, media and the calls' state. Knows no framework, and no events: it has one
// immutable `snapshot`, reports its changes, and does what a user requests. None of its methods throws.

import { CallSetup } from "./CallSetup.js";
import { CallCommands } from "./calls/CallCommands.js";
import { CallLocks } from "./calls/CallLocks.js";
import { CallReconciler } from "./calls/CallReconciler.js";
import { clearCalls, saveCalls } from "./calls/callStorage.js";
import { callTime, monotonicNow, setInCall } from "./clock.js";
import { DeviceManager } from "./devices/DeviceManager.js";
import { Microphone, type MicrophoneProblem } from "./devices/Microphone.js";
import { RemoteAudio } from "./devices/RemoteAudio.js";
import type { EventQueue } from "./EventQueue.js";
import type { HttpApi } from "./http/HttpApi.js";
import type { PastCall } from "./http/pastCalls.js";
import { IceConfig } from "./media/iceConfig.js";
import { MediaManager } from "./media/MediaManager.js";
import { MediaPrewarmer } from "./media/MediaPrewarmer.js";
import { PeerConnection } from "./media/PeerConnection.js";
import type { Dtmf, Error as Refusal, ServerMessage } from "./protocol/messages.js";
import type { Preflight } from "./quality/preflight.js";
import type { QualityMonitor, QualitySample } from "./quality/QualityMonitor.js";
import { URGENT_CHECK_TIMEOUT_MS } from "./signaling/heartbeat.js";
import { onNetworkChange } from "./signaling/networkEvents.js";
import { PageSession } from "./signaling/PageSession.js";
import { SignalingClient } from "./signaling/SignalingClient.js";
import type { Codec } from "./state/codec.js";
import type { PhoneAction, PhoneState } from "./state/model.js";
import type { PhoneContext } from "./state/phoneContext.js";
import { activeCall, callsToHold, findCall, phoneReducer } from "./state/phoneReducer.js";
import { withName } from "./state/reconcile.js";
import { INITIAL_STATE, type Snapshot } from "./state/snapshot.js";
import { onConnectionLost, requestPreferences, type UserPreferences, userStateReducer } from "./state/userState.js";

export interface PhoneControllerOptions {
  url: string; // of the WebSocket
  http: HttpApi;
  user: string;
  signedIn: Promise<void>; // resolves once there is a token, or none is needed
  relayOnly?: boolean | undefined; // see `IceConfigOptions`
  events: EventQueue; // delivers what the callbacks below add to it
  nameOf(number: string): string; // "" where unknown
  preferredCodec(): Codec | undefined; // asked with each offer
  onChange(before: Snapshot, after: Snapshot): void;
  onDigits(message: Dtmf): void; // pressed by the other side
  onPastCall(call: PastCall): void; // a call of this user has ended
  onSample(id: string, sample: QualitySample): void; // of each call, each second
  onRequestRefused(refusal: Refusal): void; // of a request that belongs to no call
  onUnauthorized(reason: string): void; // the server does not accept the sign-in any more
  onSignedOut(reason: string): void; // the same, once all calls are over
}

/** How long a new call waits for a connection that is being renewed. */
const CONNECT_TIMEOUT_MS = 3000;
/** The same, while the user is still being signed in. */
const SIGN_IN_TIMEOUT_MS = 15_000;

export class PhoneController {
  snapshot: Snapshot = INITIAL_STATE;
  /** Makes, accepts and takes over calls. */
  readonly setup: CallSetup;
  /** Hold, swap, transfer, conference, recording, hang-up. */
  readonly commands: CallCommands;
  /** Of each call. */
  readonly media: MediaManager;
  readonly devices: DeviceManager;
  quality: QualityMonitor | null = null; // loaded after everything else
  readonly #signaling: SignalingClient;
  readonly #page: Promise<PageSession>;
  readonly #microphone = new Microphone();
  readonly #remoteAudio = new RemoteAudio(
    (soundBlocked) => this.snapshot.soundBlocked !== soundBlocked && this.#set({ soundBlocked }),
  );
  readonly #prewarmer: MediaPrewarmer;
  readonly #iceConfig: IceConfig;
  readonly #locks = new CallLocks();
  readonly #reconciler: CallReconciler;
  readonly #stopListening: () => void;
  readonly #scope: string; // of this user and server, in the browser's storage
  #signedOut: string | null = null; // the reason; reported once all calls are over
  readonly #options: PhoneControllerOptions;

  constructor(options: PhoneControllerOptions) {
    this.#options = options;
    const { url, user, http, nameOf, preferredCodec } = options;
    const microphone = this.#microphone;
    const remoteAudio = this.#remoteAudio;
    const { host, pathname } = new URL(url);
    const scope = (this.#scope = `${user}@${host}${pathname.replace(/\/ws$/, "")}`);
    const iceConfig = (this.#iceConfig = new IceConfig(options));
    const page = (this.#page = options.signedIn.then(() => PageSession.claim(scope)));
    const context: PhoneContext = {
      state: () => this.snapshot,
      dispatch: (action) => this.#dispatch(action),
      send: (message) => this.#signaling.send(message),
    };
    this.media = new MediaManager({
      ...context,
      microphone,
      remoteAudio,
      preparePeer: () => PeerConnection.prepare(iceConfig),
      isSignalingReady: () => this.#reconciler.isSynchronized && !this.#signaling.isDoubtful,
      onPacketsMissing: () => this.#signaling.check(URGENT_CHECK_TIMEOUT_MS),
      sendOffer: (id, sdp) => this.setup.renewMedia(id, sdp),
      onMediaFailed: (id) => this.setup.failMedia(id),
      onStats: (id, peer, entries) => {
        const sample = this.quality?.addSample(id, peer, entries, monotonicNow());
        if (sample) options.onSample(id, sample);
        if (sample && id === this.snapshot.activeId) this.#updateQuality();
      },
    });
    this.#prewarmer = new MediaPrewarmer({ ...context, preferredCodec, takePeer: () => this.media.takePeerAhead() });
    const signaling = (this.#signaling = new SignalingClient({
      url,
      user,
      token: () => http.token,
      session: page,
      isInCall: () => this.snapshot.calls.length > 0,
      onMessage: this.#onMessage,
      onCalls: (calls, kind) => this.#reconciler.onList(calls, kind),
      onIceServers: (message) => iceConfig.setServers(message),
      onChange: this.#onSignalingChange,
      onUnauthorized: this.#onUnauthorized,
    }));
    this.#reconciler = new CallReconciler({
      ...context,
      signaling,
      http,
      scope,
      nameOf,
      resume: (call) => this.setup.resume(call),
      renewMedia: (id) => this.media.get(id)?.onLostByServer(),
      checkMedia: () => this.media.checkNow(),
    });
    this.commands = new CallCommands({ ...context, nameOf, released: this.#reconciler.released });
    this.setup = new CallSetup({
      ...context,
      user,
      nameOf,
      preferredCodec,
      media: this.media,
      prewarmer: this.#prewarmer,
      reconciler: this.#reconciler,
      commands: this.commands,
      whenReady: () => {
        void this.#loadQualityMonitor();
        return Promise.race([
          page.then(() => signaling.whenReady(CONNECT_TIMEOUT_MS)),
          signaling.whenReady(SIGN_IN_TIMEOUT_MS),
        ]);
      },
    });
    this.#stopListening = onNetworkChange(() => (signaling.check(), this.media.checkNow()));
    this.devices = new DeviceManager({
      microphone,
      remoteAudio,
      onChange: (values) => this.#set(values),
      onTrack: (track) => this.media.setMicrophone(track),
    });
    void page.then(
      ({ isReload }) => this.#reconciler.restore(isReload),
      () => undefined,
    );
    void this.#loadQualityMonitor();
  }

  // --- what a user requests --------------------------------------------------------

  /** Whether calls ring here. */
  setRegistered(registered: boolean): void {
    this.#signaling.setRegistered(registered);
  }

  /** The token has been replaced. */
  onTokenRenewed(): void {
    this.#signedOut = null;
    if (this.snapshot.signedOut !== null) this.#set({ signedOut: null });
    this.#signaling.authenticate();
  }

  /** Tries at once, without waiting for the next attempt. */
  reconnect(): void {
    this.#signaling.check();
  }

  /** Loudness now, 0 to 1, for meters that are drawn on each frame. */
  inputLevel(): number {
    const call = activeCall(this.snapshot);
    return call?.muted || call?.held ? 0 : this.#microphone.level();
  }

  /** Shown at once, and corrected by what the server answers. */
  setPreferences(change: Partial<UserPreferences>): void {
    const userState = requestPreferences(this.snapshot.userState, change);
    if (userState?.pendingPreferences && this.#signaling.send({ type: "preferences", ...userState.pendingPreferences }))
      this.#set({ userState });
  }

  clearLastCall(): void {
    this.#dispatch({ type: "last-call-cleared" });
  }

  /** Tests the connection by an echo at `number`; "": only the microphone and the server. */
  async testConnection(number: string): Promise<Preflight> {
    const { user, http, preferredCodec } = this.#options;
    const { runPreflight } = await import("./quality/preflight.js");
    const microphone = async (): Promise<MicrophoneProblem | null> =>
      (await this.devices.tryMicrophone())?.problem ?? null;
    return runPreflight({ number, user, http, codec: preferredCodec(), iceConfig: this.#iceConfig, microphone });
  }

  /** Signs out: the page's session ends, and its calls with it. */
  close(): void {
    for (const { id } of this.snapshot.calls) this.commands.hangup(id);
    this.#prewarmer.close();
    this.#reconciler.close();
    this.media.close();
    this.#signaling.close();
    this.#stopListening();
    this.#locks.set([]);
    void this.#page.then(
      (page) => page.end(),
      () => undefined,
    );
    this.devices.close();
    clearCalls(this.#scope);
  }

  // --- what the server says ----------------------------------------------------------

  readonly #onMessage = (message: ServerMessage): void => {
    const at = callTime();
    this.#prewarmer.onMessage(message);
    const userState = userStateReducer(this.snapshot.userState, message);
    if (userState) return this.#set({ userState });
    switch (message.type) {
      case "media-prepared":
      case "media-discarded":
        return;
      case "answer":
        this.setup.settle(message.callId);
        return void this.media.get(message.callId)?.onAnswer(message.sdp);
      case "media-lost":
        return this.media.get(message.callId)?.onLostByServer();
      case "media-checked":
        return void (message.sounds && this.media.get(message.callId)?.onServerHasMedia());
      case "error":
        if (this.#isRenewalRefused(message)) return;
        if (!message.callId) this.#options.onRequestRefused(message);
        break;
      case "dtmf":
        this.#options.onDigits(message);
        break;
      case "past-call": {
        const { type: _, ...call } = message;
        return this.#options.onPastCall({
          ringingAt: null,
          answeredAt: null,
          connectedNumber: "",
          connectedName: "",
          ...call,
        });
      }
      case "incoming-call":
        if (!this.#reconciler.acceptsIncoming(message)) return;
        if (
          findCall(this.snapshot, message.callId)?.phase === "connecting" &&
          this.#reconciler.isOfferLost(message.callId)
        ) {
          return this.media.get(message.callId)?.onOfferWanted(); // it was accepted, and the server died with our offer
        }
        if (this.snapshot.calls.length === 0) void this.#prewarmer.prepare(message.callId);
        message.callerName ||= this.#options.nameOf(message.caller);
        this.#nameConnected(message);
        break;
      case "party":
        message = withName(message, this.#options.nameOf);
        break;
      case "state":
        this.#options.http.clock.onMessageTime(message.at, at);
        this.#nameConnected(message);
    }
    this.#dispatch({ type: "server", message, at });
  };

  #nameConnected(message: { connectedNumber?: string; connectedName?: string }): void {
    if (message.connectedNumber) message.connectedName ||= this.#options.nameOf(message.connectedNumber);
  }

  /** Whether this refuses a new connection for an existing call, and not what a user has requested. */
  #isRenewalRefused({ callId = "", code }: Refusal): boolean {
    const media = this.media.get(callId);
    if (!media?.isRenewing || findCall(this.snapshot, callId)?.pending) return false;
    media.onOfferRefused();
    this.#reconciler.onOfferRefused(callId);
    if (code === "unknown_call") void this.#reconciler.lookUp(callId);
    else if (code === "owned_elsewhere")
      this.#dispatch({ type: "server", message: { type: "taken-over", callId }, at: callTime() });
    return true;
  }

  readonly #onSignalingChange = (): void => {
    const { status: link, registered, ready } = this.#signaling;
    const lost = link === "lost";
    if (lost && this.snapshot.link !== "lost") this.#reconciler.onConnectionLost();
    if (!ready) this.#set({ userState: onConnectionLost(this.snapshot.userState) });
    this.#set({ link, registered, linkLostAt: lost ? (this.snapshot.linkLostAt ?? callTime()) : null });
    if (ready) return;
    this.media.onSignalingLost();
    this.#prewarmer.close();
  };

  /** The sign-in is not valid any more. Existing calls do not need it. */
  readonly #onUnauthorized = (reason: string): void => {
    this.#signedOut = reason;
    this.#set({ signedOut: reason });
    this.#options.onUnauthorized(reason);
    if (this.snapshot.calls.length === 0) this.#options.onSignedOut(reason);
  };

  /** Signing in has failed: calls that waited for it fail. */
  failAllCalls(): void {
    for (const { id } of this.snapshot.calls)
      this.#dispatch({ type: "failed", id, problem: "unauthorized", at: callTime() });
  }

  /** Calls work without it, but their quality is unknown: if it cannot be loaded, the next call tries again. */
  async #loadQualityMonitor(): Promise<void> {
    const loaded = await import("./quality/QualityMonitor.js").catch(() => null);
    if (loaded)
      this.quality ??= new loaded.QualityMonitor(
        (callId, report) => void this.#signaling.send({ type: "quality", callId, report }),
      );
  }

  #updateQuality(): void {
    const { activeId } = this.snapshot;
    this.#set({ quality: this.quality?.quality(activeId) ?? null, warnings: this.quality?.warnings(activeId) ?? [] });
  }

  // --- state ---------------------------------------------------------------------

  #dispatch(action: PhoneAction): void {
    const { calls, activeId, lastEndedCall, otherDeviceCalls } = this.snapshot;
    const before: PhoneState = { calls, activeId, lastEndedCall, otherDeviceCalls };
    const next = phoneReducer(before, action);
    if (next === before) return;
    this.#options.events.batch(() => this.#apply(next, before));
    if (calls.length > 0 && this.snapshot.calls.length === 0 && this.#signedOut !== null)
      this.#options.onSignedOut(this.#signedOut);
  }

  #apply(next: PhoneState, { calls, activeId }: PhoneState): void {
    for (const { id } of calls) {
      if (findCall(next, id)) continue;
      this.setup.settle(id);
      this.quality?.end(id);
    }
    setInCall(this, next.calls.length > 0);
    this.#set(next);
    this.media.sync(next);
    if (next.activeId !== activeId) this.#updateQuality();
    this.#locks.set(next.calls.filter(({ phase }) => phase !== "incoming").map(({ id }) => id));
    saveCalls(this.#scope, next, this.#reconciler.released);
    for (const call of callsToHold(this.snapshot)) this.commands.hold(call.id, true);
  }

  #set(values: Partial<Snapshot>): void {
    const before = this.snapshot;
    this.snapshot = { ...before, ...values };
    this.#options.events.batch(() => this.#options.onChange(before, this.snapshot));
  }
}
