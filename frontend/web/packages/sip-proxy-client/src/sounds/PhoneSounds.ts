// Rings, ringback, busy and key tones for a client, as a phone has them.

import type { SIPProxyClient } from "../SIPProxyClient.js";
import { ringAloud } from "./ring.js";
import { soundOf } from "./soundOf.js";
import { Sounds } from "./tones.js";

export class PhoneSounds {
  /** Whether this page rings: of all pages of one user in a browser one does. */
  aloud = false;
  readonly #sounds = new Sounds();
  readonly #stops: (() => void)[];
  readonly #client: SIPProxyClient;

  /** `onAloud` hears of changes of `aloud`. */
  constructor(client: SIPProxyClient, onAloud: (aloud: boolean) => void = () => undefined) {
    this.#client = client;
    const heard = (aloud: boolean): void => {
      this.aloud = aloud;
      onAloud(aloud);
      this.#play();
    };
    this.#stops = [client.subscribe(() => this.#play()), ringAloud(client.user, heard)];
  }

  /** The tone of a key; nothing is sent. */
  key(key: string): void {
    this.#sounds.key(key);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#sounds.close();
  }

  /** Where it is not known whether a call still rings, nothing does. */
  #play(): void {
    const { state } = this.#client;
    this.#sounds.setDevice("talk", state.chosen.speaker);
    this.#sounds.setDevice("ring", state.chosen.ring);
    this.#sounds.play(soundOf(state, state.link === "open", this.aloud));
  }
}
