// The way in for programs: one client for each server and user. Everything that a softphone does goes through here.

import { callTime } from "./clock.js";
import type { Settings } from "./state/userState.js";
import { end } from "./state/model.js";
import type { Codec } from "./state/codec.js";
import { microphoneError } from "./devices/DeviceManager.js";
import type { Preflight } from "./quality/preflight.js";
import { NOTHING_YET, type Snapshot } from "./state/snapshot.js";
import { canDial, findCall } from "./state/phoneReducer.js";
import { SIPProxyCall, type CallAudio, type CallFeedback } from "./SIPProxyCall.js";
import { fromToken, identityOf, type Credentials, type Identity } from "./credentials.js";
import { EventEmitter, heard } from "./EventEmitter.js";
import { PhoneController } from "./PhoneController.js";
import { SIPProxyError, told as errorOf } from "./errors.js";
import type { Devices } from "./devices/Microphone.js";
import { normalizeNumber } from "./number.js";
import { placed, type PlacedCall } from "./placed.js";
import { listPastCalls, type PastCall, type PastCalls, type PastCallsWanted } from "./http/pastCalls.js";
import { listRecordings, recordingOf, type CallRecording } from "./http/recordings.js";
import { addressesOf } from "./signaling/urls.js";
import { Server, type ServerConfig } from "./http/HttpApi.js";
import { asSIPProxyError, signIn, unreachable } from "./signIn.js";
import { tell, type Told } from "./stateEvents.js";

export interface SIPProxyClientOptions {
  proxyUrl?: string; // of the server (its HTTP API); this page's where none is given
  bridgeUrl?: string; // of its WebSocket, where that is elsewhere
  credentials?: Credentials; // none: a server without sign-in
  user?: string; // who to be on a server without sign-in; else a guest
  nameOf?(number: string): string; // "" where unknown: who a number is, where the server does not say
  prefer?(): Codec | undefined; // of each call's media from here on; nothing: as the server is set
  relayOnly?: boolean; // only through TURN servers: finds out whether they work
}

export interface CallOptions {
  audio?: CallAudio;
  video?: boolean; // a phone system carries none: true is refused
  recording?: boolean; // from the moment that somebody answers
  consults?: SIPProxyCall; // the call whose other side this one is about: it may be connected with this one's
}

export interface ClientEvents {
  registering: [];
  registered: []; // calls ring here from now on
  unregistered: [];
  incoming: [call: SIPProxyCall];
  resumed: [call: SIPProxyCall]; // a call that stood before this page was loaded, or that was taken from another page
  tokenWillExpire: [seconds: number]; // give another one by `updateToken`; not told where the client knows the password
  devicesChanged: [devices: Devices];
  soundBlocked: [blocked: boolean]; // the browser plays nothing until somebody presses something on the page
  pastCall: [call: PastCall]; // a call of this user has ended, here or elsewhere
  error: [error: SIPProxyError];
  stateChanged: [state: Snapshot]; // always the last
}

