// What a person asks of calls that stand: each is shown at once, and sent. False: nobody heard it, or it makes no sense.

import { callTime } from "../clock.js";
import type { ClientMessage, Record as RecordMessage, RecordingState } from "../protocol/messages.js";
import { facing, partiesOf, type Ask, type LiveCall, type PhoneEvent, type PhoneState, type Release } from "../state/model.js";
import { findCall } from "../state/phoneReducer.js";

export interface CommandsOptions {
  state(): PhoneState;
  dispatch(event: PhoneEvent): void;
  send(message: ClientMessage): boolean; // false where nobody hears
  nameOf(number: string): string;
  release(id: string, how: Release): void; // the call is over for this page
}

const AFTER: Record<RecordMessage["action"], RecordingState> = { start: "on", pause: "paused", resume: "on", stop: "off" };

export class CallCommands {
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Where nobody hears it now, it is said again once somebody does. */
  hold(id: string, held: boolean): boolean {
    const call = this.#talking(id);
    if (call?.held === held && (call.asked?.what ?? "hold") === "hold") return true; // it is so, or is asked for
    return this.#ask(id, { what: "hold", held }, { type: "hold", callId: id, held }, true);
  }

  /** Goes to another call, or takes the active one back: what was talked on is held. */
  swap(id: string): boolean {
    this.#options.dispatch({ type: "activated", id });
    return this.#talking(id)?.held ? this.hold(id, false) : this.#talking(id) !== null;
  }

  /** The other party is given to `target`. */
  transfer(id: string, target: string): boolean {
    const number = target.trim();
    return number !== "" && this.#ask(id, { what: "transfer", number, name: this.#options.nameOf(number) }, { type: "transfer", callId: id, target: number });
  }

  /** The parties of two calls are connected; both calls end here. */
  connect(id: string, toId: string): boolean {
    const to = this.#talking(toId);
    return to !== null && id !== toId && this.#ask(id, { what: "connect", ...facing(to) }, { type: "transfer", callId: id, toCallId: toId });
  }

  /** One more party. */
  addParty(id: string, target: string): boolean {
    const number = target.trim();
    return number !== "" && this.#ask(id, { what: "add", number, name: this.#options.nameOf(number) }, { type: "add-party", callId: id, target: number });
  }

  /** The party of our other call comes into this one. */
  merge(id: string, fromId: string): boolean {
    const from = this.#talking(fromId);
    return from !== null && id !== fromId && this.#ask(id, { what: "merge", ...facing(from) }, { type: "add-party", callId: id, fromCallId: fromId });
  }

  dropParty(id: string, party: number): boolean {
    return party > 0 && this.#talking(id) !== null && this.#options.send({ type: "drop-party", callId: id, party });
  }

  /** Takes a transfer back: whoever is being called for it is let go. */
  cancelTransfer(id: string): boolean {
    const call = this.#talking(id);
    const called = call?.parties.find((party) => !partiesOf(call).includes(party));
    return called !== undefined && this.dropParty(id, called.party);
  }

  /** The others go on without this page. */
  leave(id: string): boolean {
    if (!this.#talking(id)) return false;
    this.#options.release(id, "leave");
    this.#options.dispatch({ type: "leave-pressed", id, at: callTime() });
    return true;
  }

  record(id: string, action: RecordMessage["action"]): boolean {
    const call = this.#talking(id);
    return call !== null && this.#ask(id, { what: "record", state: AFTER[action], before: call.recording }, { type: "record", callId: id, action });
  }

  #talking(id: string): LiveCall | null {
    const call = findCall(this.#options.state(), id);
    return call?.phase === "accepted" ? call : null;
  }

  #ask(id: string, ask: Ask, message: ClientMessage, unheard = false): boolean {
    if (!this.#talking(id)) return false;
    if (!this.#options.send(message) && !unheard) return false;
    this.#options.dispatch({ type: "asked", id, ask });
    return true;
  }
}
