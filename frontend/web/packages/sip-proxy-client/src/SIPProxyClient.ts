// The way in for programs: one client for each server and user. Everything that a softphone does goes through here.

import type { ClientEvents } from "./ClientEvents.js";
import { callTime } from "./clock.js";
import { type Credentials, identityOf } from "./credentials.js";
import { microphoneError } from "./devices/DeviceManager.js";
import type { Devices } from "./devices/Microphone.js";
import { callListener, EventEmitter } from "./EventEmitter.js";
import { EventQueue } from "./EventQueue.js";
import { errorFromServer, SIPProxyError } from "./errors.js";
import { HttpApi, type ServerConfig } from "./http/HttpApi.js";
import type { PastCalls, PastCallsQuery } from "./http/pastCalls.js";
import type { CallRecording } from "./http/recordings.js";
import { normalizeNumber } from "./number.js";
import { PhoneController } from "./PhoneController.js";
import { type PlacedCall, placeCall } from "./placeCall.js";
import type { Preflight } from "./quality/preflight.js";
import { type CallAudio, type CallFeedback, SIPProxyCall } from "./SIPProxyCall.js";
import { addressesOf } from "./signaling/urls.js";
import { asSIPProxyError, unreachableError } from "./signIn.js";
import type { Codec } from "./state/codec.js";
import { endCall } from "./state/model.js";
import { canDial, findCall } from "./state/phoneReducer.js";
import { INITIAL_STATE, type Snapshot } from "./state/snapshot.js";
import type { UserPreferences } from "./state/userState.js";
import { type CallEventTuple, diffToEvents } from "./stateEvents.js";
import { TokenManager } from "./TokenManager.js";

export interface SIPProxyClientOptions {
  proxyUrl?: string; // of the server's HTTP API; default: the server of this page
  bridgeUrl?: string; // of its WebSocket, if that is elsewhere
  credentials?: Credentials; // none: a server without sign-in
  user?: string; // the user's name on a server without sign-in; default: a guest
  nameOf?(number: string): string; // the name of a number, if the server sends none; "" if unknown
  preferredCodec?(): Codec | undefined; // of the media of each new offer; undefined: the server decides
  relayOnly?: boolean; // only through TURN servers: finds out whether they work
}

export interface CallOptions {
  audio?: CallAudio;
  video?: boolean; // a phone system carries none: true is refused
  recording?: boolean; // starts when the call is accepted
  consults?: SIPProxyCall; // the call whose other side this one is about: it may be connected with this one's
}

const REGISTER_TIMEOUT_MS = 15_000;

const notConnected = (): SIPProxyError => new SIPProxyError("not_connected");

export class SIPProxyClient extends EventEmitter<ClientEvents> {
  /** The HTTP API of the server, with this client's sign-in. */
  readonly http: HttpApi;
  readonly #socketUrl: string = "";
  readonly #addressError: SIPProxyError | null = null; // there is no address to connect to
  #absenceError: SIPProxyError | null = null; // the server has never been reached
  #reportedError: SIPProxyError | null = null; // the last one
  readonly #tokens: TokenManager;
  #phone: PhoneController | null = null;
  #isRegistering = false; // `registering` has been emitted, and neither `registered` nor `unregister` has followed
  #closed = false;
  readonly #calls = new Map<string, SIPProxyCall>(); // the live ones
  readonly #subscribers = new Set<() => void>();
  readonly #waiters = new Set<() => void>();
  readonly #events = new EventQueue();
  #isChangeQueued = false; // subscribers are about to be notified of a change
  readonly #options: SIPProxyClientOptions;