const REGISTER_MS = 15_000;
/** So long before its end a token is to be replaced, in milliseconds; one that lasts shortly, in its middle. */
const RENEW_MS = 60_000;
/** Nobody is asked for tokens more often than that. */
const SIGN_IN_MS = 5000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class SIPProxyClient extends EventEmitter<ClientEvents> {
  /** The HTTP API of the server, with this client's sign-in. */
  readonly server: Server;
  readonly #socketUrl: string = "";
  readonly #unusable: SIPProxyError | null = null; // no address to connect to
  #absence: SIPProxyError | null = null; // the server was never there
  #identity: Identity;
  #engine: PhoneController | null = null;
  #signedIn: () => void = () => undefined; // lets the engine begin
  #signingIn = false;
  #refusal: SIPProxyError | null = null; // why the last try to sign in came to nothing
  #failure: SIPProxyError | null = null; // that was told last
  #renewed = false; // the token is new, and the server has not taken it yet
  #registering = false; // it is told, and came to nothing yet
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  readonly #objects = new Map<string, SIPProxyCall>(); // of the live calls
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  readonly #telling: (() => void)[] = []; // what is to be told, in order: a listener may cause more
  #isTelling = false;
  readonly #options: SIPProxyClientOptions;

  /** Connects to nothing yet, and never throws: what is no address is told by `register`, `call` and `error`. */
  constructor(options: SIPProxyClientOptions = {}) {
    super();
    this.#options = options;
    let base = "invalid:"; // which nothing is fetched from
    try {
      const { socket, api } = addressesOf(options.proxyUrl, options.bridgeUrl, globalThis.location?.href);
      this.#socketUrl = socket;
      base = api;
    } catch (cause) {
      this.#unusable = new SIPProxyError("invalid_address", (cause as Error).message, true, { cause });
    }
    this.server = new Server(base);
    this.#identity = identityOf(options.credentials, options.user);
    this.server.token = this.#identity.token;
  }

  // --- what is known ---------------------------------------------------------------

  /** Everything, as one immutable value: another one after each change. */
  get state(): Snapshot {
    return this.#engine?.snapshot ?? NOTHING_YET;
  }

  /** For `useSyncExternalStore` and the like. */
  readonly getSnapshot = (): Snapshot => this.state;

  /** Hears of each change of `state`. The function that it gives stops it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get user(): string {
    return this.#identity.user;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get isRegistered(): boolean {
    return this.state.registered;
  }

  /** Why nothing can be done now, and will not come right by waiting or a call: address, sign-in, a server that was never there. */
  get error(): SIPProxyError | null {
    return this.#unusable ?? this.#refusal ?? this.#absence;
  }

  /** All live calls, the oldest first. */
  get calls(): readonly SIPProxyCall[] {
    return this.state.calls.flatMap(({ id }) => this.#objects.get(id) ?? []);
  }

  /** The one that is talked on, or rings: the others are on hold. */
  get activeCall(): SIPProxyCall | null {
    return this.#objects.get(this.state.activeId ?? "") ?? null;
  }

  find(id: string): SIPProxyCall | null {
    return this.#objects.get(id) ?? null;
  }

  get devices(): Devices {
    return this.state.devices;
  }

  // --- being there -----------------------------------------------------------------

  /**
   * Signs in, connects, and takes calls. From then on the connection is kept: what is lost is made again, for ever.
   * Rejects with `SIPProxyError`: `unauthorized`; `server_unreachable`, and goes on trying behind it.
   */
  async register(): Promise<void> {
    if (this.#unusable && !this.#closed) {
      await null; // who listens for `error` next is to hear of it
      this.#fail(this.#unusable);
    }
    const engine = this.#start();
    if (this.isRegistered) return;
    engine.takeCalls(true);
    this.#registers();
    this.#tellAll();
    if (this.#refusal) void this.#signIn();
    await this.#until(REGISTER_MS, () => this.isRegistered || (this.#refusal ?? false), () => this.#unreachable());
  }

  /** Takes no more calls; those that stand go on. */
  async unregister(): Promise<void> {
    if (!this.#engine || this.#closed) return;
    this.#engine.takeCalls(false);
    this.#registering = false;
    await this.#until(REGISTER_MS, () => !this.isRegistered, () => this.#unreachable());
  }

  /** Another token for the same user, before the last one has run out. */
  updateToken(token: string): void {
    if (this.#closed) return;
    this.#identity = { ...fromToken(token, this.user), password: null };
    this.server.token = token;
    this.#takesIdentity();
  }

  /** Does not wait for the next try to connect. */
  reconnect(): void {
    if (this.#refusal && !this.#refusal.fatal) void this.#signIn();
    this.#engine?.reconnect();
  }

  /** Ends all calls, and forgets them. The client is of no use afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine?.close();
    clearTimeout(this.#expiry);
    this.#look();
  }

  // --- calls -----------------------------------------------------------------------

  /** Calls a number; a call that talks is held. Throws `SIPProxyError` where that makes no sense now. */
  call(target: string, { audio = true, video = false, recording = false, consults }: CallOptions = {}): SIPProxyCall {
    if (video) throw new SIPProxyError("unsupported", "A phone system carries no video: call with video: false.");
    const engine = this.#start(false);
    if (this.#refusal?.fatal) throw this.#refusal;
    const number = normalizeNumber(target);
    if (!canDial(engine.snapshot)) throw new SIPProxyError("too_many");
    const isTelling = this.#isTelling;
    this.#isTelling = true; // whoever hears of it may end it: it is to be had all the same
    const id = engine.call(number, { consults: consults?.id, sound: audio === true ? undefined : audio });
    const call = this.#objects.get(id ?? "");
    this.#isTelling = isTelling;
    this.#tellAll();
    if (!call) throw new SIPProxyError("wrong_state");
    if (recording) call.once("accepted", () => void call.record("start"));
    return call;
  }

  /**
   * The same as a promise: of the call, as soon as the other side rings or has answered. Whatever ends it before rejects
   * with a `SIPProxyError`. Who does not wait may listen at once: the promise has the call's `on`, `once`, `off`, `hangup`.
   */
  createCall({ target, options }: { target: string; options?: CallOptions }): PlacedCall {
    return placed(() => this.call(target, options), (done) => this.#until(LONGEST_TIMER_MS, done, () => new SIPProxyError("not_connected")));
  }

  /** A number is being written, or is not any more: a call's media are made ahead of it. */
  expectCall(likely: boolean): void {
    this.#engine?.expectCall(likely);
  }

  /** Takes the calls over that other pages of this user hold (`state.elsewhere`). */
  takeOver(): void {
    this.#engine?.bring();
  }

  /** Clears what is said of the last call, or of what came to nothing. */
  dismiss(): void {
    this.#engine?.dismiss();
  }

  // --- beside calls ------------------------------------------------------------------

  /** How a call was that has ended, by its id: 1 to 5; within a day. Rejects with `SIPProxyError`. */
  async postFeedback(callId: string, feedback: CallFeedback): Promise<void> {
    if (!this.#start(false).feedback({ callId, ...feedback })) throw new SIPProxyError("not_connected");
  }

  /** What is to be done with calls: shown at once in `state.attended`, and corrected by what the server says. */
  setPreferences(change: Partial<Settings>): void {
    this.#engine?.prefer(change);
  }

  /** Tests microphone, server and sound, by a call to an echo that rings nobody. Never rejects for a bad result. */
  async runPreflight(): Promise<Preflight> {
    const engine = this.#start(false);
    await this.#until(REGISTER_MS, () => !this.#signingIn, () => this.#unreachable()).catch(() => undefined);
    const config = await this.server.config().catch((): Partial<ServerConfig> => ({}));
    return engine.testConnection(config.preflightNumber ?? "");
  }

  /** This user's calls that have ended, on whichever device; `pastCall` tells of those to come. Rejects with `SIPProxyError`. */
  pastCalls(wanted: PastCallsWanted = {}): Promise<PastCalls> {
    return listPastCalls(this.server, this.#identity.user, wanted).catch(asSIPProxyError);
  }

  /** By the call's id, each call's oldest first. Rejects with `SIPProxyError`. */
  recordings(): Promise<Map<string, CallRecording[]>> {
    return listRecordings(this.server).catch(asSIPProxyError);
  }

  /** The sound, WAV. Rejects as `recordings`. */
  recording(name: string): Promise<Blob> {
    return recordingOf(this.server, name).catch(asSIPProxyError);
  }

  /** Opens the microphone ahead of a call; the browser may ask. Rejects with `SIPProxyError`. */
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

  /** Only noted, in `state.chosen`: for whoever plays a ring. */
  setRingDevice(id: string): void {
    this.#start(false).devices.chooseRing(id);
  }

  /** Loudness now, 0 to 1, for meters that are drawn on each frame. */
  readonly inputLevel = (): number => this.#engine?.ownLevel() ?? 0;
  readonly outputLevel = (): number => this.#engine?.remoteLevel() ?? 0;

  // --- how it does that --------------------------------------------------------------

  /** `registers`: whether calls ring, where it is only now that a client begins. */
  #start(registers = true): PhoneController {
    if (this.#closed) throw new SIPProxyError("closed", "", true);
    if (this.#unusable) throw this.#unusable;
    if (this.#engine) return this.#engine;
    const { server } = this;
    const identity = this.#identity;
    const signedIn = new Promise<void>((resolve) => (this.#signedIn = resolve));
    const engine = new PhoneController({
      url: this.#socketUrl, server, user: identity.user, signedIn,
      relayOnly: this.#options.relayOnly ?? false,
      prefer: () => this.#options.prefer?.(),
      nameOf: (number) => this.#options.nameOf?.(number) ?? "",
      onChange: (before, after) => this.#changed(before, after),
      onDone: () => this.#tellState(),
      onDigits: ({ callId, digits }) => this.#enqueue(() => this.#objects.get(callId)?.tell("dtmf", digits)),
      onPastCall: (call) => this.#enqueue(() => this.emit("pastCall", call)),
      onSample: (id, { quality, warning, cleared }) => {
        const call = this.#objects.get(id);
        this.#enqueue(() => {
          call?.tell("sample", quality);
          for (const kind of warning) call?.tell("warning", kind);
          for (const kind of cleared) call?.tell("warning-cleared", kind);
        });
      },
      onRefusal: ({ code, message }) => this.#fail(errorOf(code, message)),
      onRefused: (reason) => this.#refused(reason),
      onSignedOut: () => this.#refusal?.fatal && this.#fail(this.#refusal),
    });
    this.#engine = engine;
    engine.takeCalls(registers);
    if (identity.password === null) this.#takesIdentity();
    else void this.#signIn();
    return engine;
  }

  /** Gets a token, until there is one or the server says no. */
  async #signIn(): Promise<void> {
    const { user, password } = this.#identity;
    if (password === null || this.#signingIn) return;
    clearTimeout(this.#expiry);
    const again = this.#refusal !== null && !this.#refusal.fatal; // it was told
    this.#refusal = null;
    this.#signingIn = true;
    const came = await signIn(this.server, user, password);
    this.#signingIn = false;
    if (this.#closed || this.#identity.password === null) return;
    if (!(came instanceof SIPProxyError)) {
      this.#identity = { ...this.#identity, ...came };
      this.server.token = came.token;
      return this.#takesIdentity();
    }
    this.#refusal = came;
    if (!came.fatal) this.#expiry = setTimeout(() => void this.#signIn(), SIGN_IN_MS);
    else if (this.server.token === null) this.#engine?.refuseCalls(); // else those that stand need none
    if (!again || came.fatal) this.#fail(came);
    this.#look();
  }

  #unreachable(): SIPProxyError {
    return unreachable(this.#socketUrl);
  }

  /** There is a token, or none is needed. */
  #takesIdentity(): void {
    this.#refusal = null;
    this.#signedIn();
    this.#engine?.signedInAgain();
    this.#watchExpiry();
  }

  /** The server takes the token no more. Who knows the password gets another, once. */
  #refused(reason: string): void {
    if (this.#identity.password !== null && !this.#renewed) {
      this.#renewed = true;
      return void this.#signIn();
    }
    if (!this.#refusal?.fatal) this.#refusal = new SIPProxyError("unauthorized", reason, true); // else it is known, and told
    this.#look();
  }

  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const { expiresAt, password } = this.#identity;
    if (expiresAt === null) return;
    const lasts = this.server.clock.toPage(expiresAt) - callTime();
    const left = Math.max(lasts - Math.min(RENEW_MS, lasts / 2), password === null ? 0 : SIGN_IN_MS);
    this.#expiry = setTimeout(() => {
      if (left > LONGEST_TIMER_MS) this.#watchExpiry();
      else if (password !== null) void this.#signIn();
      else this.#enqueue(() => this.emit("tokenWillExpire", Math.max(0, Math.round((lasts - left) / 1000))));
    }, Math.min(left, LONGEST_TIMER_MS));
  }

  #registers(): void {
    if (this.#registering) return;
    this.#registering = true;
    this.#telling.push(() => this.emit("registering"));
  }

  /** Each is told once. */
  #fail(error: SIPProxyError): void {
    if (error === this.#failure || (error.code === "server_unreachable" && this.#failure?.code === error.code)) return;
    this.#failure = error;
    this.#enqueue(() => this.emit("error", error));
  }

  #until(ms: number, done: () => boolean | SIPProxyError, late: () => SIPProxyError): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: SIPProxyError | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const look = (): void => {
        const answer = this.#closed ? new SIPProxyError("closed", "", true) : done();
        if (answer !== false) settle(answer === true ? null : answer);
      };
      const timer = setTimeout(() => settle(late()), ms);
      this.#waiting.add(look);
      look();
    });
  }

  #changed(before: Snapshot, after: Snapshot): void {
    for (const call of after.calls) {
      const was = findCall(before, call.id);
      const known = was && this.#objects.get(call.id);
      const object = known ?? new SIPProxyCall(this.#engine!, call, (ms, done) => this.#until(ms, done, () => new SIPProxyError("not_connected")));
      object.take(call);
      this.#objects.set(call.id, object);
      if (!was && call.phase === "incoming") this.#telling.push(() => this.emit("incoming", object));
      else if (!was && call.media === "returning") this.#telling.push(() => this.emit("resumed", object));
      this.#tellOf(object, tell(was && { call: was, link: before.link }, { call, link: after.link }));
    }
    for (const was of before.calls) {
      const object = this.#objects.get(was.id);
      if (!object || findCall(after, was.id)) continue;
      const taken = after.elsewhere.some(({ id }) => id === was.id);
      const over = after.over?.id === was.id ? after.over : end(was, callTime(), { problem: taken ? "owned_elsewhere" : "connection_lost" });
      object.take(over);
      this.#tellOf(object, tell({ call: was, link: before.link }, { call: over, link: after.link }));
      this.#telling.push(() => this.#objects.get(was.id) === object && this.#objects.delete(was.id));
    }
    if (before.registered !== after.registered) this.#telling.push(() => this.emit(after.registered ? "registered" : "unregistered"));
    if (after.registered) this.#renewed = this.#registering = false;
    if (after.link === "open") {
      this.#absence = null;
      if (this.#failure?.code === "server_unreachable") this.#failure = null; // a refusal stands, and was told
    }
    if (before.link === "connecting" && after.link === "lost" && !this.#refusal) {
      this.#absence = this.#unreachable();
      this.#telling.push(() => this.#absence && this.#fail(this.#absence));
    }
    if (before.registered && after.link === "lost") this.#registers();
    if (before.devices !== after.devices) this.#telling.push(() => this.emit("devicesChanged", after.devices));
    if (before.soundBlocked !== after.soundBlocked) this.#telling.push(() => this.emit("soundBlocked", after.soundBlocked));
    this.#telling.push(() => this.emit("stateChanged", after));
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }

  #tellOf(call: SIPProxyCall, all: readonly Told[]): void {
    for (const one of all) this.#telling.push(() => call.tell(...(one as ["ringing"])));
  }

  #enqueue(told: () => void): void {
    this.#telling.push(told);
    this.#tellAll();
  }

  #tellState(): void {
    for (const listener of [...this.#listeners]) heard(listener);
    this.#look();
    this.#tellAll();
  }

  /** In order: what a listener causes is told after all that was to be told before. */
  #tellAll(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let told = this.#telling.shift(); told; told = this.#telling.shift()) told();
    this.#isTelling = false;
  }
}
