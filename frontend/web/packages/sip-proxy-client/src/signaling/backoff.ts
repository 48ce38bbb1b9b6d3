// How long to wait before the next try to connect. Pure.

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 5000;
/** During a call the user may want to hang up: reconnect more often. Few pages are in a call. */
export const MAX_DELAY_IN_CALL_MS = 1000;

/**
 * The wait in milliseconds before try number `attempt` (0 is the first after a loss).
 * `random` in 0..1 spreads many pages over time, so that a server that comes back is not flooded.
 */
export function backoff(attempt: number, random: number, maxDelayMs = MAX_DELAY_MS): number {
  const full = Math.min(maxDelayMs, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.5 + 0.5 * random));
}
