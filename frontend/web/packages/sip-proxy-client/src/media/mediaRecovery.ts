// What to do now about a call's media, decided from their health. Pure.
//
// There is one remedy, for a page that was reloaded, a network that changed and a media server that died alike: a new
// connection, made beside the old one and put in its place once it is connected. Signaling comes first: without it
// the new connection cannot be offered.

export type ConnectionPhase =
  | "none" // there is no connection, or its offer was lost with the socket
  | "asked" // offered, not answered yet: the server has its own deadline, and reports it
  | "connecting"
  | "connected"
  | "interrupted" // ICE: disconnected
  | "failed";

export interface MediaHealth {
  isSignalingReady: boolean; // the server can be reached, and has sent its list of calls
  connection: ConnectionPhase; // of the connection in use
  since: number; // when that began; Unix milliseconds, as all times here
  isDead: boolean; // connected, but nothing arrives and the media server does not respond
  isStalled: boolean; // connected and answered, but no packets for long
  serverAskedAt: number; // when the server was last asked whether it sends media
  isHeld: boolean; // one of the sides holds the call: no packets are expected
  lostByServer: boolean; // the server reports that its side of the connection has failed
  wasConnected: boolean; // the call has been connected once, on this page or another
  attempts: number; // new connections since the sound was last well
  attemptedAt: number; // when the last of them began
  isAttempting: boolean; // it is still being made
}

/** `ask`: the server knows whether it sends media. Silence alone is no failure. */
export type Decision = "wait" | "ask" | "attach" | "abandon" | "give-up";

export const ATTEMPT_TIMEOUT_MS = 5000;
/** After this time without trouble the next trouble is a new one. */
export const RECOVERED_AFTER_MS = 10_000;
const MAX_ATTEMPTS_BEFORE_FIRST_MEDIA = 3;
/** How often the server is asked about a call without packets. */
const ASK_SERVER_INTERVAL_MS = 10_000;
const ATTEMPT_INTERVALS_MS = [0, 1000, 2000, 4000];
const MAX_ATTEMPT_INTERVAL_MS = 5000;

/** Between the start of one attempt and the next, in milliseconds; the first is made at once. */
export const attemptIntervalMs = (tries: number): number => ATTEMPT_INTERVALS_MS[tries] ?? MAX_ATTEMPT_INTERVAL_MS;

export function decide(call: MediaHealth, now: number): Decision {
  if (call.isAttempting) return now - call.attemptedAt >= ATTEMPT_TIMEOUT_MS ? "abandon" : "wait";
  if (!call.isSignalingReady) return "wait";
  if (isHealthy(call, now))
    return call.isStalled && !call.isHeld && now - call.serverAskedAt >= ASK_SERVER_INTERVAL_MS ? "ask" : "wait";
  if (!call.wasConnected && call.attempts >= MAX_ATTEMPTS_BEFORE_FIRST_MEDIA) return "give-up";
  return now - call.attemptedAt >= attemptIntervalMs(call.attempts) ? "attach" : "wait";
}

/** Whether the sound is as it should be, or still may become so by itself. */
export function isHealthy(call: MediaHealth, now: number): boolean {
  if (call.lostByServer) return false;
  switch (call.connection) {
    case "asked":
      return true;
    case "connecting":
      return now - call.since < ATTEMPT_TIMEOUT_MS;
    case "connected":
      return !call.isDead;
    default:
      return false;
  }
}
