// What to do now about a call's sound. Pure: it is told how things stand, and says one of four words.
//
// There is one remedy, for a page that was reloaded, a network that changed and a media server that died alike: a new
// connection, made beside the old one and put in its place once it carries sound. Signalling comes first: without it
// there is nobody to offer the new connection to.

export type ConnectionPhase =
  | "none" // there is no connection, or its offer was lost with the socket
  | "asked" // offered, no answer yet: the server has its own deadline, and tells
  | "connecting"
  | "connected"
  | "interrupted" // ICE: disconnected
  | "failed";

export interface MediaHealth {
  isSignalingReady: boolean; // the server hears us, and has told which calls stand
  connection: ConnectionPhase; // of the connection in use
  since: number; // when that began; Unix milliseconds, as all times here
  isDead: boolean; // connected, but nothing comes in and nobody answers
  isStalled: boolean; // connected and answered, but no packets for long
  serverAskedAt: number; // when the server was last asked whether something ought to be heard
  isHeld: boolean; // a side holds the call: nothing need come
  lostByServer: boolean; // the server says that its side of the connection is gone
  wasConnected: boolean; // the call has been connected once, on this page or another
  attempts: number; // new connections since the sound was last well
  attemptedAt: number; // when the last of them began
  isAttempting: boolean; // it is still being made
}

/** `ask`: the server, which knows whether there is anything to be heard. A silence alone is no loss. */
export type Decision = "wait" | "ask" | "attach" | "abandon" | "give-up";

export const ATTEMPT_TIMEOUT_MS = 5000;
/** The sound has been well for so long that the next trouble is a new one. */
export const RECOVERED_AFTER_MS = 10_000;
const MAX_ATTEMPTS_BEFORE_FIRST_MEDIA = 3;
/** How often the server is asked of a call in which nothing is heard. */
const ASK_SERVER_INTERVAL_MS = 10_000;
const ATTEMPT_INTERVALS_MS = [0, 1000, 2000, 4000];
const MAX_ATTEMPT_INTERVAL_MS = 5000;

/** From the beginning of one try to the next, in milliseconds; the first is made at once. */
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
