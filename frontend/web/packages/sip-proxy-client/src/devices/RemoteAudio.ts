// Plays the far side's voice, from the moment that there is any (also before the answer).

type SinkAudio = HTMLAudioElement & { setSinkId?(id: string): Promise<void> };

export class RemoteAudio {
  readonly #element: SinkAudio = new Audio();
  readonly #onBlocked: (blocked: boolean) => void;

  /** `onBlocked` hears whether the browser keeps the sound back until somebody presses something. */
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
    this.#unblock();
  }

  setDevice(deviceId: string): void {
    void this.#element.setSinkId?.(deviceId).catch(() => undefined);
  }

  readonly #start = (): void => {
    this.#unblock();
    void this.#element.play().catch((error: unknown) => {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return; // another stream took its place
      addEventListener("pointerdown", this.#start);
      addEventListener("keydown", this.#start);
      this.#onBlocked(true);
    });
  };

  #unblock(): void {
    removeEventListener("pointerdown", this.#start);
    removeEventListener("keydown", this.#start);
    this.#onBlocked(false);
  }
}

/** Whether this browser can choose where sound comes out. */
export const canChooseSpeaker = (): boolean => typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;
