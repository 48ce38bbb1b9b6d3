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

/** Why the microphone cannot be opened. */
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

  /** `listener` is called when the microphone is opened or closed (the browser indicates it as well). */
  onChange(listener: (open: boolean) => void): void {
    this.#listener = listener;
  }

  /** Called when a microphone in use went away: unplugged, or taken by the system. */
  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /** The open track; the browser may ask for permission. Throws `MicrophoneError`. */
  async get(): Promise<MediaStreamTrack> {
    if (this.#track?.readyState === "live") {
      this.#closeWhenIdle();
      return this.#track;
    }
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  /** Checks whether `get` would ask for permission. Opens nothing. */
  async checkPermission(): Promise<void> {
    this.#granted = navigator.mediaDevices !== undefined && (await permission()) === "granted";
  }

  /** Whether the last check found that `get` will not ask: a call need not wait for the microphone then. */
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

  /** Selects a device ("" is the system default); returns its track if the microphone was open, or being opened. */
  async choose(deviceId: string): Promise<MediaStreamTrack | null> {
    this.#deviceId = deviceId;
    const had = this.#track !== null || this.#opening !== null;
    this.close();
    return had ? this.get() : null;
  }

  /** Loudness now, 0 to 1; 0 while the microphone is closed. */
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

  /** For good: a track that the browser delivers later is stopped at once. */
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
      track.stop(); // another device was selected meanwhile
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
    return "prompt"; // in browsers that cannot tell: as if it had not been asked yet
  }
}

/** The devices as the browser lists them; names are empty until permission has been granted once. */
export async function listDevices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const named = (kind: MediaDeviceKind): Device[] =>
    all
      .filter((device) => device.kind === kind && device.label)
      .map((device) => ({ id: device.deviceId, name: device.label }));
  return { microphones: named("audioinput"), speakers: named("audiooutput") };
}

/** Calls `listener` when devices are connected or disconnected. Returns a function that stops it. */
export function onDevicesChange(listener: () => void): () => void {
  navigator.mediaDevices?.addEventListener?.("devicechange", listener);
  return () => navigator.mediaDevices?.removeEventListener?.("devicechange", listener);
}
