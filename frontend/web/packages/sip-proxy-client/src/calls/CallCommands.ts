// What a user requests of existing calls: shown at once, and sent. Methods return false if it is impossible or cannot be sent.

import { callTime } from "../clock.js";
import type { ClientMessage, Feedback, RecordingState, Record as RecordMessage } from "../protocol/messages.js";
import { connectedParty, type LiveCall, otherParties, type PendingRequest, type ReleaseMode } from "../state/model.js";
import type { PhoneContext } from "../state/phoneContext.js";
import { findCall } from "../state/phoneReducer.js";

export interface CallCommandsOptions extends PhoneContext {
  nameOf(number: string): string;
  released: Map<string, ReleaseMode>; // calls that were ended here: the server is told again if it still lists them
}

const STATE_AFTER: Record<RecordMessage["action"], RecordingState> = {
  start: "on",
  pause: "paused",
  resume: "on",
  stop: "off",
};

export class CallCommands {
  readonly #options: CallCommandsOptions;

  constructor(options: CallCommandsOptions) {
    this.#options = options;
  }

  decline(id: string): boolean {
    if (findCall(this.#options.state(), id)?.phase !== "incoming") return false;
    this.#options.released.set(id, "hangup");
    this.#options.send({ type: "decline", callId: id });
    this.#options.dispatch({ type: "decline-pressed", id, at: callTime() });
    return true;
  }

  /** Ends the call for everybody in it. */
  hangup(id: string): boolean {
    if (!findCall(this.#options.state(), id)) return false;
    this.release(id, "hangup");
    this.#options.dispatch({ type: "hangup-pressed", id, at: callTime() });
    return true;
  }

  /** Sends the server the end of the call here; again after a reconnect, if it still lists the call. */
  release(id: string, how: ReleaseMode): void {
    this.#options.released.set(id, how);
    this.#options.send({ type: how, callId: id });
  }

  setMuted(id: string, muted: boolean): void {
    this.#options.dispatch({ type: "muted", id, muted });
  }

  /** 0-9, *, #, A-D. */
  sendDigits(id: string, digits: string): boolean {
    const call = findCall(this.#options.state(), id);
    if (!call || call.phase === "incoming" || call.phase === "connecting") return false;
    if (!this.#options.send({ type: "dtmf", callId: id, digits })) return false;
    this.#options.dispatch({ type: "digits-sent", id, digits });
    return true;
  }

  /** Rates a call, which may have ended. */
  sendFeedback(feedback: Omit<Feedback, "type">): boolean {
    return this.#options.send({ type: "feedback", ...feedback });
  }

  /** Without a connection the request is sent after the reconnect. */
  hold(id: string, held: boolean): boolean {
    const call = this.#accepted(id);
    if (call?.held === held && (call.pending?.kind ?? "hold") === "hold") return true; // it is so, or is asked for
    return this.#request(id, { kind: "hold", held }, { type: "hold", callId: id, held }, true);
  }

  /** Goes to another call, or takes the active one back: what was talked on is held. */
  swap(id: string): boolean {
    this.#options.dispatch({ type: "activated", id });
    return this.#accepted(id)?.held ? this.hold(id, false) : this.#accepted(id) !== null;
  }

  /** Blind transfer: `target` is called, and connected with the other party. */
  transfer(id: string, target: string): boolean {
    const number = target.trim();
    return (
      number !== "" &&
      this.#request(
        id,
        { kind: "transfer", number, name: this.#options.nameOf(number) },
        { type: "transfer", callId: id, target: number },
      )
    );
  }

  /** Connects the parties of two calls; both calls end here. */
  connect(id: string, toId: string): boolean {
    const to = this.#accepted(toId);
    return (
      to !== null &&
      id !== toId &&
      this.#request(id, { kind: "connect", ...connectedParty(to) }, { type: "transfer", callId: id, toCallId: toId })
    );
  }

  /** One more party. */
  addParty(id: string, target: string): boolean {
    const number = target.trim();
    return (
      number !== "" &&
      this.#request(
        id,
        { kind: "add", number, name: this.#options.nameOf(number) },
        { type: "add-party", callId: id, target: number },
      )
    );
  }

  /** The party of our other call joins this one. */
  merge(id: string, fromId: string): boolean {
    const from = this.#accepted(fromId);
    return (
      from !== null &&
      id !== fromId &&
      this.#request(
        id,
        { kind: "merge", ...connectedParty(from) },
        { type: "add-party", callId: id, fromCallId: fromId },
      )
    );
  }

  dropParty(id: string, party: number): boolean {
    return party > 0 && this.#accepted(id) !== null && this.#options.send({ type: "drop-party", callId: id, party });
  }

  /** Hangs up on the target of a transfer. */
  cancelTransfer(id: string): boolean {
    const call = this.#accepted(id);
    const called = call?.parties.find((party) => !otherParties(call).includes(party));
    return called !== undefined && this.dropParty(id, called.party);
  }

  /** The others continue without this page. */
  leave(id: string): boolean {
    if (!this.#accepted(id)) return false;
    this.release(id, "leave");
    this.#options.dispatch({ type: "leave-pressed", id, at: callTime() });
    return true;
  }

  record(id: string, action: RecordMessage["action"]): boolean {
    const call = this.#accepted(id);
    return (
      call !== null &&
      this.#request(
        id,
        { kind: "record", state: STATE_AFTER[action], before: call.recording },
        { type: "record", callId: id, action },
      )
    );
  }

  #accepted(id: string): LiveCall | null {
    const call = findCall(this.#options.state(), id);
    return call?.phase === "accepted" ? call : null;
  }

  #request(id: string, request: PendingRequest, message: ClientMessage, evenOffline = false): boolean {
    if (!this.#accepted(id)) return false;
    if (!this.#options.send(message) && !evenOffline) return false;
    this.#options.dispatch({ type: "requested", id, request });
    return true;
  }
}
