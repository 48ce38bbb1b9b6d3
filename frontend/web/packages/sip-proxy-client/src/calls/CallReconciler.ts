// Which calls stand, after a time in which nobody told this page: a lost connection, a reload, another page's life.

import { callTime } from "../clock.js";
import type { HttpApi } from "../http/HttpApi.js";
import type { CallSummary, ServerMessage } from "../protocol/messages.js";
import type { ListKind, SignalingClient } from "../signaling/SignalingClient.js";
import { isLockFree } from "../signaling/webLocks.js";
import { type Call, type ListedCall, type ReleaseMode, resumedCall } from "../state/model.js";
import type { PhoneContext } from "../state/phoneContext.js";
import { findCall } from "../state/phoneReducer.js";
import { listedCall, reconcile } from "../state/reconcile.js";
import { callLock } from "./CallLocks.js";
import { clearCalls, loadCalls } from "./callStorage.js";
import { lookUpEndedCall } from "./endedCallLookup.js";

export interface CallReconcilerOptions extends PhoneContext {
  signaling: Pick<SignalingClient, "connection" | "ready">;
  http: HttpApi;
  scope: string; // of what this tab remembers
  nameOf(number: string): string;
  resume(call: Call): void; // shows the call, and gives it sound
  renewMedia(id: string): void; // new media for our call
  checkMedia(): void; // at our calls' media: the server can be asked for new ones from now on
}

/** No connection has this number. */
const NO_CONNECTION = -1;
/** What still rings is told of right after we are registered. */
const RING_AGAIN_TIMEOUT_MS = 500;
/** A ringing call is over when its connection is lost for so long: its caller has heard that nobody is there. */
const RINGING_TIMEOUT_MS = 10_000;

export class CallReconciler {
  /** Calls that a person ended here. Should nobody have heard it, it is said again. */
  readonly released = new Map<string, ReleaseMode>();
  #listedOn = 0; // the connection that has told which calls stand
  readonly #offeredOn = new Map<string, number>(); // by call: the connection on which its last offer went
  readonly #rungOn = new Map<string, number>(); // by call: the connection on which it was last told of
  #isNew = true; // no list yet: this page may take what nobody holds
  readonly #restored = new Set<string>(); // the calls that this tab had before it was reloaded
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #options: CallReconcilerOptions;

  constructor(options: CallReconcilerOptions) {
    this.#options = options;
  }

  /** Whether the server hears us and has told which calls stand. */
  get isSynchronized(): boolean {
    return this.#options.signaling.ready && this.#listedOn === this.#options.signaling.connection;
  }

  onOfferSent(id: string): void {
    this.#offeredOn.set(id, this.#options.signaling.connection);
  }

  /** It is made again as soon as the call rings here. */
  onOfferRefused(id: string): void {
    this.#offeredOn.set(id, NO_CONNECTION);
  }

  /** Whether its last offer went by an earlier connection, or was refused. */
  isOfferLost(id: string): boolean {
    return (this.#offeredOn.get(id) ?? this.#options.signaling.connection) !== this.#options.signaling.connection;
  }

  /** The calls that this tab had when it was reloaded, shown before anybody confirms them. */
  restore(returns: boolean): void {
    const { scope } = this.#options;
    if (!returns) return clearCalls(scope); // what is kept belongs to another tab
    const { calls, released } = loadCalls(scope);
    for (const [id, how] of released) this.released.set(id, how);
    for (const call of calls) {
      if (findCall(this.#options.state(), call.id)) continue;
      this.#restored.add(call.id);
      this.#options.resume(call);
    }
  }

  /** False for a call that rings again though a person has declined it here. */
  acceptsIncoming(message: Extract<ServerMessage, { type: "incoming-call" }>): boolean {
    if (this.released.has(message.callId))
      return (this.#options.send({ type: "decline", callId: message.callId }), false);
    this.#rungOn.set(message.callId, this.#options.signaling.connection);
    return true;
  }

  onList(calls: CallSummary[], when: ListKind): void {
    const { signaling, http, state, dispatch, send, nameOf } = this.#options;
    const { connection } = signaling;
    const list = calls.map((summary) => listedCall(summary, http.clock, nameOf));
    const isOffering = (id: string): boolean => this.#offeredOn.get(id) === connection || this.#isOfferUnsent(id);
    const result = reconcile(state(), list, {
      at: callTime(),
      list: when,
      isNew: this.#isNew,
      isOffering,
      released: this.released,
    });
    this.#isNew = false;
    this.#listedOn = connection;
    for (const { id, how } of result.release) send({ type: how, callId: id });
    for (const { id, held } of result.hold) send({ type: "hold", callId: id, held });
    for (const event of result.actions) dispatch(event);
    for (const listed of result.adopt) void this.#adopt(listed);
    for (const id of result.missing) void this.lookUp(id);
    for (const id of result.renew) this.#options.renewMedia(id);
    this.#options.checkMedia();
    if (when === "first") this.#after(RING_AGAIN_TIMEOUT_MS, () => this.#checkRinging(connection));
  }

  onConnectionLost(): void {
    const { connection } = this.#options.signaling;
    this.#after(RINGING_TIMEOUT_MS, () => {
      if (this.#options.signaling.ready || this.#listedOn >= connection) return;
      for (const { id, direction, acceptedAt } of this.#options.state().calls) {
        if (direction === "outbound" || acceptedAt !== null) continue; // also one that was answered here, and nobody heard it
        this.#options.dispatch({ type: "failed", id, problem: "connection_lost", at: callTime() });
      }
    });
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** The server does not list our call any more: how did it end? */
  async lookUp(id: string): Promise<void> {
    const { dispatch, state, http } = this.#options;
    const ours = (): boolean => findCall(state(), id) !== null;
    const ended = await lookUpEndedCall(id, http, ours);
    if (ended === "live" || !ours()) return;
    if (ended !== "unknown") dispatch({ type: "ended", id, ...ended });
    else if (this.#restored.has(id)) dispatch({ type: "call-unknown", id });
    else dispatch({ type: "failed", id, problem: "connection_lost", at: callTime() });
  }

  /** A call that belongs to no open page may belong to one of this browser that has lost its connection just now. */
  async #adopt(listed: ListedCall): Promise<void> {
    const { state, dispatch, resume } = this.#options;
    if (listed.here || (await isLockFree(callLock(listed.id)))) resume(resumedCall(listed));
    else dispatch({ type: "other-device-calls", calls: [...state().otherDeviceCalls, listed] });
  }

  /** Its offer waits yet, for a microphone that somebody has to allow: the server cannot know it. */
  #isOfferUnsent(id: string): boolean {
    return (
      findCall(this.#options.state(), id)?.phase === "connecting" && !this.#offeredOn.has(id) && !this.#restored.has(id)
    );
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => (this.#timers.delete(timer), act()), ms);
    this.#timers.add(timer);
  }

  #ringing(): readonly Call[] {
    return this.#options.state().calls.filter(({ phase }) => phase === "incoming");
  }

  #checkRinging(connection: number): void {
    if (this.#options.signaling.connection !== connection) return;
    for (const { id } of this.#ringing()) if (this.#rungOn.get(id) !== connection) void this.lookUp(id);
  }
}
