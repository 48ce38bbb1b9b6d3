// When to ping, and when a connection counts as lost. Pure.
//
// A half-open connection never reports its loss. During a call it is found within 3 s to the next ping and 3 s to its
// deadline; the server does the same: it closes the connection of a page with a call after 9 s of silence.

export const PING_IN_CALL_INTERVAL_MS = 3000;
export const PING_INTERVAL_MS = 20_000;
export const PONG_TIMEOUT_MS = 3000;
/** After a change of network or a sleep, when the connection is probably lost. */
export const CHECK_TIMEOUT_MS = 1500;
/** When the sound has stopped too: both at once is hardly ever anything but a lost path. */
export const URGENT_CHECK_TIMEOUT_MS = 1000;
/** Responses are faster than this on a working connection. */
const DOUBTFUL_AFTER_MS = 250;
/** Ticks so far apart that the page, or the machine, was asleep between them. */
const SLEEP_GAP_MS = 4000;

export interface Heartbeat {
  pingedAt: number; // the last ping; all times in milliseconds
  deadline: number | null; // of its response; null if none is expected
  tickedAt: number;
}

export const startHeartbeat = (now: number): Heartbeat => ({ pingedAt: now, deadline: null, tickedAt: now });

/** Any message is a sign of life. */
export const onReceived = (beat: Heartbeat): Heartbeat => ({ ...beat, deadline: null });

/** A ping at once, with a short deadline. */
export const check = (beat: Heartbeat, now: number, within = CHECK_TIMEOUT_MS): Heartbeat => ({
  ...beat,
  pingedAt: now,
  deadline: Math.min(beat.deadline ?? Infinity, now + within),
});

/** Whether a response is overdue, so that messages may not arrive. */
export const isDoubtful = (beat: Heartbeat, now: number): boolean =>
  beat.deadline !== null && now - beat.pingedAt >= DOUBTFUL_AFTER_MS;

/** To be asked at least once a second. */
export function tick(
  beat: Heartbeat,
  now: number,
  inCall: boolean,
): { beat: Heartbeat; act: "nothing" | "ping" | "lost" } {
  // Messages that came during the sleep have not been read yet: a deadline that passed in it means nothing.
  if (now - beat.tickedAt >= SLEEP_GAP_MS)
    return { beat: { pingedAt: now, deadline: now + CHECK_TIMEOUT_MS, tickedAt: now }, act: "ping" };
  const next = { ...beat, tickedAt: now };
  if (beat.deadline !== null) return { beat: next, act: now >= beat.deadline ? "lost" : "nothing" };
  if (now - beat.pingedAt < (inCall ? PING_IN_CALL_INTERVAL_MS : PING_INTERVAL_MS))
    return { beat: next, act: "nothing" };
  return { beat: { ...next, pingedAt: now, deadline: now + PONG_TIMEOUT_MS }, act: "ping" };
}
