// The microphone in use and where sound comes out: what there is, what is chosen, and what stands in for what has gone.

import { MicrophoneError, listDevices, onDevicesChange, type Device, type Devices, type Microphone } from "./Microphone.js";
import type { RemoteAudio } from "./RemoteAudio.js";

export interface DeviceState {
  devices: Devices;
  chosen: Record<DeviceUse, string>; // ids of those in use; "" is the system's choice
  missing: Partial<Record<DeviceUse, string>>; // names of those that were chosen and are not there: they are taken again once they are
  microphoneOpen: boolean;
}

export type DeviceUse = "microphone" | "speaker" | "ring";

const SYSTEM: Device = { id: "", name: "" };
const USES: readonly DeviceUse[] = ["microphone", "speaker", "ring"];

export const NO_DEVICES: DeviceState = {
  devices: { microphones: [], speakers: [] },
  chosen: { microphone: "", speaker: "", ring: "" },
  missing: {},
  microphoneOpen: false,
};

export interface DevicesOptions {
  microphone: Microphone;
  voice: RemoteAudio;
  onChange(values: Partial<DeviceState>): void;
  onTrack(track: MediaStreamTrack): Promise<void>; // another microphone is to be sent
}

export class DeviceManager {
  readonly #wanted = recall();
  #used: DeviceState["chosen"];
  #devices = NO_DEVICES.devices;
  #shown = "";
  #broken = ""; // the id of the microphone that is there and cannot be opened
  readonly #stopListening: () => void;
  readonly #options: DevicesOptions;

  constructor(options: DevicesOptions) {
    this.#options = options;
    const { microphone, voice, onChange } = options;
    microphone.onChange((microphoneOpen) => {
      onChange({ microphoneOpen });
      if (!microphoneOpen) return;
      voice.retry(); // browsers let pages be heard that listen
      void this.#read(); // names are known from now on
    });
    microphone.onLost(() => void this.#another());
    this.#used = { microphone: this.#wanted.microphone.id, speaker: this.#wanted.speaker.id, ring: this.#wanted.ring.id };
    void microphone.choose(this.#used.microphone);
    voice.setDevice(this.#used.speaker);
    this.#stopListening = onDevicesChange(() => void this.#read(true));
    void this.#read();
    void microphone.look();
  }

  close(): void {
    this.#stopListening();
    this.#options.microphone.end();
    this.#options.voice.close();
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
    this.#broken = "";
    await this.#choose("microphone", id);
  }

  chooseSpeaker(id: string): void {
    void this.#choose("speaker", id);
  }

  /** For whoever plays a ring: the client does not. */
  chooseRing(id: string): void {
    void this.#choose("ring", id);
  }

  #choose(use: DeviceUse, id: string): Promise<void> {
    this.#wanted[use] = listOf(this.#devices, use).find((device) => device.id === id) ?? { id, name: "" };
    keep(this.#wanted);
    return this.#apply();
  }

  /** Uses what is chosen, or the system's choice in place of what has gone. */
  async #apply(): Promise<void> {
    const before = this.#used.microphone;
    const chosen = { ...this.#used };
    const missing: DeviceState["missing"] = {};
    for (const use of USES) {
      const wanted = this.#wanted[use];
      const there = present(wanted, listOf(this.#devices, use));
      if (there && there.id !== wanted.id) keep(Object.assign(this.#wanted, { [use]: there }));
      chosen[use] = there?.id ?? "";
      if (use === "microphone" && chosen[use] === this.#broken) chosen[use] = "";
      if (chosen[use] !== this.#wanted[use].id) missing[use] = wanted.name;
    }
    this.#used = chosen;
    this.#options.voice.setDevice(chosen.speaker);
    this.#show({ devices: this.#devices, chosen, missing });
    if (chosen.microphone !== before) await this.#take(chosen.microphone);
  }

  async #take(id: string): Promise<void> {
    try {
      const track = await this.#options.microphone.choose(id);
      if (track) await this.#options.onTrack(track);
    } catch {
      if (id === "" || id !== this.#used.microphone) return; // none can be opened: the call goes on, and the meter shows silence
      this.#broken = id; // until it is chosen again, or something is plugged in
      await this.#apply();
      await this.tryMicrophone();
    }
  }

  /** The microphone in use went away: any other is better than silence. */
  async #another(): Promise<void> {
    await this.#read();
    try {
      await this.#options.onTrack(await this.#options.microphone.get());
    } catch {
      // None is left: the call goes on, the meter shows silence, and a new device is offered by the list.
    }
  }

  /** `changed`: something was plugged in, or out. */
  async #read(changed = false): Promise<void> {
    const devices = await listDevices();
    if (JSON.stringify(devices) !== JSON.stringify(this.#devices)) this.#devices = devices;
    if (changed) this.#broken = "";
    await this.#apply();
  }

  #show(values: Pick<DeviceState, "devices" | "chosen" | "missing">): void {
    const shown = JSON.stringify(values);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#options.onChange(values);
  }
}

const listOf = ({ microphones, speakers }: Devices, use: DeviceUse): Device[] => (use === "microphone" ? microphones : speakers);

/**
 * The device that was chosen, among those that there are; null: it has gone. Browsers may give a device another id, so the name
 * counts too. Where a browser tells of none, it is as if all were there.
 */
export function present(wanted: Device, list: readonly Device[]): Device | null {
  if (wanted.id === "" || list.length === 0) return wanted;
  return list.find(({ id }) => id === wanted.id) ?? list.find(({ name }) => name === wanted.name) ?? null;
}

export function microphoneError(error: unknown): MicrophoneError {
  return error instanceof MicrophoneError ? error : new MicrophoneError("microphone_failed");
}

// What is chosen counts for all pages of this browser, and the next ones.

const KEY = "sip-proxy.devices";

type Wanted = Record<DeviceUse, Device>;

function recall(): Wanted {
  const wanted: Wanted = { microphone: SYSTEM, speaker: SYSTEM, ring: SYSTEM };
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Wanted> | null;
    for (const use of USES) {
      const { id, name } = kept?.[use] ?? SYSTEM;
      if (typeof id === "string" && typeof name === "string") wanted[use] = { id, name };
    }
  } catch {
    // Storage is forbidden: it lasts as long as the page.
  }
  return wanted;
}

function keep(wanted: Wanted): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(wanted));
  } catch {
    return;
  }
}
