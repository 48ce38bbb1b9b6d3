// Typed events. A listener that throws breaks no call: what it threw is reported as an uncaught error.

export type Listener<A extends unknown[]> = (...told: A) => void;
type EventMap<E> = { [Name in keyof E]: unknown[] };

export class Emitter<Events extends EventMap<Events>> {
  private readonly heardBy = new Map<keyof Events, Set<Listener<never>>>();

  /** Hears of `name` until the function that it gives is called, or `off`. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const all = this.heardBy.get(name) ?? new Set();
    this.heardBy.set(name, all.add(listener));
    return () => this.off(name, listener);
  }

  /** Hears of it once. */
  once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const stop = this.on(name, (...told) => (stop(), listener(...told)));
    return stop;
  }

  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    this.heardBy.get(name)?.delete(listener);
  }

  protected emit<Name extends keyof Events>(name: Name, ...told: Events[Name]): void {
    for (const listener of [...(this.heardBy.get(name) ?? [])] as Listener<Events[Name]>[]) {
      try {
        listener(...told);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
