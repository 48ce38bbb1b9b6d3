// What to do now about a call's sound. Pure: it is told how things stand, and says one of four words.
//
// There is one remedy, for a page that was reloaded, a network that changed and a media server that died alike: a new
// connection, made beside the old one and put in its place once it carries sound. Signalling comes first: without it
// there is nobody to offer the new connection to.

export type MediaStands =
  | "none" // there is no connection, or its offer was lost with the socket
  | "asked" // offered, no answer yet: the server has its own deadline, and tells
  | "connecting"
  | "connected"
  | "interrupted" // ICE: disconnected
  | "failed";

export interface Standing {
  link: boolean; // the server hears us, and has told which calls stand
  media: MediaStands; // of the connection in use
  since: number; // when that began; Unix milliseconds, as all times here
  dead: boolean; // connected, but nothing comes in and nobody answers
  still: boolean; // connected and answered, but no packets for long
  askedAt: number; // when the server was last asked whether something ought to be heard
  held: boolean; // a side holds the call: nothing need come
  lost: boolean; // the server says that its side of the connection is gone
  everHeard: boolean; // the call has been connected once, on this page or another
  tries: number; // new connections since the sound was last well
  triedAt: number; // when the last of them began
  trying: boolean; // it is still being made
}

/** `ask`: the server, which knows whether there is anything to be heard. A silence alone is no loss. */
export type Decision = "wait" | "ask" | "attach" | "abandon" | "give-up";

export const TRY_MS = 5000;
/** The sound has been well for so long that the next trouble is a new one. */
export const WELL_MS = 10_000;
const TRIES_BEFORE_FIRST_SOUND = 3;
/** How often the server is asked of a call in which nothing is heard. */
const ASK_MS = 10_000;
const PAUSES_MS = [0, 1000, 2000, 4000];
const LONGEST_PAUSE_MS = 5000;

/** From the beginning of one try to the next, in milliseconds; the first is made at once. */
export const pauseOf = (tries: number): number => PAUSES_MS[tries] ?? LONGEST_PAUSE_MS;

export function decide(call: Standing, now: number): Decision {
  if (call.trying) return now - call.triedAt >= TRY_MS ? "abandon" : "wait";
  if (!call.link) return "wait";
  if (isWell(call, now)) return call.still && !call.held && now - call.askedAt >= ASK_MS ? "ask" : "wait";
  if (!call.everHeard && call.tries >= TRIES_BEFORE_FIRST_SOUND) return "give-up";
  return now - call.triedAt >= pauseOf(call.tries) ? "attach" : "wait";
}

/** Whether the sound is as it should be, or still may become so by itself. */
export function isWell(call: Standing, now: number): boolean {
  if (call.lost) return false;
  switch (call.media) {
    case "asked":
      return true;
    case "connecting":
      return now - call.since < TRY_MS;
    case "connected":
      return !call.dead;
    default:
      return false;
  }
}
