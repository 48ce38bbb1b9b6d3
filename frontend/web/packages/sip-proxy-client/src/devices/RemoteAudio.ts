// Plays the far side's voice, from the moment that there is any (also before the answer).

import { Autoplay, onUserActivation } from "./autoplay.js";

type SinkAudio = HTMLAudioElement & { setSinkId?(id: string): Promise<void> };

export class RemoteAudio {
  readonly #element: SinkAudio = new Audio();
  readonly #onBlocked: (blocked: boolean) => void;
  readonly #autoplay = new Autoplay(() => this.#report());
  readonly #stopListening = onUserActivation(() => this.retry());
  #blocked = false; // the voice that there is
  #device = "";

  /** `onBlocked` is called when the browser starts or stops blocking sound until the user interacts with the page. */
  constructor(onBlocked: (blocked: boolean) => void = () => undefined) {
    this.#onBlocked = onBlocked;
    this.#element.autoplay = true;
  }

  play(stream: MediaStream): void {
    this.#element.srcObject = stream;
    this.#start();
  }

  stop(): void {
    this.#element.srcObject = null;
    this.#setBlocked(false);
  }

  setDevice(deviceId: string): void {
    if (deviceId === this.#device) return;
    this.#device = deviceId;
    this.#element.setSinkId?.(deviceId).catch(() => undefined); // the device is missing: `DeviceManager` reports that
  }

  /** Something was pressed, or the microphone has opened: the browser may allow now what it refused. */
  retry(): void {
    this.#autoplay.check();
    if (this.#blocked && this.#element.srcObject) this.#start();
  }

  close(): void {
    this.stop();
    this.#stopListening();
    this.#autoplay.allow();
  }

  #start(): void {
    this.#element.play().then(
      () => this.#setBlocked(false),
      // Else another stream has taken its place.
      (error: unknown) => error instanceof DOMException && error.name === "NotAllowedError" && this.#setBlocked(true),
    );
  }

  #setBlocked(refused: boolean): void {
    this.#blocked = refused && this.#element.srcObject !== null;
    this.#report();
  }

  /** A voice that is playing needs no interaction, even if other sounds are still blocked. */
  #report(): void {
    this.#onBlocked(this.#element.srcObject ? this.#blocked : this.#autoplay.blocked);
  }
}

/** Whether this browser can select a loudspeaker. */
export const canChooseSpeaker = (): boolean =>
  typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;
