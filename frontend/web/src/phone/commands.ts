// What a person asks of calls that stand: each is shown at once, and sent. None of these throws.

import type { ClientMessage, Record as RecordMessage, RecordingState } from "../messages";
import { facing, partiesOf, type LiveCall } from "./call";
import type { Release } from "./settle";
import { activeOf, findCall, type PhoneEvent, type PhoneState } from "./state";
import type { Ask } from "./wishes";

export interface CommandsOptions {
  state(): PhoneState;
  dispatch(event: PhoneEvent): void;
  send(message: ClientMessage): boolean; // false where nobody hears
  nameOf(number: string): string;
  release(id: string, how: Release): void; // the call is over for this page
}

const AFTER: Record<RecordMessage["action"], RecordingState> = { start: "on", pause: "paused", resume: "on", stop: "off" };

export class Commands {
  constructor(private readonly options: CommandsOptions) {}

  /** Where nobody hears it now, it is said again once somebody does. */
  hold(id: string, held: boolean): void {
    if (this.talking(id)) this.ask(id, { what: "hold", held }, { type: "hold", callId: id, held }, true);
  }

  /** Goes to another call, or takes the active one back: what was talked on is held. */
  swap(id: string): void {
    this.options.dispatch({ type: "activated", id });
    if (this.talking(id)?.held) this.hold(id, false);
  }

  /** The other party of the active call is given to `target`. */
  transfer(target: string): void {
    const number = target.trim();
    const call = activeOf(this.options.state());
    if (number && call) this.ask(call.id, { what: "transfer", number, name: this.options.nameOf(number) }, { type: "transfer", callId: call.id, target: number });
  }

  /** The parties of two calls are connected; both calls end here. */
  connect(id: string, toId: string): void {
    const to = this.talking(toId);
    if (to) this.ask(id, { what: "connect", ...facing(to) }, { type: "transfer", callId: id, toCallId: toId });
  }

  /** One more party for the active call. */
  addParty(target: string): void {
    const number = target.trim();
    const call = activeOf(this.options.state());
    if (number && call) this.ask(call.id, { what: "add", number, name: this.options.nameOf(number) }, { type: "add-party", callId: call.id, target: number });
  }

  /** The party of our other call comes into the active one. */
  merge(fromId: string): void {
    const { activeId } = this.options.state();
    const from = this.talking(fromId);
    if (activeId && from) this.ask(activeId, { what: "merge", ...facing(from) }, { type: "add-party", callId: activeId, fromCallId: fromId });
  }

  dropParty(party: number): void {
    const { activeId } = this.options.state();
    if (activeId && party > 0) this.options.send({ type: "drop-party", callId: activeId, party });
  }

  /** Takes a transfer back: whoever is being called for it is let go. */
  cancelTransfer(): void {
    const call = activeOf(this.options.state());
    const called = call?.parties.find((party) => !partiesOf(call).includes(party));
    if (called) this.dropParty(called.party);
  }

  /** The others go on without this page. */
  leave(): void {
    const call = activeOf(this.options.state());
    if (!call) return;
    this.options.release(call.id, "leave");
    this.options.dispatch({ type: "leave-pressed", id: call.id, at: Date.now() });
  }

  record(action: RecordMessage["action"]): void {
    const call = activeOf(this.options.state());
    if (call) this.ask(call.id, { what: "record", state: AFTER[action], before: call.recording }, { type: "record", callId: call.id, action });
  }

  private talking(id: string): LiveCall | null {
    const call = findCall(this.options.state(), id);
    return call?.phase === "accepted" ? call : null;
  }

  private ask(id: string, ask: Ask, message: ClientMessage, unheard = false): void {
    if (!this.talking(id)) return;
    if (!this.options.send(message) && !unheard) return; // the page says that nobody hears us
    this.options.dispatch({ type: "asked", id, ask });
  }
}
