// Media made ahead of a call: ICE and DTLS are done before anybody waits for them.
//
// From the first digit, or the first ring, on. Nothing is sent before the call: the microphone goes in with the click.
// Each page has one such connection; where it is not there in time, the call begins as any other does.

import type { PeerConnection } from "./PeerConnection.js";
import type { FoundCandidate } from "./iceConfig.js";
import type { ClientMessage, ServerMessage } from "../protocol/messages.js";
import { preferring, type Codec } from "../state/codec.js";

export interface WarmOptions {
  prefer(): Codec | undefined; // as the next offer is to have it
  take(): Promise<PeerConnection>; // a connection with its offer made
  send(message: ClientMessage): boolean; // false: nobody hears
  found(id: string, candidate: FoundCandidate): void;
}

export class MediaPrewarmer {
  #id: string | null = null; // of the call that it is for
  #peer: PeerConnection | null = null;
  #codec: Codec | undefined; // that was asked for
  #run = 0; // counts preparations: one that is over does nothing any more
  readonly #options: WarmOptions;

  constructor(options: WarmOptions) {
    this.#options = options;
  }

  /** The call that is prepared for. */
  get callId(): string | null {
    return this.#id;
  }

  /** A call with this id is to come, perhaps. */
  async prepare(id: string): Promise<void> {
    if (this.#id === id) return;
    this.drop();
    const run = ++this.#run;
    this.#id = id;
    this.#codec = this.#options.prefer();
    const peer = await this.#options.take().catch(() => null);
    if (run !== this.#run || !peer) return peer?.close();
    this.#peer = peer;
    const sdp = peer.offer(() => peer.state === "failed" && this.#lost(peer), (candidate) => this.#options.found(id, candidate));
    if (!this.#options.send({ type: "prepare-media", callId: id, sdp, ...preferring(this.#codec) })) this.drop();
  }

  /** Nobody is to be called after all. */
  cool(): void {
    if (this.#id === null) return;
    this.drop();
    this.#options.send({ type: "discard-media" });
  }

  /** The call begins: its connection, where that has its answer. Else the server drops what it has made of it. */
  take(id: string): PeerConnection | null {
    if (this.#id !== id) return null;
    const peer = this.#peer;
    const whole = peer?.answered && peer.state !== "failed" && this.#codec === this.#options.prefer();
    if (whole) this.#peer = null;
    this.drop();
    return whole ? peer : null;
  }

  heard(message: ServerMessage): void {
    if (message.type === "media-prepared" && message.callId === this.#id) void this.#peer?.answer(message.sdp);
    else if (message.type === "media-discarded" && message.callId === this.#id) this.drop();
    // It rings no more, or another page has it: the server has released what was ours.
    else if (message.type === "incoming-ended" && message.callId === this.#id) this.drop();
  }

  /** The server has lost it with our connection, or it is of no use any more. */
  drop(): void {
    this.#run++;
    this.#peer?.close();
    this.#id = this.#peer = null;
  }

  #lost(peer: PeerConnection): void {
    if (peer === this.#peer) this.cool();
  }
}
