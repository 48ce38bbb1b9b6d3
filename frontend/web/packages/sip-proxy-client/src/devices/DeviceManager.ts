// The microphone and the loudspeakers: which exist, which are selected, and which are used in place of missing ones.
// An unplugged microphone is noticed by Microphone.ts, and replaced in calls by media/CallMedia.ts.

import {
  type Device,
  type Devices,
  listDevices,
  type Microphone,
  MicrophoneError,
  onDevicesChange,
} from "./Microphone.js";
import type { RemoteAudio } from "./RemoteAudio.js";

export interface DeviceState {
  devices: Devices;
  chosen: Record<DeviceUse, string>; // ids of those in use; "" is the system default
  missing: Partial<Record<DeviceUse, string>>; // names of selected devices that are not connected: they are used again once they are
  microphoneOpen: boolean;
}

export type DeviceUse = "microphone" | "speaker" | "ring";

const SYSTEM_DEFAULT: Device = { id: "", name: "" };
const DEVICE_USES: readonly DeviceUse[] = ["microphone", "speaker", "ring"];

export const NO_DEVICES: DeviceState = {
  devices: { microphones: [], speakers: [] },
  chosen: { microphone: "", speaker: "", ring: "" },
  missing: {},
  microphoneOpen: false,
};

export interface DeviceManagerOptions {
  microphone: Microphone;
  remoteAudio: RemoteAudio;
  onChange(values: Partial<DeviceState>): void;
  onTrack(track: MediaStreamTrack): Promise<void>; // the new microphone's track is to be sent
}

export class DeviceManager {
  readonly #selected = loadSelection();
  #inUse: DeviceState["chosen"];
  #devices = NO_DEVICES.devices;
  #reported = "";
  #failedMicrophone = ""; // the id of a microphone that is connected and cannot be opened
  readonly #stopListening: () => void;
  readonly #options: DeviceManagerOptions;

  constructor(options: DeviceManagerOptions) {
    this.#options = options;
    const { microphone, remoteAudio, onChange } = options;
    microphone.onChange((microphoneOpen) => {
      onChange({ microphoneOpen });
      if (!microphoneOpen) return;
      remoteAudio.retry(); // browsers let a page play sound that uses the microphone
      void this.#refresh(); // names are known from now on
    });
    microphone.onLost(() => void this.#replaceMicrophone());
    this.#inUse = {
      microphone: this.#selected.microphone.id,
      speaker: this.#selected.speaker.id,
      ring: this.#selected.ring.id,
    };
    void microphone.choose(this.#inUse.microphone);
    remoteAudio.setDevice(this.#inUse.speaker);
    this.#stopListening = onDevicesChange(() => void this.#refresh(true));
    void this.#refresh();
    void microphone.checkPermission();
  }

  close(): void {
    this.#stopListening();
    this.#options.microphone.end();
    this.#options.remoteAudio.close();
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
    this.#failedMicrophone = "";
    await this.#choose("microphone", id);
  }

  chooseSpeaker(id: string): void {
    void this.#choose("speaker", id);
  }

  /** For programs that ring: the client does not. */
  chooseRing(id: string): void {
    void this.#choose("ring", id);
  }

  #choose(use: DeviceUse, id: string): Promise<void> {
    this.#selected[use] = devicesFor(this.#devices, use).find((device) => device.id === id) ?? { id, name: "" };
    saveSelection(this.#selected);
    return this.#apply();
  }

  /** Uses the selected devices, or the system default in place of missing ones. */
  async #apply(): Promise<void> {
    const before = this.#inUse.microphone;
    const chosen = { ...this.#inUse };
    const missing: DeviceState["missing"] = {};
    for (const use of DEVICE_USES) {
      const wanted = this.#selected[use];
      const there = findDevice(wanted, devicesFor(this.#devices, use));
      if (there && there.id !== wanted.id) saveSelection(Object.assign(this.#selected, { [use]: there }));
      chosen[use] = there?.id ?? "";
      if (use === "microphone" && chosen[use] === this.#failedMicrophone) chosen[use] = "";
      if (chosen[use] !== this.#selected[use].id) missing[use] = wanted.name;
    }
    this.#inUse = chosen;
    this.#options.remoteAudio.setDevice(chosen.speaker);
    this.#report({ devices: this.#devices, chosen, missing });
    if (chosen.microphone !== before) await this.#openMicrophone(chosen.microphone);
  }

  async #openMicrophone(id: string): Promise<void> {
    try {
      const track = await this.#options.microphone.choose(id);
      if (track) await this.#options.onTrack(track);
    } catch {
      if (id === "" || id !== this.#inUse.microphone) return; // none can be opened: the call continues, and the meter shows silence
      this.#failedMicrophone = id; // until it is chosen again, or something is plugged in
      await this.#apply();
      await this.tryMicrophone();
    }
  }

  /** The microphone in use went away: any other is better than silence. */
  async #replaceMicrophone(): Promise<void> {
    await this.#refresh();
    try {
      await this.#options.onTrack(await this.#options.microphone.get());
    } catch {
      // None is left: the call continues, the meter shows silence, and the list offers new devices.
    }
  }

  /** `changed`: something was plugged in, or out. */
  async #refresh(changed = false): Promise<void> {
    const devices = await listDevices();
    if (JSON.stringify(devices) !== JSON.stringify(this.#devices)) this.#devices = devices;
    if (changed) this.#failedMicrophone = "";
    await this.#apply();
  }

  #report(values: Pick<DeviceState, "devices" | "chosen" | "missing">): void {
    const shown = JSON.stringify(values);
    if (shown === this.#reported) return;
    this.#reported = shown;
    this.#options.onChange(values);
  }
}

const devicesFor = ({ microphones, speakers }: Devices, use: DeviceUse): Device[] =>
  use === "microphone" ? microphones : speakers;

/**
 * The selected device among the connected ones; null if it is missing. Browsers may change a device's id, so the name counts
 * too. If the browser does not list any devices, all are taken to be connected.
 */
export function findDevice(wanted: Device, list: readonly Device[]): Device | null {
  if (wanted.id === "" || list.length === 0) return wanted;
  return list.find(({ id }) => id === wanted.id) ?? list.find(({ name }) => name === wanted.name) ?? null;
}

export function microphoneError(error: unknown): MicrophoneError {
  return error instanceof MicrophoneError ? error : new MicrophoneError("microphone_failed");
}

// The selection applies to all pages of this browser, now and later.

const KEY = "sip-proxy.devices";

type Selection = Record<DeviceUse, Device>;

function loadSelection(): Selection {
  const wanted: Selection = { microphone: SYSTEM_DEFAULT, speaker: SYSTEM_DEFAULT, ring: SYSTEM_DEFAULT };
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Selection> | null;
    for (const use of DEVICE_USES) {
      const { id, name } = kept?.[use] ?? SYSTEM_DEFAULT;
      if (typeof id === "string" && typeof name === "string") wanted[use] = { id, name };
    }
  } catch {
    // Storage is forbidden: it lasts as long as the page.
  }
  return wanted;
}

function saveSelection(wanted: Selection): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(wanted));
  } catch {
    return;
  }
}
