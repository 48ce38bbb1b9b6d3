// Media that are set up before the call, so that the call does not wait for ICE and DTLS.
//
// It starts with the first digit, or the first ring. Nothing is sent before the call: the microphone is added with the click.
// Each page has at most one such connection; if it is not ready in time, the call is set up as any other.

import type { ServerMessage } from "../protocol/messages.js";
import type { Codec } from "../state/codec.js";
import type { PhoneContext } from "../state/phoneContext.js";
import type { PeerConnection } from "./PeerConnection.js";

export interface MediaPrewarmerOptions extends Pick<PhoneContext, "send"> {
  preferredCodec(): Codec | undefined; // of the next offer
  takePeer(): Promise<PeerConnection>; // a connection with its offer made
}

export class MediaPrewarmer {
  #id: string | null = null; // of the call that it is for
  #peer: PeerConnection | null = null;
  #codec: Codec | undefined; // that was asked for
  #attemptId = 0; // counts attempts: a superseded one does nothing any more
  readonly #options: MediaPrewarmerOptions;

  constructor(options: MediaPrewarmerOptions) {
    this.#options = options;
  }

  /** The call that is prepared for. */
  get callId(): string | null {
    return this.#id;
  }

  /** A call with this id is expected. */
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

  /** The expected call will not be made. */
  discard(): void {
    if (this.#id === null) return;
    this.close();
    this.#options.send({ type: "discard-media" });
  }

  /** For the call that is made now: its connection, if that has been answered. Otherwise the server discards its side. */
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

  /** The server has lost its side with our connection, or it is not needed any more. */
  close(): void {
    this.#attemptId++;
    this.#peer?.close();
    this.#id = this.#peer = null;
  }

  #onFailed(peer: PeerConnection): void {
    if (peer === this.#peer) this.discard();
  }
}
