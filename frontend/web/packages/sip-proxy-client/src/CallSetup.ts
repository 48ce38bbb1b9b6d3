// How calls get their media: the offers by which a call is made, accepted, resumed, taken over from another page, and renewed.

import type { CallCommands } from "./calls/CallCommands.js";
import type { CallReconciler } from "./calls/CallReconciler.js";
import { callTime } from "./clock.js";
import { audioSourceOf } from "./devices/audioSource.js";
import { microphoneError } from "./devices/DeviceManager.js";
import { newId } from "./ids.js";
import type { MediaManager } from "./media/MediaManager.js";
import type { MediaPrewarmer } from "./media/MediaPrewarmer.js";
import type { Offer } from "./protocol/messages.js";
import type { Codec } from "./state/codec.js";
import { type Call, type CallProblem, type ListedCall, resumedCall } from "./state/model.js";
import type { PhoneContext } from "./state/phoneContext.js";
import { canDial, findCall } from "./state/phoneReducer.js";

export interface CallSetupOptions extends PhoneContext {
  user: string;
  media: MediaManager;
  prewarmer: MediaPrewarmer;
  reconciler: CallReconciler;
  commands: CallCommands;
  nameOf(number: string): string; // "" where unknown
  preferredCodec(): Codec | undefined; // asked with each offer
  whenReady(): Promise<boolean>; // whether the server can be reached, after a wait of some seconds
}

/** What a call may be given beside its number. */
export interface DialOptions {
  consultsId?: string | undefined; // the call whose party this one is about
  audio?: MediaStreamTrack | false | undefined; // in place of the microphone; false: silence
}

export class CallSetup {
  readonly #takingOver = new Set<string>(); // calls that are taken from another page, until the server has answered
  #preparedId: string | null = null; // of the next call: its media are prepared already
  readonly #options: CallSetupOptions;

  constructor(options: CallSetupOptions) {
    this.#options = options;
  }

  /** Any other active call is put on hold. Returns the id of the new call; null without a number, or if no further call can be made. */
  dial(number: string, { consultsId, audio }: DialOptions = {}): string | null {
    const { nameOf, user: caller } = this.#options;
    const target = number.trim();
    if (!target || !canDial(this.#options.state())) return null;
    const id = this.#preparedId ?? newId();
    this.#preparedId = null;
    const customAudio = audio !== undefined;
    this.#options.dispatch({
      type: "dialled",
      id,
      number: target,
      name: nameOf(target),
      consultsId,
      customAudio,
      at: callTime(),
    });
    void this.#connect(id, { target, callId: id, caller }, audio);
    return id;
  }

  /** A call will probably be made soon (`likely`), or will not. */
  expectCall(likely: boolean): void {
    const { prewarmer } = this.#options;
    if (likely && prewarmer.callId === null && canDial(this.#options.state())) {
      this.#preparedId = newId();
      void prewarmer.prepare(this.#preparedId);
    } else if (!likely && this.#preparedId !== null && prewarmer.callId === this.#preparedId) {
      this.#preparedId = null;
      prewarmer.discard();
    }
  }

  /** Any other active call is put on hold. */
  accept(id: string, audio?: MediaStreamTrack | false): boolean {
    if (this.#find(id)?.phase !== "incoming") return false;
    this.#options.dispatch({ type: "accept-pressed", id, customAudio: audio !== undefined });
    void this.#connect(id, { callId: id }, audio);
    return true;
  }

  /** Takes over the calls that other pages hold. */
  takeOver(calls: readonly ListedCall[]): void {
    for (const listed of calls) {
      this.#takingOver.add(listed.id);
      this.resume(resumedCall(listed));
    }
  }

  /** Shows a call that exists already, and connects its media as soon as the server can be reached. */
  resume(call: Call): void {
    this.#options.dispatch({ type: "resumed", call });
    if (this.#find(call.id))
      this.#options.media.open(call.id, audioSourceOf(call.customAudio ? false : undefined)).resume();
  }

  /** New media for a call that exists. False: the server cannot be reached, or the call is over. */
  readonly renewMedia = (id: string, sdp: string): boolean =>
    this.#find(id) !== null && this.#offer({ callId: id, sdp, takeOver: this.#takingOver.has(id) || undefined });

  /** The server has answered the call's offer, or the call has ended. */
  settle(id: string): void {
    this.#takingOver.delete(id);
  }

  /** No media came through, after all attempts. */
  readonly failMedia = (id: string): void => {
    this.#options.commands.release(id, "hangup");
    this.#options.dispatch({ type: "media-failed", id, at: callTime() });
  };

  async #connect(
    id: string,
    offer: Pick<Offer, "target" | "callId" | "caller">,
    audio?: MediaStreamTrack | false,
  ): Promise<void> {
    const { media, prewarmer, reconciler, commands, whenReady } = this.#options;
    await null;
    if (!this.#find(id)) return; // a listener has ended it at once
    const accepting = offer.target === undefined;
    const ready = whenReady();
    const send = async (sdp: string): Promise<boolean> => {
      await ready;
      return this.#find(id) !== null && this.#offer({ sdp, ...offer });
    };
    try {
      if ((await media.open(id, audioSourceOf(audio)).start(send, prewarmer.take(id))) || !this.#find(id)) return;
      if (accepting)
        reconciler.onOfferRefused(id); // it is offered again once the server is back and the call still rings here
      else this.#fail(id, "not_connected");
    } catch (error) {
      const { problem } = microphoneError(error);
      if (!this.#find(id)) return;
      if (accepting && !media.get(id)?.current) {
        media.closeCall(id); // the call rings as before
        this.#options.dispatch({ type: "accept-failed", id, problem });
      } else {
        commands.release(id, "hangup");
        this.#fail(id, problem);
      }
    }
  }

  #offer(offer: Omit<Offer, "type">): boolean {
    const { reconciler, preferredCodec } = this.#options;
    if (offer.callId) reconciler.onOfferSent(offer.callId);
    return this.#options.send({ type: "offer", prefer: preferredCodec(), ...offer });
  }

  #find(id: string): Call | null {
    return findCall(this.#options.state(), id);
  }

  #fail(id: string, problem: CallProblem): void {
    this.#options.dispatch({ type: "failed", id, problem, at: callTime() });
  }
}
