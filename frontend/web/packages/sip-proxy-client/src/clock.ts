// The page's clocks. The system's is set now and then, by minutes or hours, and a machine sleeps: what is timed by one
// clock alone is wrong then. All are in milliseconds, and count from the Unix epoch.

/** What `setTimeout` can wait for at most. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

const PAGE_STARTED_AT = Date.now() - performance.now();
let anchor = PAGE_STARTED_AT;

/** For intervals of seconds. Monotonic; some browsers stop it while the machine sleeps. */
export const monotonicNow = (): number => PAGE_STARTED_AT + performance.now();

const ownersInCall = new Set<object>(); // those with live calls

/** The time of calls: the system's, but never adjusted during a call. Durations are right, whatever happens to the system's clock. */
export function callTime(): number {
  if (ownersInCall.size === 0) anchor = Date.now() - performance.now();
  return anchor + performance.now();
}

/** Whether `owner` has live calls. */
export function setInCall(owner: object, stand: boolean): void {
  callTime();
  if (stand) ownersInCall.add(owner);
  else ownersInCall.delete(owner);
}

/** A clock that never goes back, and does not stop during sleep: of two clocks it follows the one that advances more. */
export class Elapsed {
  #now = Date.now();
  #system = this.#now;
  #steady = performance.now();

  read(): number {
    const [system, steady] = [Date.now(), performance.now()];
    this.#now += Math.max(0, system - this.#system, steady - this.#steady);
    [this.#system, this.#steady] = [system, steady];
    return this.#now;
  }
}
