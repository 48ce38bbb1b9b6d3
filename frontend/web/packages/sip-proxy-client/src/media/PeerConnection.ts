// One call's media connection: the only file that touches RTCPeerConnection.
// The offer is sent as soon as it exists; ICE candidates are found by the far side's checks,
// so a dead STUN server or a slow network interface delays no call. What is found later is sent after it (trickle).

import { MicrophoneError } from "../devices/Microphone.js";
import type { MediaState } from "../state/model.js";
import { candidateMessage, IceConfig, type LocalCandidate, MAX_CANDIDATES } from "./iceConfig.js";

let certificate: Promise<RTCCertificate> | null = null;

/**
 * Makes the DTLS certificate before the first call: generating its key takes time that a click should not. It lasts a month, as
 * a page may; with one that has run out no connection can be made.
 */
async function prepareCertificate(): Promise<RTCCertificate | null> {
  const made = certificate;
  const known = await made?.catch(() => null);
  if (known && known.expires - Date.now() > MIN_CERTIFICATE_LIFE_MS) return known;
  if (certificate === made)
    certificate = (async () =>
      RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" } as AlgorithmIdentifier))();
  return certificate!.catch(() => (certificate = null));
}

/** A call may begin with it, and last. */
const MIN_CERTIFICATE_LIFE_MS = 86_400_000;

export class PeerConnection {
  readonly remoteStream = new MediaStream();
  state: MediaState = "new";
  answered = false; // there is an answer, applied or being applied
  answerSdp = ""; // it
  applied: Promise<void> = Promise.resolve(); // done when the answer is, or has failed
  #listener: (state: MediaState) => void = () => undefined;
  readonly #earlyCandidates: LocalCandidate[] = []; // found before there was an answer
  #onCandidate: ((candidate: LocalCandidate) => void) | null = null;
  readonly #sender: RTCRtpSender;
  readonly #description: RTCSessionDescriptionInit;
  readonly #iceConfig: IceConfig;

  private constructor(
    readonly connection: RTCPeerConnection,
    sender: RTCRtpSender,
    description: RTCSessionDescriptionInit,
    iceConfig: IceConfig,
  ) {
    this.#sender = sender;
    this.#description = description;
    this.#iceConfig = iceConfig;
    connection.ontrack = (event) => this.remoteStream.addTrack(event.track);
    connection.onconnectionstatechange = () => {
      const state = STATES[connection.connectionState];
      if (state) this.#setState(state);
    };
  }

  /**
   * A connection with its offer made, in advance of the call: a click then only has to send it. Opens no port yet.
   * The ICE servers of `iceConfig` are read when the offer is sent: they may arrive, or change, until then.
   */
  static async prepare(iceConfig = new IceConfig()): Promise<PeerConnection> {
    if (typeof RTCPeerConnection === "undefined") throw new MicrophoneError("no_webrtc"); // switched off: by a setting, or an extension
    const ready = await prepareCertificate();
    const connection = new RTCPeerConnection({ certificates: ready ? [ready] : [], bundlePolicy: "max-bundle" });
    const { sender } = connection.addTransceiver("audio", { direction: "sendrecv" });
    return new PeerConnection(connection, sender, await connection.createOffer(), iceConfig);
  }

  /** The SDP offer, at once. Gathering continues; once there is an answer, `onCandidate` is called with what to send. */
  offer(listener: (state: MediaState) => void, found?: (candidate: LocalCandidate) => void): string {
    this.#listener = listener;
    if (!this.#iceConfig.isDefault) this.#configure();
    if (found && this.#iceConfig.usesTrickle) this.#sendCandidates(found);
    void this.connection.setLocalDescription(this.#description).catch(() => this.#setState("failed"));
    return this.#description.sdp ?? "";
  }

  /** Goes over to a call, with what was offered for it already. */
  handOver(listener: (state: MediaState) => void): string {
    this.#listener = listener;
    return this.#description.sdp ?? "";
  }

  /** Applies the answer; media may arrive from now on, also before the far side answers. */
  answer(sdp: string): Promise<void> {
    this.answered = true;
    this.answerSdp = sdp;
    return (this.applied = this.#apply(sdp));
  }

  async #apply(sdp: string): Promise<void> {
    try {
      await this.connection.setRemoteDescription({ type: "answer", sdp });
    } catch {
      return this.#setState("failed");
    }
    for (const candidate of this.#earlyCandidates.splice(0)) this.#onCandidate?.(candidate);
  }

  /** Sends this microphone, without a gap if it replaces another one. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    await this.#sender.replaceTrack(track);
  }

  stats(): Promise<RTCStatsReport> {
    return this.connection.getStats();
  }

  close(): void {
    this.#listener = () => undefined;
    this.connection.ontrack = this.connection.onconnectionstatechange = this.connection.onicecandidate = null;
    this.connection.close();
  }

  #configure(): void {
    try {
      this.connection.setConfiguration({ ...this.connection.getConfiguration(), ...this.#iceConfig.configuration });
    } catch (error) {
      console.warn("This browser does not take the ICE servers, the call goes on without:", error);
    }
  }

  /** The server ignores candidates before it has answered, and may not know the call until then. */
  #sendCandidates(found: (candidate: LocalCandidate) => void): void {
    let count = 0;
    this.#onCandidate = found;
    this.connection.onicecandidate = ({ candidate }) => {
      const message = candidateMessage(candidate?.toJSON() ?? null);
      if (!message || count++ >= MAX_CANDIDATES) return;
      if (this.answered && this.#earlyCandidates.length === 0) found(message);
      else this.#earlyCandidates.push(message);
    };
  }

  #setState(state: MediaState): void {
    this.state = state;
    this.#listener(state);
  }
}

const STATES: Partial<Record<RTCPeerConnectionState, MediaState>> = {
  connected: "connected",
  disconnected: "interrupted",
  failed: "failed",
};
