// One call, as a program sees it: its state, its methods and its events.

import { callListener, EventEmitter, type Listener } from "./EventEmitter.js";
import { endingError, errorCodeOf, SIPProxyError } from "./errors.js";
import { normalizeNumber } from "./number.js";
import type { PhoneController } from "./PhoneController.js";
import type { Feedback, PartySummary, QualityWarning, RecordingState } from "./protocol/messages.js";
import {
  type Call,
  connectedParty,
  type Person,
  type Phase,
  type Quality,
  type RequestFailure,
} from "./state/model.js";
import type { CallStateEvents } from "./stateEvents.js";

/** `docs/SDK.md` has their order. */
export interface CallEvents extends CallStateEvents {
  dtmf: [digits: string]; // the other side pressed a key
  sample: [quality: Quality]; // each second
  warning: [kind: QualityWarning];
  "warning-cleared": [kind: QualityWarning];
}

export interface CallStats {
  quality: Quality | null; // as with `sample`; null before there was sound
  report: RTCStatsReport | null; // the browser's own; null without a connection
}

export type CallFeedback = Omit<Feedback, "type" | "callId">;

/** What is sent: the microphone (`true`), a track of your own, or silence (`false`: listen only). */
export type CallAudio = boolean | MediaStreamTrack;

const DTMF_DIGITS = /^[0-9*#A-D]{1,32}$/i;
/** How long the server may take to confirm what was asked for, in milliseconds. */
const CONFIRM_TIMEOUT_MS = 15_000;
/** The browser may ask for the microphone first. A call that rings no more ends the wait before. */
const ANSWER_TIMEOUT_MS = 120_000;

/**
 * Methods that send a request to the server return a promise: it resolves when the server has confirmed the request, and rejects
 * with a `SIPProxyError` if the server refuses. You need not wait for it: events report the same.
 */
export class SIPProxyCall extends EventEmitter<CallEvents> {
  readonly #phone: PhoneController;
  #info: Call;
  readonly #until: WaitUntil;
  #latestEvents: Map<keyof CallEvents, unknown[]> | null = null; // of each name, while listeners that are added late are still to be called

  /** @internal Calls are made by the client. */
  constructor(engine: PhoneController, known: Call, until: WaitUntil) {
    super();
    this.#phone = engine;
    this.#info = known;
    this.#until = until;
  }

  /** Stays the same across reloads; the server's API and its records know the call by it. */
  get id(): string {
    return this.#info.id;
  }

  /** All that is known, as one immutable value: another one after each change. */
  get info(): Call {
    return this.#info;
  }

  get state(): Exclude<Phase, "idle"> {
    return this.#info.phase;
  }

  get direction(): "inbound" | "outbound" {
    return this.#info.direction;
  }

  /** The other side's number. */
  get number(): string {
    return this.#info.number;
  }

  /** The other side's name; "" if unknown. */
  get name(): string {
    return this.#info.name;
  }

  /** The party that is connected now. It differs from `number` if the phone system says so, e.g. after the other side transferred the call. */
  get connected(): Person {
    return connectedParty(this.#info);
  }

  get held(): boolean {
    return this.#info.held;
  }

  get muted(): boolean {
    return this.#info.muted;
  }

  get parties(): readonly PartySummary[] {
    return this.#info.parties;
  }

  get recording(): RecordingState {
    return this.#info.recording;
  }

  get isActive(): boolean {
    return this.#phone.snapshot.activeId === this.id;
  }

  /** Why the call failed; null while it is live, and if it ended normally. */
  get error(): SIPProxyError | null {
    return this.#info.phase === "ended" ? endingError(this.#info) : null;
  }

  // --- while it is set up ----------------------------------------------------------

  /** Takes an incoming call; one that talks is held. `audio`: see `CallAudio`. */
  answer(options: { audio?: CallAudio } = {}): Promise<void> {
    const { audio = true } = options;
    if (!this.#phone.setup.accept(this.id, audio === true ? undefined : audio))
      return rejectedWith(new SIPProxyError("wrong_state"));
    return this.#waitFor(ANSWER_TIMEOUT_MS, ({ phase, problem }) => {
      if (problem && phase === "incoming") return new SIPProxyError(problem);
      return phase === "accepted";
    });
  }

  /** Declines an incoming call: it stops ringing on all pages of this user. */
  reject(): void {
    this.#phone.commands.decline(this.id);
  }

  /** Ends the call for everybody in it; an incoming call that rings is declined. */
  hangup(): void {
    if (this.state === "incoming") this.reject();
    else this.#phone.commands.hangup(this.id);
  }

  // --- once it is accepted ---------------------------------------------------------

  /** The other parties hear music, and nothing from this page. */
  hold(): Promise<void> {
    return this.#untilConfirmed("hold", this.#phone.commands.hold(this.id, true));
  }

  /** Takes it back; another call that talks is held instead. */
  unhold(): Promise<void> {
    return this.#untilConfirmed("hold", this.#phone.commands.swap(this.id));
  }

  mute(): void {
    this.#phone.commands.setMuted(this.id, true);
  }

  unmute(): void {
    this.#phone.commands.setMuted(this.id, false);
  }

  /** 0-9, *, #, A-D, at most 32 at a time. */
  sendDTMF(digits: string): Promise<void> {
    if (!DTMF_DIGITS.test(digits)) return rejectedWith(new SIPProxyError("invalid_digits"));
    return this.#ifSent(this.#phone.commands.sendDigits(this.id, digits.toUpperCase()));
  }

  /** Blind: calls `target`, and connects the other side with it when it answers. Emits `transferred` or `transferFailed`. */
  transfer(target: string): Promise<void> {
    return this.#requestNumber("transfer", target, (number) => this.#phone.commands.transfer(this.id, number));
  }

  /** Connects the other sides of the two calls; both calls end here. */
  attendedTransfer(other: SIPProxyCall): Promise<void> {
    return this.#untilConfirmed("connect", this.#phone.commands.connect(this.id, other.id));
  }

  /** Hangs up on the target of a transfer; the call continues. */
  cancelTransfer(): void {
    this.#phone.commands.cancelTransfer(this.id);
  }

  /** A conference: one more party, by its number. */
  addParty(target: string): Promise<void> {
    return this.#requestNumber("add", target, (number) => this.#phone.commands.addParty(this.id, number));
  }

  /** Conference: the other side of that call joins this one, and that call ends here. */
  merge(other: SIPProxyCall): Promise<void> {
    return this.#untilConfirmed("merge", this.#phone.commands.merge(this.id, other.id));
  }

  /** Lets one party go, by its number in `parties`. */
  dropParty(party: number): Promise<void> {
    return this.#ifSent(this.#phone.commands.dropParty(this.id, party));
  }

  /** Leaves the call to the others: there must be two of them, or one and the target of a transfer. */
  leave(): void {
    this.#phone.commands.leave(this.id);
  }

  record(action: "start" | "pause" | "resume" | "stop"): Promise<void> {
    return this.#untilConfirmed("record", this.#phone.commands.record(this.id, action));
  }

  async getStats(): Promise<CallStats> {
    const report = await this.#phone.media
      .get(this.id)
      ?.current?.stats()
      .catch(() => null);
    return { quality: this.#phone.quality?.quality(this.id) ?? null, report: report ?? null };
  }

  /** For diagnosis; null without a connection. Replaced by another one after each loss and reload. */
  get connection(): RTCPeerConnection | null {
    return this.#phone.media.get(this.id)?.current?.connection ?? null;
  }

  /** What the other side sounds like, for drawing or recording it; null before there may be anything. */
  get remoteStream(): MediaStream | null {
    return this.#phone.media.get(this.id)?.remoteStream ?? null;
  }

  /** How it was, 1 to 5; within a day after its end. */
  postFeedback(feedback: CallFeedback): Promise<void> {
    if (!(feedback.score >= 1 && feedback.score <= 5))
      return rejectedWith(new SIPProxyError("invalid_request", "A score is 1 to 5."));
    return this.#ifSent(this.#phone.commands.sendFeedback({ callId: this.id, ...feedback }));
  }

  /** @internal */
  update(known: Call): void {
    this.#info = known;
  }

  /** @internal While this is on, a listener that is added late is called with the latest event of its name. */
  replayLatest(on: boolean): void {
    this.#latestEvents = on ? new Map() : null;
  }

  override on<Name extends keyof CallEvents>(name: Name, listener: Listener<CallEvents[Name]>): () => void {
    return this.#replay(name, listener, super.on(name, listener));
  }

  override once<Name extends keyof CallEvents>(name: Name, listener: Listener<CallEvents[Name]>): () => void {
    const off = super.once(name, listener);
    return this.#latestEvents?.has(name) ? (off(), this.#replay(name, listener, () => undefined)) : off;
  }

  #replay<Name extends keyof CallEvents>(
    name: Name,
    listener: Listener<CallEvents[Name]>,
    off: () => void,
  ): () => void {
    const event = this.#latestEvents?.get(name) as CallEvents[Name] | undefined;
    if (!event) return off;
    let isListening = true;
    queueMicrotask(() => isListening && callListener(() => listener(...event)));
    return () => ((isListening = false), off());
  }

  /** @internal */
  notify<Name extends keyof CallEvents>(name: Name, ...told: CallEvents[Name]): void {
    this.#latestEvents?.set(name, told);
    this.emit(name, ...told);
  }

  #requestNumber(what: RequestFailure["kind"], target: string, ask: (number: string) => boolean): Promise<void> {
    try {
      return this.#untilConfirmed(what, ask(normalizeNumber(target)));
    } catch (error) {
      return rejectedWith(error as SIPProxyError);
    }
  }

  #ifSent(heard: boolean): Promise<void> {
    return heard ? Promise.resolve() : rejectedWith(this.#refusal());
  }

  #untilConfirmed(what: RequestFailure["kind"], isRequested: boolean): Promise<void> {
    if (!isRequested) return rejectedWith(this.#refusal());
    const before = this.#info.pending === null ? this.#info.failedRequest : null; // nothing was requested, as it is so already
    return this.#waitFor(CONFIRM_TIMEOUT_MS, ({ phase, pending, failedRequest }) => {
      if (phase === "ended" || pending !== null) return phase === "ended"; // transferred, as requested
      return failedRequest && failedRequest !== before && CONFIRMED_AS[failedRequest.kind] === CONFIRMED_AS[what]
        ? requestError(failedRequest)
        : true;
    });
  }

  #waitFor(ms: number, done: (call: Call) => boolean | SIPProxyError): Promise<void> {
    return handled(
      this.#until(ms, () => {
        const known = this.#info;
        if (known.phase !== "ended" || known.outcome === "transferred") return done(known);
        return (
          endingError(known) ??
          new SIPProxyError(
            known.outcome === "cancelled" || known.outcome === "answered_elsewhere" ? known.outcome : "wrong_state",
          )
        );
      }),
    );
  }

  #refusal(): SIPProxyError {
    return new SIPProxyError(this.#phone.snapshot.link === "open" ? "wrong_state" : "not_connected");
  }
}

/** Checks `done` after each change: true resolves the promise, an error rejects it. */
export type WaitUntil = (ms: number, done: () => boolean | SIPProxyError) => Promise<void>;

/** The server does not distinguish how a party is called. */
const CONFIRMED_AS = {
  hold: "hold",
  record: "record",
  transfer: "transfer",
  connect: "transfer",
  add: "add",
  merge: "add",
  digits: "digits",
} as const;

const requestError = ({ problem, outcome, reason }: NonNullable<Call["failedRequest"]>): SIPProxyError =>
  new SIPProxyError(
    errorCodeOf(problem ?? outcome),
    problem === "refused" || problem === "invalid_target" ? reason : "",
  );

/** For callers that do not wait: events report the same error, so that it must not be reported as unhandled too. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

const rejectedWith = (error: SIPProxyError): Promise<never> => handled(Promise.reject(error));