  /** Does not connect yet, and never throws: an invalid address is reported by `register`, `call` and `error`. */
  constructor(options: SIPProxyClientOptions = {}) {
    super();
    this.#options = options;
    let base = "invalid:"; // nothing can be fetched from it
    try {
      const { socket, api } = addressesOf(options.proxyUrl, options.bridgeUrl, globalThis.location?.href);
      this.#socketUrl = socket;
      base = api;
    } catch (cause) {
      this.#addressError = new SIPProxyError("invalid_address", (cause as Error).message, true, { cause });
    }
    this.http = new HttpApi(base);
    this.#tokens = new TokenManager(identityOf(options.credentials, options.user), {
      http: this.http,
      onToken: () => this.#phone?.onTokenRenewed(),
      onRefreshed: (session) => this.#events.add(() => this.emit("tokenRefreshed", session)),
      onError: (error, repeated) => {
        if (error.fatal && this.http.token === null) this.#phone?.failAllCalls(); // else calls continue without
        if (error.fatal || !repeated) this.#report(error);
        this.#checkWaiters();
      },
      onRefused: (error) => {
        if (this.state.calls.length === 0) this.#report(error); // else once they are over
        this.#checkWaiters();
      },
      onExpiring: (seconds) => this.#events.add(() => this.emit("tokenWillExpire", seconds)),
    });
  }

  // --- what is known ---------------------------------------------------------------

  /** Everything, as one immutable value: another one after each change. */
  get state(): Snapshot {
    return this.#phone?.snapshot ?? INITIAL_STATE;
  }

  /** For `useSyncExternalStore` and the like. */
  readonly getSnapshot = (): Snapshot => this.state;

  /** Calls `listener` after each change of `state`. Returns a function that stops it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  };

  get user(): string {
    return this.#tokens.user;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get isRegistered(): boolean {
    return this.state.registered;
  }

  /** Why the client cannot do anything now, and waiting will not help: address, sign-in, or a server that was never reached. */
  get error(): SIPProxyError | null {
    return this.#addressError ?? this.#tokens.error ?? this.#absenceError;
  }

  /** All live calls, the oldest first. */
  get calls(): readonly SIPProxyCall[] {
    return this.state.calls.flatMap(({ id }) => this.#calls.get(id) ?? []);
  }

  /** The one that is talked on, or rings: the others are on hold. */
  get activeCall(): SIPProxyCall | null {
    return this.#calls.get(this.state.activeId ?? "") ?? null;
  }

  find(id: string): SIPProxyCall | null {
    return this.#calls.get(id) ?? null;
  }

  get devices(): Devices {
    return this.state.devices;
  }

  // --- being there -----------------------------------------------------------------

  /**
   * Signs in, connects, and accepts calls. From then on the client reconnects whenever the connection is lost.
   * Rejects with `SIPProxyError`: `unauthorized`; `server_unreachable`, in which case it keeps trying.
   */
  async register(): Promise<void> {
    if (this.#addressError && !this.#closed) {
      await null; // a listener that is added right after this call receives the event too
      this.#report(this.#addressError);
    }
    const phone = this.#start();
    if (this.isRegistered) return;
    phone.setRegistered(true);
    this.#emitRegistering();
    if (this.#tokens.error) void this.#tokens.signIn();
    await this.#until(REGISTER_TIMEOUT_MS, () => this.isRegistered || (this.#tokens.error ?? false), this.#unreachable);
  }

  /** Accepts no more calls; existing calls continue. */
  async unregister(): Promise<void> {
    if (!this.#phone || this.#closed) return;
    this.#phone.setRegistered(false);
    this.#isRegistering = false;
    await this.#until(REGISTER_TIMEOUT_MS, () => !this.isRegistered, this.#unreachable);
  }

  /** Another token for the same user, before the last one has run out. */
  updateToken(token: string): void {
    if (!this.#closed) this.#tokens.setToken(token);
  }

  /** Ends all calls and the session: its tokens are of no use to anybody then. The client cannot be used any more. */
  async signOut(): Promise<void> {
    this.close();
    await this.http.signOut().catch(asSIPProxyError);
  }

  /** Does not wait for the next try to connect. */
  reconnect(): void {
    if (this.#tokens.error && !this.#tokens.error.fatal) void this.#tokens.signIn();
    this.#phone?.reconnect();
  }

  /** Ends all calls. The client cannot be used any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#phone?.close();
    this.#tokens.close();
    this.#checkWaiters();
  }

  // --- calls -----------------------------------------------------------------------

  /** Calls a number; any other active call is put on hold. Throws `SIPProxyError` if no call can be made now. */
  call(target: string, { audio = true, video = false, recording = false, consults }: CallOptions = {}): SIPProxyCall {
    if (video) throw new SIPProxyError("unsupported", "Video is not supported.");
    const phone = this.#start(false);
    if (this.#tokens.error?.fatal) throw this.#tokens.error;
    const number = normalizeNumber(target);
    if (!canDial(phone.snapshot)) throw new SIPProxyError("too_many");
    // In a batch: a listener may end the call at once, and it is still returned.
    const call = this.#events.batch(() =>
      this.#calls.get(
        phone.setup.dial(number, { consultsId: consults?.id, audio: audio === true ? undefined : audio }) ?? "",
      ),
    );
    if (!call) throw new SIPProxyError("wrong_state");
    if (recording) call.once("accepted", () => void call.record("start"));
    return call;
  }

  /**
   * The same as a promise. It resolves with the call once the other side rings or has answered, and rejects with a `SIPProxyError`
   * if the call ends before. The promise has the call's `on`, `once`, `off` and `hangup`, for listeners from the start.
   */
  createCall({ target, options }: { target: string; options?: CallOptions }): PlacedCall {
    return placeCall(() => this.call(target, options), this.#until);
  }

  /** The user is typing a number (`true`), or has stopped: the media of a call are prepared in advance. */
  expectCall(likely: boolean): void {
    this.#phone?.setup.expectCall(likely);
  }

  /** Takes over the calls that other pages of this user hold (`state.otherDeviceCalls`). */
  takeOver(): void {
    this.#phone?.setup.takeOver(this.state.otherDeviceCalls);
  }

  /** Clears `state.lastEndedCall`, or the active call's `failedRequest`. */
  clearLastCall(): void {
    this.#phone?.clearLastCall();
  }

  // --- besides calls -----------------------------------------------------------------

  /** How a call was that has ended, by its id: 1 to 5; within a day. Rejects with `SIPProxyError`. */
  async postFeedback(callId: string, feedback: CallFeedback): Promise<void> {
    if (!this.#start(false).commands.sendFeedback({ callId, ...feedback })) throw notConnected();
  }

  /** How calls for this user are handled. Shown at once in `state.userState`, and corrected by what the server answers. */
  setPreferences(change: Partial<UserPreferences>): void {
    this.#phone?.setPreferences(change);
  }

  /** Tests microphone, server and sound, by a call to an echo that rings nowhere. A bad result does not reject. */
  async runPreflight(): Promise<Preflight> {
    const phone = this.#start(false);
    await this.#until(REGISTER_TIMEOUT_MS, () => !this.#tokens.isSigningIn, this.#unreachable).catch(() => undefined);
    const config = await this.http.config().catch((): Partial<ServerConfig> => ({}));
    return phone.testConnection(config.preflightNumber ?? "");
  }

  /** Calls of this user that have ended, on any device; `pastCall` reports those that end later. Rejects with `SIPProxyError`. */
  pastCalls(query: PastCallsQuery = {}): Promise<PastCalls> {
    return import("./http/pastCalls.js")
      .then(({ listPastCalls }) => listPastCalls(this.http, this.user, query))
      .catch(asSIPProxyError);
  }

  /** By the call's id, each call's oldest first. Rejects with `SIPProxyError`. */
  recordings(): Promise<Map<string, CallRecording[]>> {
    return import("./http/recordings.js")
      .then(({ listRecordings }) => listRecordings(this.http))
      .catch(asSIPProxyError);
  }

  /** The sound, WAV. Rejects as `recordings`. */
  recording(name: string): Promise<Blob> {
    return import("./http/recordings.js")
      .then(({ downloadRecording }) => downloadRecording(this.http, name))
      .catch(asSIPProxyError);
  }

  /** Opens the microphone before a call; the browser may ask for permission. Rejects with `SIPProxyError`. */
  async openMicrophone(): Promise<void> {
    const error = await this.#start(false).devices.tryMicrophone();
    if (error) throw new SIPProxyError(microphoneError(error).problem);
  }

  /** By its id in `devices`; "": the system's choice. A call that talks changes over without a gap. */
  async setMicrophone(id: string): Promise<void> {
    await this.#start(false).devices.chooseMicrophone(id);
  }

  setSpeaker(id: string): void {
    this.#start(false).devices.chooseSpeaker(id);
  }

  /** Only stored, in `state.chosen`: the client itself does not ring. */
  setRingDevice(id: string): void {
    this.#start(false).devices.chooseRing(id);
  }

  /** Loudness now, 0 to 1, for meters that are drawn on each frame. */
  readonly inputLevel = (): number => this.#phone?.inputLevel() ?? 0;
  readonly outputLevel = (): number => this.#phone?.media.outputLevel() ?? 0;

  // --- how it does that --------------------------------------------------------------

  /** `register`: whether calls ring here, if the client starts only now. */
  #start(register = true): PhoneController {
    if (this.#closed) throw new SIPProxyError("closed", "", true);
    if (this.#addressError) throw this.#addressError;
    if (this.#phone) return this.#phone;
    const phone = (this.#phone = new PhoneController({
      url: this.#socketUrl,
      http: this.http,
      user: this.user,
      signedIn: this.#tokens.ready,
      relayOnly: this.#options.relayOnly,
      events: this.#events,
      preferredCodec: () => this.#options.preferredCodec?.(),
      nameOf: (number) => this.#options.nameOf?.(number) ?? "",
      onChange: (before, after) => this.#onChange(before, after),
      onDigits: ({ callId, digits }) => this.#events.add(() => this.#calls.get(callId)?.notify("dtmf", digits)),
      onPastCall: (call) => this.#events.add(() => this.emit("pastCall", call)),
      onSample: (id, { quality, raised, cleared }) => {
        const call = this.#calls.get(id);
        this.#events.add(() => {
          call?.notify("sample", quality);
          for (const kind of raised) call?.notify("warning", kind);
          for (const kind of cleared) call?.notify("warning-cleared", kind);
        });
      },
      onRequestRefused: ({ code, message }) => this.#report(errorFromServer(code, message)),
      onUnauthorized: (reason) => {
        this.#tokens.onRejected(reason);
        this.#checkWaiters();
      },
      onSignedOut: () => this.#tokens.error?.fatal && this.#report(this.#tokens.error),
    }));
    phone.setRegistered(register);
    this.#tokens.start();
    return phone;
  }

  readonly #unreachable = (): SIPProxyError => unreachableError(this.#socketUrl);

  #emitRegistering(): void {
    if (this.#isRegistering) return;
    this.#isRegistering = true;
    this.#events.add(() => this.emit("registering"));
  }

  /** Emits each error once. */
  #report(error: SIPProxyError): void {
    if (
      error === this.#reportedError ||
      (error.code === "server_unreachable" && this.#reportedError?.code === error.code)
    )
      return;
    this.#reportedError = error;
    this.#events.add(() => this.emit("error", error));
  }

  /** Resolves when `done` returns true, and rejects with the error that it returns, or after `ms` milliseconds. */
  readonly #until = (ms: number, done: () => boolean | SIPProxyError, timeoutError = notConnected): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (error: SIPProxyError | null): void => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const check = (): void => {
        const result = this.#closed ? new SIPProxyError("closed", "", true) : done();
        if (result !== false) settle(result === true ? null : result);
      };
      const timer = setTimeout(() => settle(timeoutError()), ms);
      this.#waiters.add(check);
      check();
    });

  #checkWaiters(): void {
    for (const check of [...this.#waiters]) check();
  }

  /** Queues the events between two states; subscribers are the first to be notified. */
  #onChange(before: Snapshot, after: Snapshot): void {
    const events = this.#events;
    if (!this.#isChangeQueued) {
      this.#isChangeQueued = true;
      events.add(() => {
        this.#isChangeQueued = false;
        for (const subscriber of [...this.#subscribers]) callListener(subscriber);
        this.#checkWaiters();
      });
    }
    for (const call of after.calls) {
      const was = findCall(before, call.id);
      const known = was && this.#calls.get(call.id);
      const object = known ?? new SIPProxyCall(this.#phone!, call, this.#until);
      object.update(call);
      this.#calls.set(call.id, object);
      if (!was && call.phase === "incoming") events.add(() => this.emit("incoming", object));
      else if (!was && call.media === "returning") events.add(() => this.emit("resumed", object));
      this.#addCallEvents(object, diffToEvents(was && { call: was, link: before.link }, { call, link: after.link }));
    }
    for (const was of before.calls) {
      const object = this.#calls.get(was.id);
      if (!object || findCall(after, was.id)) continue;
      const taken = after.otherDeviceCalls.some(({ id }) => id === was.id);
      const ended =
        after.lastEndedCall?.id === was.id
          ? after.lastEndedCall
          : endCall(was, callTime(), { problem: taken ? "owned_elsewhere" : "connection_lost" });
      object.update(ended);
      this.#addCallEvents(object, diffToEvents({ call: was, link: before.link }, { call: ended, link: after.link }));
      events.add(() => this.#calls.get(was.id) === object && this.#calls.delete(was.id));
    }
    if (before.registered !== after.registered)
      events.add(() => this.emit(after.registered ? "registered" : "unregistered"));
    if (after.registered) {
      this.#isRegistering = false;
      this.#tokens.onAccepted();
    }
    if (after.link === "open") {
      this.#absenceError = null;
      if (this.#reportedError?.code === "server_unreachable") this.#reportedError = null; // a refused sign-in still holds, and has been reported
    }
    if (before.link === "connecting" && after.link === "lost" && !this.#tokens.error) {
      this.#absenceError = this.#unreachable();
      events.add(() => this.#absenceError && this.#report(this.#absenceError));
    }
    if (before.registered && after.link === "lost") this.#emitRegistering();
    if (before.devices !== after.devices) events.add(() => this.emit("devicesChanged", after.devices));
    if (before.soundBlocked !== after.soundBlocked) events.add(() => this.emit("soundBlocked", after.soundBlocked));
    events.add(() => this.emit("stateChanged", after));
  }

  #addCallEvents(call: SIPProxyCall, events: readonly CallEventTuple[]): void {
    for (const event of events) this.#events.add(() => call.notify(...(event as ["ringing"])));
  }
}
