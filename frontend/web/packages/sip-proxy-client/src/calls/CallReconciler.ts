// Which calls exist, after a time without messages from the server: a lost connection, a reload, or another page's calls.

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
  scope: string; // of what is stored in this tab
  nameOf(number: string): string;
  resume(call: Call): void; // shows the call, and connects its media
  renewMedia(id: string): void; // new media for our call
  checkMedia(): void; // at our calls' media: the server can be asked for new ones from now on
}

/** No connection has this number. */
const NO_CONNECTION = -1;
/** Within this time after the registration the server reports what still rings. */
const RING_AGAIN_TIMEOUT_MS = 500;
/** A ringing call has ended if its connection is lost for longer: its caller has heard that nobody answers. */
const RINGING_TIMEOUT_MS = 10_000;

export class CallReconciler {
  /** Calls that were ended here. If the server still lists them, it is told again. */
  readonly released = new Map<string, ReleaseMode>();
  #listedOn = 0; // the connection on which the last list came
  readonly #offeredOn = new Map<string, number>(); // by call: the connection on which its last offer went
  readonly #rungOn = new Map<string, number>(); // by call: the connection on which it was last reported to ring
  #isNew = true; // no list has come yet: this page may take over calls without a page
  readonly #restored = new Set<string>(); // the calls that this tab had before it was reloaded
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #options: CallReconcilerOptions;

  constructor(options: CallReconcilerOptions) {
    this.#options = options;
  }

  /** Whether the server can be reached, and has sent its list of calls on this connection. */
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
    if (!returns) return clearCalls(scope); // what is stored belongs to another tab
    const { calls, released } = loadCalls(scope);
    for (const [id, how] of released) this.released.set(id, how);
    for (const call of calls) {
      if (findCall(this.#options.state(), call.id)) continue;
      this.#restored.add(call.id);
      this.#options.resume(call);
    }
  }

  /** False for a call that rings again although it has been declined here. */
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
        if (direction === "outbound" || acceptedAt !== null) continue; // also if it was accepted here, and the server does not know it
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

  /** A call without a connected page may belong to a page of this browser that has only just lost its connection. */
  async #adopt(listed: ListedCall): Promise<void> {
    const { state, dispatch, resume } = this.#options;
    if (listed.here || (await isLockFree(callLock(listed.id)))) resume(resumedCall(listed));
    else dispatch({ type: "other-device-calls", calls: [...state().otherDeviceCalls, listed] });
  }

  /** Its offer has not been sent, as the user has not allowed the microphone yet: the server cannot know it. */
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
