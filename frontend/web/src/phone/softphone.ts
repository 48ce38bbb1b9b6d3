// The softphone without a page: joins signalling, media and the calls' state. Knows no framework.
// A page subscribes, reads `snapshot`, and calls the methods below; none of them throws.

import { Microphone, type MicrophoneError } from "../media/microphone";
import { Peer } from "../media/peer";
import { Reach } from "../media/reach";
import { Sounds, keyTones } from "../media/sounds";
import { Voice } from "../media/voice";
import type { Error as Refusal, Feedback, ServerMessage } from "../messages";
import { serverClock } from "../signalling/clock";
import { URGENT_WITHIN_MS } from "../signalling/heartbeat";
import { onHint } from "../signalling/hints";
import { Link } from "../signalling/link";
import { PageSession } from "../signalling/session";
import { UNATTENDED, ask, attend, unheard, type Settings } from "./attended";
import { callOf, type Call, type Problem } from "./call";
import { QualityReports } from "./callQuality";
import { preferred } from "./codec";
import { Commands } from "./commands";
import { ChosenDevices, NO_DEVICES, microphoneError } from "./devices";
import { load, onSaved, tell } from "./history";
import { newId } from "./ids";
import { Lines } from "./lines";
import { CallLocks } from "./locks";
import type { CallMedia } from "./media";
import { forget, keep } from "./memory";
import { runPreflight, type Preflight } from "./preflight";
import { ringAloud } from "./ring";
import { named, type Release } from "./settle";
import type { SoftphoneOptions, Snapshot } from "./snapshot";
import { soundOf } from "./sound";
import { Standing } from "./standing";
import { WarmMedia } from "./warm";
import { IDLE, activeOf, canDial, findCall, step, toHold, type PhoneEvent, type PhoneState } from "./state";

const PATIENCE_MS = 3000; // of a press, for a connection that is being changed

export class Softphone {
  snapshot: Snapshot;
  /** Hold, swap, transfer, conference, recording. */
  readonly commands: Commands;
  private readonly listeners = new Set<() => void>();
  private readonly link: Link;
  private readonly page: Promise<PageSession>;
  private readonly microphone = new Microphone();
  private readonly sounds = new Sounds();
  private readonly voice = new Voice((soundBlocked) => this.snapshot.soundBlocked !== soundBlocked && this.set({ soundBlocked }));
  private readonly lines: Lines;
  private readonly warm: WarmMedia;
  private readonly devices: ChosenDevices;
  private readonly reach: Reach;
  private readonly locks = new CallLocks();
  private readonly standing: Standing;
  private readonly stops: (() => void)[];
  private readonly reports = new QualityReports((callId, report) => void this.link.send({ type: "quality", callId, report }));
  private readonly takingOver = new Set<string>(); // calls that are taken from another page, until that is done
  private forNext: string | null = null; // the id that the next call is to have: its media are made ahead
  private signedOut: string | null = null; // why; told when all calls are over

