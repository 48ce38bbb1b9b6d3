// Where sounds of our own come out: on a chosen device, and as soon as the browser lets them.

import { audioContext, resume } from "../devices/autoplay.js";

type Sink<Kind> = Kind & { setSinkId?(id: string): Promise<void> };

export class AudioOutput {
  #context: Sink<AudioContext> | null = null;
  #element: Sink<HTMLAudioElement> | null = null; // plays the context where that cannot choose its device: Firefox
  #node: AudioNode | null = null;
  #device = ""; // "": the system's choice

  /** What plays into it; null where the browser makes no sound. */
  get node(): AudioNode | null {
    if (!this.#context) {
      this.#context = audioContext();
      this.#node = this.#context?.destination ?? null;
      if (this.#device) this.#choose();
    }
    this.start();
    return this.#node;
  }

  /** What stands on the system's device goes on there, in browsers that cannot take it elsewhere, until the next sound. */
  setDevice(id: string): void {
    if (id === this.#device) return;
    this.#device = id;
    if (this.#context) this.#choose();
  }

  /** After a press the browser may let it be heard. */
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
    (this.#element ?? context).setSinkId?.(this.#device).catch(() => undefined); // it has gone: whoever chose it hears so
  }
}
