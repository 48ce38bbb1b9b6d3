// One call's media connection: the only file that touches RTCPeerConnection.
// The offer is sent as soon as it exists; ICE candidates are found by the far side's checks,
// so a dead STUN server or a slow network interface delays no call.

export type MediaState = "new" | "connected" | "interrupted" | "failed";

export interface PeerOptions {
  track: MediaStreamTrack;
  onState(state: MediaState): void;
}

let certificate: Promise<RTCCertificate> | null = null;

/** Makes the DTLS certificate ahead of the first call: its key costs time that a click should not pay. */
export function prepareCertificate(): void {
  certificate ??= RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" } as AlgorithmIdentifier);
  certificate.catch(() => (certificate = null));
}

export class Peer {
  readonly connection: RTCPeerConnection;
  readonly remoteStream = new MediaStream();
  private readonly sender: RTCRtpSender;

  private constructor(options: PeerOptions, certificates: RTCCertificate[]) {
    this.connection = new RTCPeerConnection({ certificates, bundlePolicy: "max-bundle" });
    this.sender = this.connection.addTrack(options.track);
    this.connection.ontrack = (event) => this.remoteStream.addTrack(event.track);
    this.connection.onconnectionstatechange = () => {
      const state = STATES[this.connection.connectionState];
      if (state) options.onState(state);
    };
  }

  static async open(options: PeerOptions): Promise<Peer> {
    prepareCertificate();
    const ready = await certificate?.catch(() => null);
    return new Peer(options, ready ? [ready] : []);
  }

  /** The SDP offer, at once. Gathering goes on behind it. */
  async offer(): Promise<string> {
    const offer = await this.connection.createOffer();
    void this.connection.setLocalDescription(offer).catch(() => undefined);
    return offer.sdp ?? "";
  }

  /** Applies the answer; sound can be heard from then on, also before the far side answers. */
  async answer(sdp: string): Promise<void> {
    await this.connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** Another microphone without a gap. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    await this.sender.replaceTrack(track);
  }

  stats(): Promise<RTCStatsReport> {
    return this.connection.getStats();
  }

  close(): void {
    this.connection.ontrack = this.connection.onconnectionstatechange = null;
    this.connection.close();
  }
}

const STATES: Partial<Record<RTCPeerConnectionState, MediaState>> = {
  connected: "connected",
  disconnected: "interrupted",
  failed: "failed",
};