  constructor(private readonly options: SoftphoneOptions) {
    const { user, token } = options.session;
    const { microphone, voice, sounds } = this;
    const reach = (this.reach = new Reach(options));
    const state = (): PhoneState => this.snapshot;
    const dispatch = (event: PhoneEvent): void => this.dispatch(event);
    this.snapshot = {
      ...IDLE, ...NO_DEVICES, link: "connecting", linkLostAt: null, registered: false, aloud: false, soundBlocked: false, quality: null, history: load(user), attended: UNATTENDED,
    };
    this.lines = new Lines({
      microphone, voice, state, dispatch,
      peer: () => Peer.prepare(reach),
      link: () => this.standing.known && !this.link.doubtful,
      suspicious: () => this.link.check(URGENT_WITHIN_MS),
      offer: this.offerAgain,
      found: (id, candidate) => void this.link.send({ type: "candidate", callId: id, ...candidate }),
      hopeless: this.hopeless,
      measured: () => this.set({ quality: this.lines.quality, warnings: this.reports.warnings(this.snapshot.activeId) }),
      sampled: (id, quality) => this.reports.take(id, quality, Date.now()),
    });
    this.warm = new WarmMedia({
      take: () => this.lines.takeAhead(),
      send: (message) => this.link.ready && this.link.send(message),
      found: (id, candidate) => void this.link.send({ type: "candidate", callId: id, ...candidate }),
    });
    this.page = PageSession.claim(user);
    this.link = new Link({
      url: options.url, user, token, session: this.page,
      inCall: () => this.snapshot.calls.length > 0,
      onMessage: this.heard,
      onCalls: (calls, when) => this.standing.list(calls, when),
      onIceServers: (message) => reach.take(message),
      onChange: this.linkChanged,
      onRefused: this.refused,
    });
    this.standing = new Standing({
      link: this.link, token, state, dispatch,
      nameOf: this.nameOf,
      takeBack: (call) => this.takeBack(call),
      renew: (id) => this.lines.of(id)?.lostByServer(),
      look: () => this.lines.hurry(),
    });
    this.commands = new Commands({ state, dispatch, nameOf: this.nameOf, send: (message) => this.link.send(message), release: (id, how) => this.release(id, how) });
    this.stops = [
      onHint(() => (this.link.check(), this.lines.hurry())),
      onSaved(user, () => this.set({ history: load(user) })),
      ringAloud(user, (aloud) => (this.set({ aloud }), this.sound())),
    ];
    this.devices = new ChosenDevices({ microphone, voice, sounds, onChange: (values) => this.set(values), onTrack: (track) => this.lines.send(track) });
    void this.page.then((page) => this.standing.restore(page.returns));
  }

