// The microphone: permission, devices, level. It never prompts by itself: only `get` may.

import { AudioLevelMeter } from "./AudioLevelMeter.js";

export type MicrophoneProblem =
  | "microphone_blocked"
  | "no_microphone"
  | "microphone_in_use"
  | "insecure_page"
  | "microphone_failed"
  | "no_webrtc";

export interface Device {
  id: string;
  name: string;
}

export interface Devices {
  microphones: Device[];
  speakers: Device[];
}

/** Why there is no microphone; `problem` is what the person is told. */
export class MicrophoneError extends Error {
  constructor(readonly problem: MicrophoneProblem) {
    super(problem);
  }
}

const PROBLEM_BY_ERROR_NAME: Record<string, MicrophoneProblem> = {
  NotAllowedError: "microphone_blocked",
  SecurityError: "microphone_blocked",
  NotFoundError: "no_microphone",
  OverconstrainedError: "no_microphone",
  NotReadableError: "microphone_in_use",
  AbortError: "microphone_in_use",
};

/** How long an unused microphone stays open after the last touch, in milliseconds: the next call need not open it again. */
const IDLE_TIMEOUT_MS = 5000;

export class Microphone {
  #track: MediaStreamTrack | null = null;
  #opening: Promise<MediaStreamTrack> | null = null;
  #deviceId = "";
  #granted = false;
  #ended = false;
  #users = 0; // calls and open pickers that need the track
  #idle: number | undefined;
  #meter: AudioLevelMeter | null = null;
  #onLost: (() => void) | null = null;
  #listener: (open: boolean) => void = () => undefined;

  /** `listener` hears whether the microphone is open (the browser shows its own mark then). */
  onChange(listener: (open: boolean) => void): void {
    this.#listener = listener;
  }

  /** Called when a microphone in use went away: unplugged, or taken by the system. */
  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /** The open track; asks for permission where needed. Throws `MicrophoneError`. */
  async get(): Promise<MediaStreamTrack> {
    if (this.#track?.readyState === "live") {
      this.#closeWhenIdle();
      return this.#track;
    }
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  /** Looks whether `get` would ask somebody. Opens nothing: that is for calls, and for who wants to see its level. */
  async checkPermission(): Promise<void> {
    this.#granted = navigator.mediaDevices !== undefined && (await permission()) === "granted";
  }

  /** Whether the last look found that `get` would ask nobody: a call need not wait for the microphone then. */
  get isGranted(): boolean {
    return this.#granted;
  }

  /** Keeps the microphone open until `release` was called as often. */
  retain(): void {
    this.#users++;
    clearTimeout(this.#idle);
  }

  release(): void {
    this.#users = Math.max(0, this.#users - 1);
    this.#closeWhenIdle();
  }

  /** Chooses a device ("" is the system's choice) and gives the new track where one was open, or is being opened. */
  async choose(deviceId: string): Promise<MediaStreamTrack | null> {
    this.#deviceId = deviceId;
    const had = this.#track !== null || this.#opening !== null;
    this.close();
    return had ? this.get() : null;
  }

  /** How loud it is now, 0 to 1; 0 where the microphone is closed. */
  level(): number {
    return this.#meter?.read() ?? 0;
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#meter?.close();
    this.#meter = null;
    if (this.#track) {
      this.#track.onended = null;
      this.#track.stop();
      this.#track = null;
      this.#listener(false);
    }
  }

  /** For ever: what the browser gives later is not kept. */
  end(): void {
    this.#ended = true;
    this.close();
  }

  async #open(deviceId = this.#deviceId): Promise<MediaStreamTrack> {
    const chosen = this.#deviceId;
    if (!navigator.mediaDevices) throw new MicrophoneError("insecure_page");
    const audio: MediaTrackConstraints = {
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
    };
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      this.#granted = false;
      // The chosen one is unplugged: any other is better than no call. Its error is a DOMException in no browser but Firefox.
      const { name } = error as { name?: string };
      if (deviceId && (name === "OverconstrainedError" || name === "NotFoundError")) return this.#open("");
      throw new MicrophoneError(
        (name && Object.hasOwn(PROBLEM_BY_ERROR_NAME, name) && PROBLEM_BY_ERROR_NAME[name]) || "microphone_failed",
      );
    }
    const track = stream.getAudioTracks()[0];
    if (!track) throw new MicrophoneError("no_microphone");
    if (this.#ended) {
      track.stop();
      throw new MicrophoneError("microphone_failed");
    }
    if (this.#deviceId !== chosen) {
      track.stop(); // another one was chosen meanwhile
      return this.#open();
    }
    this.#track = track;
    this.#granted = true;
    this.#meter = new AudioLevelMeter(stream);
    track.onended = () => {
      this.close();
      this.#onLost?.();
    };
    this.#listener(true);
    this.#closeWhenIdle();
    return track;
  }

  #closeWhenIdle(): void {
    clearTimeout(this.#idle);
    if (this.#users === 0 && !this.#ended) this.#idle = window.setTimeout(() => this.close(), IDLE_TIMEOUT_MS);
  }
}

async function permission(): Promise<PermissionState> {
  try {
    return (await navigator.permissions.query({ name: "microphone" as PermissionName })).state;
  } catch {
    return "prompt"; // browsers that cannot tell: treat as not asked yet
  }
}

/** The devices as the browser names them; names are empty until permission was given once. */
export async function listDevices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const named = (kind: MediaDeviceKind): Device[] =>
    all
      .filter((device) => device.kind === kind && device.label)
      .map((device) => ({ id: device.deviceId, name: device.label }));
  return { microphones: named("audioinput"), speakers: named("audiooutput") };
}

/** Hears of devices that come and go. */
export function onDevicesChange(listener: () => void): () => void {
  navigator.mediaDevices?.addEventListener?.("devicechange", listener);
  return () => navigator.mediaDevices?.removeEventListener?.("devicechange", listener);
}
