// Media made ahead of a call: ICE and DTLS are done before anybody waits for them.
//
// From the first digit, or the first ring, on. Nothing is sent before the call: the microphone goes in with the click.
// Each page has one such connection; where it is not there in time, the call begins as any other does.

import type { ServerMessage } from "../protocol/messages.js";
import type { Codec } from "../state/codec.js";
import type { PhoneContext } from "../state/phoneContext.js";
import type { PeerConnection } from "./PeerConnection.js";

export interface MediaPrewarmerOptions extends Pick<PhoneContext, "send"> {
  preferredCodec(): Codec | undefined; // as the next offer is to have it
  takePeer(): Promise<PeerConnection>; // a connection with its offer made
}

export class MediaPrewarmer {
  #id: string | null = null; // of the call that it is for
  #peer: PeerConnection | null = null;
  #codec: Codec | undefined; // that was asked for
  #attemptId = 0; // counts preparations: one that is over does nothing any more
  readonly #options: MediaPrewarmerOptions;

  constructor(options: MediaPrewarmerOptions) {
    this.#options = options;
  }

  /** The call that is prepared for. */
  get callId(): string | null {
    return this.#id;
  }

  /** A call with this id is to come, perhaps. */
  async prepare(id: string): Promise<void> {
    if (this.#id === id) return;
    this.close();
    const run = ++this.#attemptId;
    this.#id = id;
    this.#codec = this.#options.preferredCodec();
    const peer = await this.#options.takePeer().catch(() => null);
    if (run !== this.#attemptId || !peer) return peer?.close();
    this.#peer = peer;
    const sdp = peer.offer(
      () => peer.state === "failed" && this.#onFailed(peer),
      (candidate) => this.#options.send({ type: "candidate", callId: id, ...candidate }),
    );
    if (!this.#options.send({ type: "prepare-media", callId: id, sdp, prefer: this.#codec })) this.close();
  }

  /** Nobody is to be called after all. */
  discard(): void {
    if (this.#id === null) return;
    this.close();
    this.#options.send({ type: "discard-media" });
  }

  /** The call begins: its connection, where that has its answer. Else the server drops what it has made of it. */
  take(id: string): PeerConnection | null {
    if (this.#id !== id) return null;
    const peer = this.#peer;
    const whole = peer?.answered && peer.state !== "failed" && this.#codec === this.#options.preferredCodec();
    if (whole) this.#peer = null;
    this.close();
    return whole ? peer : null;
  }

  onMessage(message: ServerMessage): void {
    if (message.type === "media-prepared" && message.callId === this.#id) void this.#peer?.answer(message.sdp);
    else if (message.type === "media-discarded" && message.callId === this.#id) this.close();
    // It rings no more, or another page has it: the server has released what was ours.
    else if (message.type === "incoming-ended" && message.callId === this.#id) this.close();
  }

  /** The server has lost it with our connection, or it is of no use any more. */
  close(): void {
    this.#attemptId++;
    this.#peer?.close();
    this.#id = this.#peer = null;
  }

  #onFailed(peer: PeerConnection): void {
    if (peer === this.#peer) this.discard();
  }
}
