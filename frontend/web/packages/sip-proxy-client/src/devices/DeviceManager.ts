// The microphone in use and where sound comes out: what there is, and what is chosen.

import { MicrophoneError, listDevices, onDevicesChange, type Devices, type Microphone } from "./Microphone.js";
import type { RemoteAudio } from "./RemoteAudio.js";

export interface DeviceState {
  devices: Devices;
  chosen: { microphone: string; speaker: string; ring: string }; // device ids; "" is the system's choice
  microphoneOpen: boolean;
}

export const NO_DEVICES: DeviceState = {
  devices: { microphones: [], speakers: [] },
  chosen: { microphone: "", speaker: "", ring: "" },
  microphoneOpen: false,
};

export interface DevicesOptions {
  microphone: Microphone;
  voice: RemoteAudio;
  onChange(values: Partial<DeviceState>): void;
  onTrack(track: MediaStreamTrack): Promise<void>; // another microphone is to be sent
}

export class DeviceManager {
  #chosen = NO_DEVICES.chosen;
  #devices = NO_DEVICES.devices;
  readonly #stopListening: () => void;
  readonly #options: DevicesOptions;

  constructor(options: DevicesOptions) {
    this.#options = options;
    const { microphone, onChange } = options;
    microphone.onChange((microphoneOpen) => {
      onChange({ microphoneOpen });
      if (microphoneOpen) void this.#read(); // names are known from now on
    });
    microphone.onLost(() => void this.#another());
    this.#stopListening = onDevicesChange(() => void this.#read());
    void this.#read();
    void microphone.warm();
  }

  close(): void {
    this.#stopListening();
    this.#options.microphone.end();
  }

  /** Opens the microphone to show its level and the devices' names; the browser may ask. */
  async tryMicrophone(): Promise<MicrophoneError | null> {
    try {
      await this.#options.onTrack(await this.#options.microphone.get());
      return null;
    } catch (error) {
      return microphoneError(error);
    }
  }

  async chooseMicrophone(id: string): Promise<void> {
    this.#choose({ microphone: id });
    try {
      const track = await this.#options.microphone.choose(id);
      if (track) await this.#options.onTrack(track);
    } catch {
      void this.#read(); // it went away in the meantime: the list shows it
    }
  }

  chooseSpeaker(id: string): void {
    this.#choose({ speaker: id });
    this.#options.voice.setDevice(id);
  }

  /** For whoever plays a ring: the client does not. */
  chooseRing(id: string): void {
    this.#choose({ ring: id });
  }

  #choose(values: Partial<DeviceState["chosen"]>): void {
    this.#chosen = { ...this.#chosen, ...values };
    this.#options.onChange({ chosen: this.#chosen });
  }

  /** The microphone in use went away: any other is better than silence. */
  async #another(): Promise<void> {
    void this.#read();
    try {
      await this.#options.onTrack(await this.#options.microphone.get());
    } catch {
      // None is left: the call goes on, the meter shows silence, and a new device is offered by the list.
    }
  }

  async #read(): Promise<void> {
    const devices = await listDevices();
    if (JSON.stringify(devices) === JSON.stringify(this.#devices)) return;
    this.#devices = devices;
    this.#options.onChange({ devices });
  }
}

export function microphoneError(error: unknown): MicrophoneError {
  return error instanceof MicrophoneError ? error : new MicrophoneError("microphone_failed");
}
