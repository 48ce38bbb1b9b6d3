// How connections reach the server's media: the server's latest ICE servers, and whether only relays may be used.
// Knows no connection.

import type { Candidate, IceServers } from "../protocol/messages.js";

export interface IceConfigOptions {
  /** Through TURN servers alone, though a direct way may be there: finds out whether they work. Off but for diagnosis. */
  relayOnly?: boolean;
}

export class IceConfig {
  configuration: Required<Pick<RTCConfiguration, "iceServers" | "iceTransportPolicy">>;

  constructor(options: IceConfigOptions = {}) {
    this.configuration = { iceServers: [], iceTransportPolicy: options.relayOnly ? "relay" : "all" };
  }

  /** The server's word: each connection that is offered from now on uses these. */
  setServers(message: Pick<IceServers, "servers">): void {
    this.configuration = { ...this.configuration, iceServers: message.servers };
  }

  /** Whether this is the configuration of a connection anyway. */
  get isDefault(): boolean {
    return !this.usesTrickle && this.configuration.iceTransportPolicy === "all";
  }

  /**
   * Whether candidates are worth sending. Without ICE servers the browser and the server's media reach each other
   * directly, and the server learns the browser's addresses from its checks.
   */
  get usesTrickle(): boolean {
    return this.configuration.iceServers.length > 0;
  }
}

/** What is sent of a candidate, but for the call; empty: there are no more. */
export type LocalCandidate = Omit<Candidate, "type" | "callId">;

/** The server accepts no more of one offer. */
export const MAX_CANDIDATES = 64;

/** Null if the server cannot use it: over TCP, or behind an mDNS name. */
export function candidateMessage(candidate: RTCIceCandidateInit | null): LocalCandidate | null {
  if (!candidate?.candidate) return {};
  const [, , transport, , address] = candidate.candidate.split(" ");
  if (transport?.toLowerCase() !== "udp" || !address || address.endsWith(".local")) return null;
  return {
    candidate: candidate.candidate,
    sdpMid: candidate.sdpMid ?? undefined,
    sdpMLineIndex: candidate.sdpMLineIndex ?? undefined,
  };
}
