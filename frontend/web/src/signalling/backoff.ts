// How long to wait before the next try to connect. Pure.

const FIRST_MS = 250;
const LONGEST_MS = 5000;

/**
 * The wait in milliseconds before try number `attempt` (0 is the first after a loss).
 * `random` in 0..1 spreads many pages over time, so that a server that comes back is not flooded.
 */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.5 + 0.5 * random));
}
