// Typed events. A listener that throws breaks no call: what it threw is reported as an uncaught error.

export type Listener<A extends unknown[]> = (...told: A) => void;
type EventMap<E> = { [Name in keyof E]: unknown[] };

export class EventEmitter<Events extends EventMap<Events>> {
  readonly #listeners = new Map<keyof Events, Map<Listener<never>, "always" | "once">>();

  /** Calls `listener` with each event of this name, until `off`, or until the returned function is called. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    return this.#listen(name, listener, "always");
  }

  /** The same, for one event only. */
  once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    return this.#listen(name, listener, "once");
  }

  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    this.#listeners.get(name)?.delete(listener);
  }

  /** A listener that has been removed meanwhile is not called any more. */
  protected emit<Name extends keyof Events>(name: Name, ...told: Events[Name]): void {
    const all = this.#listeners.get(name);
    for (const listener of [...(all?.keys() ?? [])] as Listener<Events[Name]>[]) {
      const times = all?.get(listener);
      if (times === "once") all?.delete(listener);
      if (times) callListener(() => listener(...told));
    }
  }

  #listen<Name extends keyof Events>(
    name: Name,
    listener: Listener<Events[Name]>,
    times: "always" | "once",
  ): () => void {
    const all = this.#listeners.get(name) ?? new Map();
    this.#listeners.set(name, all.set(listener, times));
    return () => this.off(name, listener);
  }
}

/** What it throws is its own affair. */
export function callListener(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else console.error(error); // not in a browser
  }
}