  // --- for the page ------------------------------------------------------------

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): Snapshot => this.snapshot;

  /** The active call's. */
  get media(): CallMedia | null {
    return this.lines.active;
  }

  /** Loudness now, 0 to 1, for meters that are drawn on each frame. */
  readonly ownLevel = (): number => {
    const call = activeOf(this.snapshot);
    return call?.muted || call?.held ? 0 : this.microphone.level();
  };
  readonly remoteLevel = (): number => this.lines.level();

  /** The call that talks is held. `consults`: the call whose party this one is about. */
  call(number: string, consults?: string): void {
    const target = number.trim();
    if (!target || !canDial(this.snapshot)) return;
    const id = this.forNext ?? newId();
    this.forNext = null;
    this.dispatch({ type: "dialled", id, number: target, name: this.nameOf(target), ...(consults ? { consults } : {}), at: Date.now() });
    void this.connect(id, { target, callId: id, caller: this.options.session.user });
  }

  /** Somebody is about to be called, as it seems (`likely`), or is not. */
  expectCall(likely: boolean): void {
    if (likely && this.warm.callId === null && canDial(this.snapshot)) {
      this.forNext = newId();
      void this.warm.prepare(this.forNext);
    } else if (!likely && this.forNext !== null && this.warm.callId === this.forNext) {
      this.forNext = null;
      this.warm.cool();
    }
  }

  /** The call that talks is held, or ended where `andEnd` says so. */
  accept(id = this.snapshot.activeId, andEnd = false): void {
    if (id === null || findCall(this.snapshot, id)?.phase !== "incoming") return;
    if (andEnd) this.hangup();
    this.dispatch({ type: "accept-pressed", id });
    void this.connect(id, { callId: id });
  }

  decline(id = this.snapshot.activeId): void {
    if (id === null || findCall(this.snapshot, id)?.phase !== "incoming") return;
    this.standing.released.set(id, "hangup");
    this.link.send({ type: "decline", callId: id });
    this.dispatch({ type: "decline-pressed", id, at: Date.now() });
  }

  /** Ends the active call, for all who are in it. */
  hangup(): void {
    if (this.snapshot.activeId !== null) this.end(this.snapshot.activeId);
  }

  /** Takes the calls over that other pages hold. */
  bring(): void {
    for (const seen of this.snapshot.elsewhere) {
      this.takingOver.add(seen.id);
      this.takeBack(callOf(seen));
    }
  }

  /** What is to be done with calls: shown at once, and corrected by what the server says. */
  prefer(change: Partial<Settings>): void {
    const attended = ask(this.snapshot.attended, change);
    if (attended?.wanted && this.link.send({ type: "preferences", ...attended.wanted })) this.set({ attended });
  }

  dismiss(): void {
    this.dispatch({ type: "dismissed" });
  }

  rate(id: string, opinion: Omit<Feedback, "type" | "callId">): void {
    this.link.send({ type: "feedback", callId: id, ...opinion });
  }

  setMuted(muted: boolean): void {
    const { activeId: id } = this.snapshot;
    if (id !== null) this.dispatch({ type: "muted", id, muted });
  }

  /** A key of the pad: its tone is heard; in a call it is sent. */
  press(key: string): void {
    if (!keyTones(key)) return;
    this.sounds.key(key);
    const call = activeOf(this.snapshot);
    if (!call || call.phase === "incoming" || call.phase === "connecting") return;
    if (this.link.send({ type: "dtmf", callId: call.id, digits: key })) this.dispatch({ type: "digit-sent", id: call.id, digit: key });
  }

  /** A key of the pad that is not for the call, e.g. of a number to transfer to. */
  readonly tone = (key: string): void => this.sounds.key(key);

  /** `number`: an echo; "": none. */
  readonly testConnection = (number: string): Promise<Preflight> => {
    const { user, token } = this.options.session;
    return runPreflight({ number, user, token, reach: this.reach, microphone: () => this.tryMicrophone().then((error) => error?.problem ?? null) });
  };

  readonly tryNow = (): void => this.link.check();
  readonly tryMicrophone = (): Promise<MicrophoneError | null> => this.devices.tryMicrophone();
  readonly chooseMicrophone = (id: string): Promise<void> => this.devices.chooseMicrophone(id);
  readonly chooseSpeaker = (id: string): void => this.devices.chooseSpeaker(id);
  readonly chooseRing = (id: string): void => this.devices.chooseRing(id);

  /** Signs out: the page's session ends, and its calls with it. */
  close(): void {
    for (const { id } of this.snapshot.calls) this.end(id);
    this.warm.drop();
    this.lines.close();
    this.link.close();
    for (const stop of this.stops) stop();
    this.locks.set([]);
    void this.page.then((page) => page.end());
    this.sounds.play(null);
    this.devices.close();
    forget();
  }

  // --- the calls -----------------------------------------------------------------

  private async connect(id: string, offer: { target?: string; callId: string; caller?: string }): Promise<void> {
    const ready = this.link.whenReady(PATIENCE_MS);
    const send = async (sdp: string): Promise<boolean> => {
      await ready;
      this.standing.offered(id);
      return this.owns(id) && this.link.send({ type: "offer", sdp, ...preferred(), ...offer });
    };
    const accepting = offer.target === undefined;
    const media = this.lines.open(id);
    try {
      if ((await media.begin(send, this.warm.take(id))) || !this.owns(id)) return;
      if (accepting) this.ringsOn(id, "not_connected");
      else this.fail(id, "not_connected");
    } catch (error) {
      const { problem } = microphoneError(error);
      if (!this.owns(id)) return;
      if (accepting && media.current === null) this.ringsOn(id, problem);
      else {
        this.release(id, "hangup");
        this.fail(id, problem);
      }
    }
  }

  /** Accepting did not work: the call rings as before. */
  private ringsOn(id: string, problem: Problem): void {
    this.lines.drop(id);
    this.dispatch({ type: "accept-failed", id, problem });
  }

  /** Shows a call that stands, and gives it sound as soon as the server hears us. */
  private takeBack(call: Call): void {
    this.dispatch({ type: "returned", call });
    if (this.owns(call.id)) this.lines.open(call.id).adopt();
  }

  private readonly offerAgain = (id: string, sdp: string): boolean => {
    if (!this.owns(id)) return false;
    this.standing.offered(id);
    return this.link.send({ type: "offer", callId: id, sdp, ...preferred(), ...(this.takingOver.has(id) ? { takeOver: true } : {}) });
  };

  private readonly hopeless = (id: string): void => {
    this.release(id, "hangup");
    this.dispatch({ type: "no-sound", id, at: Date.now() });
  };

  private readonly heard = (message: ServerMessage): void => {
    const at = Date.now();
    this.warm.heard(message);
    const attended = attend(this.snapshot.attended, message);
    if (attended) return this.set({ attended });
    switch (message.type) {
      case "warmed":
      case "cooled":
        return;
      case "answer":
        this.takingOver.delete(message.callId);
        return void this.lines.of(message.callId)?.answered(message.sdp);
      case "media-lost":
        return this.lines.of(message.callId)?.lostByServer();
      case "error":
        if (this.refusesRenewal(message)) return;
        break;
      case "incoming-call":
        if (!this.standing.rings(message)) return;
        if (this.snapshot.calls.length === 0) void this.warm.prepare(message.callId);
        message.callerName ||= this.nameOf(message.caller);
        break;
      case "party":
        message = named(message, this.nameOf);
        break;
      case "state":
        serverClock.message(message.at, at);
    }
    this.dispatch({ type: "server", message, at });
  };

  /** Whether this is about a new connection for a call that stands, not about what a person asked for. */
  private refusesRenewal({ callId = "", code }: Refusal): boolean {
    const media = this.lines.of(callId);
    if (!media?.renewing || findCall(this.snapshot, callId)?.asked) return false;
    media.refused();
    if (code === "unknown_call") void this.standing.lookUp(callId);
    else if (code === "held_elsewhere") this.dispatch({ type: "server", message: { type: "taken-over", callId }, at: Date.now() });
    return true;
  }

  private readonly linkChanged = (): void => {
    const { status: link, registered, ready } = this.link;
    const lost = link === "lost";
    if (lost && this.snapshot.link !== "lost") this.standing.lost();
    if (!ready) this.set({ attended: unheard(this.snapshot.attended) });
    this.set({ link, registered, linkLostAt: lost ? (this.snapshot.linkLostAt ?? Date.now()) : null });
    this.sound();
    if (ready) return;
    this.lines.linkLost();
    this.warm.drop();
  };

  /** Our sign-in is worth nothing any more. A call that stands needs none. */
  private readonly refused = (reason: string): void => {
    this.signedOut = reason;
    if (this.snapshot.calls.length === 0) this.options.onSignedOut(reason);
  };

  private readonly nameOf = (number: string): string => this.options.phoneBook.find((entry) => entry.number === number)?.name ?? "";

  private owns(id: string): boolean {
    return findCall(this.snapshot, id) !== null;
  }

  private end(id: string): void {
    this.release(id, "hangup");
    this.dispatch({ type: "hangup-pressed", id, at: Date.now() });
  }

  private release(id: string, how: Release): void {
    this.standing.released.set(id, how); // should nobody hear us now, it is said again
    this.link.send({ type: how, callId: id });
  }

  private fail(id: string, problem: Problem): void {
    this.dispatch({ type: "failed", id, problem, at: Date.now() });
  }

  // --- state ---------------------------------------------------------------------

  private dispatch(event: PhoneEvent): void {
    const { calls, activeId, over, elsewhere } = this.snapshot;
    const before: PhoneState = { calls, activeId, over, elsewhere };
    const next = step(before, event);
    if (next === before) return;
    const more: Partial<Snapshot> = { ...next };
    if (next.over && findCall(before, next.over.id)) more.history = tell(this.options.session.user, next.over);
    for (const { id } of calls) {
      if (findCall(next, id)) continue;
      this.takingOver.delete(id);
      this.reports.end(id);
    }
    this.set(more);
    this.lines.follow(next);
    if (next.activeId !== activeId) this.set({ quality: this.lines.quality, warnings: this.reports.warnings(next.activeId) });
    this.locks.set(next.calls.filter(({ phase }) => phase !== "incoming").map(({ id }) => id));
    keep(next, this.standing.released);
    this.sound();
    for (const call of toHold(this.snapshot)) this.commands.hold(call.id, true);
    if (calls.length > 0 && this.snapshot.calls.length === 0 && this.signedOut !== null) this.options.onSignedOut(this.signedOut);
  }

  private set(values: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...values };
    for (const listener of this.listeners) listener();
  }

  /** Where it is not known whether a call still rings, nothing does. */
  private sound(): void {
    this.sounds.play(soundOf(this.snapshot, this.snapshot.link === "open", this.snapshot.aloud));
  }
}
