// Which calls stand, after a time in which nobody told this page: a lost connection, a reload, another page's life.

import { callTime } from "../clock.js";
import type { CallSummary, ServerMessage } from "../protocol/messages.js";
import type { SignalingClient, ListTime } from "../signaling/SignalingClient.js";
import { isFree } from "../signaling/webLocks.js";
import type { Server } from "../http/HttpApi.js";
import { callOf, type Call, type CallSeen, type PhoneEvent, type PhoneState, type Release } from "../state/model.js";
import { whatBecameOf } from "./endedCallLookup.js";
import { callLock } from "./CallLocks.js";
import { forget, recall } from "./callStorage.js";
import { seenOf, settle } from "../state/reconcile.js";
import { findCall } from "../state/phoneReducer.js";

export interface StandingOptions {
  link: Pick<SignalingClient, "connection" | "ready" | "send">;
  server: Server;
  scope: string; // of what this tab remembers
  state(): PhoneState;
  dispatch(event: PhoneEvent): void;
  nameOf(number: string): string;
  takeBack(call: Call): void; // shows the call, and gives it sound
  renew(id: string): void; // new media for our call
  look(): void; // at our calls' media: the server can be asked for new ones from now on
}

/** No connection has this number. */
const NOWHERE = -1;
/** What still rings is told of right after we are registered. */
const RUNG_AGAIN_MS = 500;
/** A ringing call is over when its connection is lost for so long: its caller has heard that nobody is there. */
const RINGS_ON_MS = 10_000;

export class CallReconciler {
  /** Calls that a person ended here. Should nobody have heard it, it is said again. */
  readonly released = new Map<string, Release>();
  #listed = 0; // the connection that has told which calls stand
  readonly #offeredOn = new Map<string, number>(); // by call: the connection on which its last offer went
  readonly #rungOn = new Map<string, number>(); // by call: the connection on which it was last told of
  #fresh = true; // no list yet: this page may take what nobody holds
  readonly #restored = new Set<string>(); // the calls that this tab had before it was reloaded
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #options: StandingOptions;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** Whether the server hears us and has told which calls stand. */
  get known(): boolean {
    return this.#options.link.ready && this.#listed === this.#options.link.connection;
  }

  offered(id: string): void {
    this.#offeredOn.set(id, this.#options.link.connection);
  }

  /** It is made again as soon as the call rings here. */
  offerRefused(id: string): void {
    this.#offeredOn.set(id, NOWHERE);
  }

  /** Whether its last offer went by an earlier connection, or was refused. */
  offerLost(id: string): boolean {
    return (this.#offeredOn.get(id) ?? this.#options.link.connection) !== this.#options.link.connection;
  }

  /** The calls that this tab had when it was reloaded, shown before anybody confirms them. */
  restore(returns: boolean): void {
    const { scope } = this.#options;
    if (!returns) return forget(scope); // what is kept belongs to another tab
    const { calls, released } = recall(scope);
    for (const [id, how] of released) this.released.set(id, how);
    for (const call of calls) {
      if (findCall(this.#options.state(), call.id)) continue;
      this.#restored.add(call.id);
      this.#options.takeBack(call);
    }
  }

  /** False for a call that rings again though a person has declined it here. */
  rings(message: Extract<ServerMessage, { type: "incoming-call" }>): boolean {
    if (this.released.has(message.callId)) return this.#options.link.send({ type: "decline", callId: message.callId }), false;
    this.#rungOn.set(message.callId, this.#options.link.connection);
    return true;
  }

  list(calls: CallSummary[], when: ListTime): void {
    const { link, server, state, dispatch, nameOf } = this.#options;
    const { connection } = link;
    const list = calls.map((summary) => seenOf(summary, server.clock, nameOf));
    const offering = (id: string): boolean => this.#offeredOn.get(id) === connection || this.#isUnsent(id);
    const told = settle(state(), list, { at: callTime(), when, new: this.#fresh, offering, released: this.released });
    this.#fresh = false;
    this.#listed = connection;
    for (const { id, how } of told.release) link.send({ type: how, callId: id });
    for (const { id, held } of told.hold) link.send({ type: "hold", callId: id, held });
    for (const event of told.events) dispatch(event);
    for (const seen of told.take) void this.#take(seen);
    for (const id of told.missing) void this.lookUp(id);
    for (const id of told.renew) this.#options.renew(id);
    this.#options.look();
    if (when === "first") this.#later(RUNG_AGAIN_MS, () => this.#ringsAgain(connection));
  }

  lost(): void {
    const { connection } = this.#options.link;
    this.#later(RINGS_ON_MS, () => {
      if (this.#options.link.ready || this.#listed >= connection) return;
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
    const { dispatch, state, server } = this.#options;
    const ours = (): boolean => findCall(state(), id) !== null;
    const fate = await whatBecameOf(id, server, ours);
    if (fate === "stands" || !ours()) return;
    if (fate !== "unknown") dispatch({ type: "ended-meanwhile", id, ...fate });
    else if (this.#restored.has(id)) dispatch({ type: "forgotten", id });
    else dispatch({ type: "failed", id, problem: "connection_lost", at: callTime() });
  }

  /** A call that belongs to no open page may belong to one of this browser that has lost its connection just now. */
  async #take(seen: CallSeen): Promise<void> {
    const { state, dispatch, takeBack } = this.#options;
    if (seen.here || (await isFree(callLock(seen.id)))) takeBack(callOf(seen));
    else dispatch({ type: "elsewhere", seen: [...state().elsewhere, seen] });
  }

  /** Its offer waits yet, for a microphone that somebody has to allow: the server cannot know it. */
  #isUnsent(id: string): boolean {
    return findCall(this.#options.state(), id)?.phase === "connecting" && !this.#offeredOn.has(id) && !this.#restored.has(id);
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => (this.#timers.delete(timer), act()), ms);
    this.#timers.add(timer);
  }

  #ringing(): readonly Call[] {
    return this.#options.state().calls.filter(({ phase }) => phase === "incoming");
  }

  #ringsAgain(connection: number): void {
    if (this.#options.link.connection !== connection) return;
    for (const { id } of this.#ringing()) if (this.#rungOn.get(id) !== connection) void this.lookUp(id);
  }
}
