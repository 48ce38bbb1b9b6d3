// The server's clock as seen from here: its times (Unix seconds) become the page's (Unix milliseconds). Pure.
//
// Two sources, neither of them exact. The `Date` of an HTTP response is cut to whole seconds, so it tells in what span the
// difference of the clocks lies. A `state` message tells when it was made, so the difference is no more than what has
// passed since. Of all that both allow the smallest difference is taken: most clocks agree, and then nothing is shifted.

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
    this.#minAheadMs = least; // one of the clocks was set: only what is new counts
    this.#maxAheadMs = most;
  }
}
