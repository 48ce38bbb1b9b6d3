// Events in the order in which they came about, however they were caused: what a listener causes is delivered after all that was
// queued before, and nothing is delivered while a change is still being made.

export class EventQueue {
  readonly #events: (() => void)[] = [];
  #depth = 0; // of changes that are being made, each within the one before, and of the delivery itself

  /** Makes a change. The events that it adds are delivered after the outermost one. */
  batch<T>(change: () => T): T {
    this.#depth++;
    const result = change();
    if (this.#depth === 1) for (let event = this.#events.shift(); event; event = this.#events.shift()) event();
    this.#depth--;
    return result;
  }

  add(event: () => void): void {
    this.batch(() => this.#events.push(event));
  }
}
