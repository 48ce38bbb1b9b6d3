// The server's clock as seen from here: its times (Unix seconds) become the page's (Unix milliseconds). Pure.
//
// There are two sources, both inexact. The `Date` of an HTTP response is cut to whole seconds, so it bounds the
// difference of the clocks on both sides. A `state` message has the time when it was made, so the difference is at most what has
// passed since. The smallest difference that both allow is taken: most clocks agree, and then nothing is shifted.

export class ServerClock {
  #minAheadMs = -Infinity; // milliseconds that the page's clock is ahead of the server's
  #maxAheadMs = Infinity;

  /** An HTTP response's `Date`; the request was sent and the response received at these page times. */
  onHttpDate(header: string | null, sent: number, received: number): void {
    const at = Date.parse(header ?? "");
    if (!Number.isNaN(at)) this.#narrow(sent - at - 1000, received - at);
  }

  /** A message that the server made at `seconds` has come now. */
  onMessageTime(seconds: number, received: number): void {
    this.#narrow(-Infinity, received - seconds * 1000);
  }

  /** A time of the server as this page's clock would have shown it. */
  toPage(seconds: number): number {
    return seconds * 1000 + Math.min(Math.max(0, this.#minAheadMs), this.#maxAheadMs);
  }

  #narrow(least: number, most: number): void {
    this.#minAheadMs = Math.max(this.#minAheadMs, least);
    this.#maxAheadMs = Math.min(this.#maxAheadMs, most);
    if (this.#minAheadMs <= this.#maxAheadMs) return;
    this.#minAheadMs = least; // one of the clocks was adjusted: only new values count
    this.#maxAheadMs = most;
  }
}
