// Plays the far side's voice, from the moment that there is any (also before the answer).

type SinkAudio = HTMLAudioElement & { setSinkId?(id: string): Promise<void> };

export class Voice {
  private readonly element: SinkAudio = new Audio();

  constructor() {
    this.element.autoplay = true;
  }

  play(stream: MediaStream): void {
    this.element.srcObject = stream;
    void this.element.play().catch(() => undefined); // refused without a gesture: plays at the next one
  }

  stop(): void {
    this.element.srcObject = null;
  }

  setDevice(deviceId: string): void {
    void this.element.setSinkId?.(deviceId).catch(() => undefined);
  }

  /** Whether this browser can choose where sound comes out. */
  static get selectable(): boolean {
    return "setSinkId" in HTMLMediaElement.prototype;
  }
}
