// Rings, ringback, busy and key tones for a client, as a phone has them.

import type { SIPProxyClient } from "../SIPProxyClient.js";
import { electRingingPage } from "./ring.js";
import { soundOf } from "./soundOf.js";
import { TonePlayer } from "./tones.js";

export class PhoneSounds {
  /** Whether this page rings: of all pages of a user in one browser only one does. */
  ringsHere = false;
  readonly #sounds = new TonePlayer();
  readonly #stops: (() => void)[];
  readonly #client: SIPProxyClient;

  /** `onChange` is called when `ringsHere` changes. */
  constructor(client: SIPProxyClient, onChange: (ringsHere: boolean) => void = () => undefined) {
    this.#client = client;
    const setRingsHere = (ringsHere: boolean): void => {
      this.ringsHere = ringsHere;
      onChange(ringsHere);
      this.#play();
    };
    this.#stops = [client.subscribe(() => this.#play()), electRingingPage(client.user, setRingsHere)];
  }

  /** Plays the tone of a key; nothing is sent. */
  key(key: string): void {
    this.#sounds.key(key);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#sounds.close();
  }

  /** Nothing rings while the server cannot be reached: the call may have ended. */
  #play(): void {
    const { state } = this.#client;
    this.#sounds.setDevice("talk", state.chosen.speaker);
    this.#sounds.setDevice("ring", state.chosen.ring);
    this.#sounds.play(soundOf(state, state.link === "open", this.ringsHere));
  }
}
