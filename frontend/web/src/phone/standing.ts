// Which calls stand, after a time in which nobody told this page: a lost connection, a reload, another page's life.

import type { CallSummary, ServerMessage } from "../messages";
import { serverClock } from "../signalling/clock";
import type { Link, ListTime } from "../signalling/link";
import { isFree } from "../signalling/locks";
import { callOf, isLive, type Call, type PhoneEvent, type PhoneState } from "./call";
import { seenOf, settle, type CallSeen } from "./calls";
import { whatBecameOf } from "./fate";
import { forget, recall } from "./memory";

export interface StandingOptions {
  link: Pick<Link, "connection" | "ready" | "send">;
  token: string | null; // of the sign-in
  state(): PhoneState;
  dispatch(event: PhoneEvent): void;
  nameOf(number: string): string;
  takeBack(call: Call): void; // shows the call, and gives it sound
  renew(): void; // new media for our call
  look(): void; // at our call's media: the server can be asked for new ones from now on
}

/** What still rings is told of right after we are registered. */
const RUNG_AGAIN_MS = 500;
/** A ringing call is over when its connection is lost for so long: its caller has heard that nobody is there. */
const RINGS_ON_MS = 10_000;

export const callLock = (callId: string): string => `ari-bridge.call.${callId}`;

export class Standing {
  /** Calls that a person ended here. Should nobody have heard it, it is said again. */
  readonly released = new Set<string>();
  private listed = 0; // the connection that has told which calls stand
  private offeredOn = 0; // the connection on which our call's last offer went
  private rungOn = 0; // the connection on which our incoming call was last told of
  private fresh = true; // no list yet: this page may take what nobody holds
  private restored = ""; // the call that this tab had before it was reloaded

  constructor(private readonly options: StandingOptions) {}

  /** Whether the server hears us and has told which calls stand. */
  get known(): boolean {
    return this.options.link.ready && this.listed === this.options.link.connection;
  }

  offered(): void {
    this.offeredOn = this.options.link.connection;
  }

  /** The call that this tab had when it was reloaded, shown before anybody confirms it. */
  restore(returns: boolean): void {
    if (!returns) return forget(); // what is kept belongs to another tab
    const { call, released } = recall();
    for (const id of released) this.released.add(id);
    if (!call || isLive(this.options.state().call)) return;
    this.restored = call.id;
    this.options.takeBack(call);
  }

  /** False for a call that rings again though a person has declined it here. */
  rings(message: Extract<ServerMessage, { type: "incoming-call" }>): boolean {
    if (this.released.has(message.callId)) return this.options.link.send({ type: "decline", callId: message.callId }), false;
    this.rungOn = this.options.link.connection;
    return true;
  }

  list(calls: CallSummary[], when: ListTime): void {
    const { link, state, dispatch } = this.options;
    const { connection } = link;
    const list = calls.map((summary) => seenOf(summary, serverClock, this.options.nameOf));
    const offering = this.offeredOn === connection;
    const { events, take, renew, missing, release } = settle(state(), list, { at: Date.now(), when, new: this.fresh, offering, released: this.released });
    this.fresh = false;
    this.listed = connection;
    for (const callId of release) link.send({ type: "hangup", callId });
    for (const event of events) dispatch(event);
    if (take) void this.take(take);
    if (missing) void this.lookUp(missing);
    if (renew) this.options.renew();
    else this.options.look();
    if (when === "first") setTimeout(() => this.ringsAgain(connection), RUNG_AGAIN_MS);
  }

  lost(): void {
    const { connection } = this.options.link;
    setTimeout(() => {
      const { call } = this.options.state();
      const away = !this.options.link.ready && this.listed < connection;
      if (away && call?.phase === "incoming") this.options.dispatch({ type: "failed", problem: "connection_lost", at: Date.now() });
    }, RINGS_ON_MS);
  }

  /** The server does not list our call any more: how did it end? */
  async lookUp(id: string): Promise<void> {
    const { dispatch, state, token } = this.options;
    const ours = (): boolean => state().call?.id === id && isLive(state().call);
    const fate = await whatBecameOf(id, token, ours);
    if (fate === "stands" || !ours()) return;
    if (fate !== "unknown") dispatch({ type: "ended-meanwhile", id, ...fate });
    else if (this.restored === id) dispatch({ type: "forgotten", id });
    else dispatch({ type: "failed", problem: "connection_lost", at: Date.now() });
  }

  /** A call that belongs to no open page may belong to one of this browser that has lost its connection just now. */
  private async take(seen: CallSeen): Promise<void> {
    if (seen.here || (await isFree(callLock(seen.id)))) this.options.takeBack(callOf(seen));
    else this.options.dispatch({ type: "elsewhere", seen });
  }

  private ringsAgain(connection: number): void {
    const { call } = this.options.state();
    if (call?.phase === "incoming" && this.rungOn !== connection && this.options.link.connection === connection) void this.lookUp(call.id);
  }
}
