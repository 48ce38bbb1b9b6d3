// One call's media connection: the only file that touches RTCPeerConnection.
// The offer is sent as soon as it exists; ICE candidates are found by the far side's checks,
// so a dead STUN server or a slow network interface delays no call.

export type MediaState = "new" | "connected" | "interrupted" | "failed";

let certificate: Promise<RTCCertificate> | null = null;

/** Makes the DTLS certificate ahead of the first call: its key costs time that a click should not pay. */
function prepareCertificate(): Promise<RTCCertificate | null> {
  certificate ??= RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" } as AlgorithmIdentifier);
  return certificate.catch(() => (certificate = null));
}

export class Peer {
  readonly remoteStream = new MediaStream();
  state: MediaState = "new";
  answered = false; // there is an answer, applied or being applied
  private listener: (state: MediaState) => void = () => undefined;

  private constructor(
    readonly connection: RTCPeerConnection,
    private readonly sender: RTCRtpSender,
    private readonly description: RTCSessionDescriptionInit,
  ) {
    connection.ontrack = (event) => this.remoteStream.addTrack(event.track);
    connection.onconnectionstatechange = () => {
      const state = STATES[connection.connectionState];
      if (state) this.change(state);
    };
  }

  /** A connection with its offer made, ahead of the call: a click then only sends it. Opens no port yet. */
  static async prepare(): Promise<Peer> {
    const ready = await prepareCertificate();
    const connection = new RTCPeerConnection({ certificates: ready ? [ready] : [], bundlePolicy: "max-bundle" });
    const { sender } = connection.addTransceiver("audio", { direction: "sendrecv" });
    return new Peer(connection, sender, await connection.createOffer());
  }

  /** The SDP offer, at once. Gathering goes on behind it. */
  offer(listener: (state: MediaState) => void): string {
    this.listener = listener;
    void this.connection.setLocalDescription(this.description).catch(() => this.change("failed"));
    return this.description.sdp ?? "";
  }

  /** Applies the answer; sound can be heard from then on, also before the far side answers. */
  async answer(sdp: string): Promise<void> {
    this.answered = true;
    try {
      await this.connection.setRemoteDescription({ type: "answer", sdp });
    } catch {
      this.change("failed");
    }
  }

  /** Sends this microphone, also in place of another one, without a gap. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    await this.sender.replaceTrack(track);
  }

  stats(): Promise<RTCStatsReport> {
    return this.connection.getStats();
  }

  close(): void {
    this.listener = () => undefined;
    this.connection.ontrack = this.connection.onconnectionstatechange = null;
    this.connection.close();
  }

  private change(state: MediaState): void {
    this.state = state;
    this.listener(state);
  }
}

const STATES: Partial<Record<RTCPeerConnectionState, MediaState>> = {
  connected: "connected",
  disconnected: "interrupted",
  failed: "failed",
};
