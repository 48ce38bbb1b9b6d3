// Where the page's own sounds are played: on the selected device, and as soon as the browser allows it.

import { audioContext, resume } from "../devices/autoplay.js";

type Sink<Kind> = Kind & { setSinkId?(id: string): Promise<void> };

export class AudioOutput {
  #context: Sink<AudioContext> | null = null;
  #element: Sink<HTMLAudioElement> | null = null; // plays the context in browsers whose contexts cannot select a device: Firefox
  #node: AudioNode | null = null;
  #device = ""; // "": the system's choice

  /** The node to connect with; null if the browser cannot play sound. */
  get node(): AudioNode | null {
    if (!this.#context) {
      this.#context = audioContext();
      this.#node = this.#context?.destination ?? null;
      if (this.#device) this.#choose();
    }
    this.start();
    return this.#node;
  }

  /** In some browsers a sound that is playing on the system's device stays there until the next one. */
  setDevice(id: string): void {
    if (id === this.#device) return;
    this.#device = id;
    if (this.#context) this.#choose();
  }

  /** After an interaction the browser may allow it. */
  start(): void {
    resume(this.#context);
    if (this.#element?.paused) this.#element.play().catch(() => undefined);
  }

  close(): void {
    this.#element?.pause();
    this.#context?.close().catch(() => undefined);
    this.#context = this.#element = this.#node = null;
  }

  #choose(): void {
    const context = this.#context;
    if (!context) return;
    if (!context.setSinkId && !this.#element && this.#device) {
      const element: Sink<HTMLAudioElement> = new Audio();
      if (!element.setSinkId) return;
      const into = new MediaStreamAudioDestinationNode(context);
      element.srcObject = into.stream;
      this.#element = element;
      this.#node = into;
    }
    (this.#element ?? context).setSinkId?.(this.#device).catch(() => undefined); // the device is missing: `DeviceManager` reports that
  }
}
