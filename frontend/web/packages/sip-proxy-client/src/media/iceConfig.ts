// How connections reach the server's media: the ICE servers that it told last, and whether only relays may be used.
// Knows no connection.

import type { Candidate, IceServers } from "../protocol/messages.js";

export interface ReachOptions {
  /** Through TURN servers alone, though a direct way may be there: finds out whether they work. Off but for diagnosis. */
  relayOnly?: boolean;
}

export class IceConfig {
  configuration: Required<Pick<RTCConfiguration, "iceServers" | "iceTransportPolicy">>;

  constructor(options: ReachOptions = {}) {
    this.configuration = { iceServers: [], iceTransportPolicy: options.relayOnly ? "relay" : "all" };
  }

  /** The server's word: each connection that is offered from now on uses these. */
  take(message: Pick<IceServers, "servers">): void {
    this.configuration = { ...this.configuration, iceServers: message.servers };
  }

  /** Nothing but what a connection does anyway. */
  get plain(): boolean {
    return !this.trickles && this.configuration.iceTransportPolicy === "all";
  }

  /**
   * Whether candidates are worth sending. Without ICE servers the browser and the server's media reach each other
   * directly, and the server learns the browser's addresses from its checks.
   */
  get trickles(): boolean {
    return this.configuration.iceServers.length > 0;
  }
}

/** What the server is sent of a candidate, but for the call; without one: there are no more. */
export type FoundCandidate = Omit<Candidate, "type" | "callId">;

/** So many at most; the server takes no more of one offer. */
export const MOST_CANDIDATES = 64;

/** Null where it is of no use to the server: over TCP, or hidden behind a name that only the own network knows. */
export function asMessage(candidate: RTCIceCandidateInit | null): FoundCandidate | null {
  if (!candidate?.candidate) return {};
  const [, , transport, , address] = candidate.candidate.split(" ");
  if (transport?.toLowerCase() !== "udp" || !address || address.endsWith(".local")) return null;
  return {
    candidate: candidate.candidate,
    ...(candidate.sdpMid != null ? { sdpMid: candidate.sdpMid } : {}),
    ...(candidate.sdpMLineIndex != null ? { sdpMLineIndex: candidate.sdpMLineIndex } : {}),
  };
}

/** `?relay=1` in the page's address asks for relays alone. */
export function relayWanted(search: string): boolean {
  return new URLSearchParams(search).get("relay") === "1";
}
