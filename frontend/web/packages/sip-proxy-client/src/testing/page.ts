// A page with a microphone, connections and speakers, for tests of a whole client in Node.

import { vi } from "vitest";
import { fakeBrowser } from "./fakes.js";
import { FakeTrack } from "./peers.js";

class FakeStream {
  readonly tracks: unknown[] = [];
  addTrack = (track: unknown): void => void this.tracks.push(track);
  getTracks = (): unknown[] => this.tracks;
  getAudioTracks = (): unknown[] => this.tracks;
}

/** An `RTCPeerConnection` that stands with its answer; what it receives is set by the test. */
export class FakeConnection {
  static all: FakeConnection[] = [];
  /** What the next answer leads to. */
  static becomes: RTCPeerConnectionState = "connected";
  static get open(): FakeConnection[] {
    return FakeConnection.all.filter(({ connectionState }) => connectionState !== "closed");
  }
  static generateCertificate = async (): Promise<object> => ({});

  connectionState: RTCPeerConnectionState = "new";
  sends: unknown = null;
  lossPercent = 0;
  ontrack: ((event: { track: unknown }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  onicecandidate: (() => void) | null = null;
  private received = 0;
  private lost = 0;
  private asked = 0;
  private readonly number = FakeConnection.all.push(this);

  addTransceiver = (): object => ({ sender: { replaceTrack: async (track: unknown) => void (this.sends = track) } });
  createOffer = async (): Promise<object> => ({ type: "offer", sdp: `offer ${this.number}` });
  setLocalDescription = async (): Promise<void> => undefined;
  getConfiguration = (): object => ({});
  setConfiguration = (): void => undefined;

  async setRemoteDescription(): Promise<void> {
    this.ontrack?.({ track: new FakeTrack("voice") });
    this.become(FakeConnection.becomes);
  }

  become(state: RTCPeerConnectionState): void {
    if (this.connectionState === "closed") return;
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  async getStats(): Promise<Map<string, object>> {
    this.received += 50;
    this.lost += (50 * this.lossPercent) / 100;
    this.asked++;
    return new Map<string, object>([
      ["i", { type: "inbound-rtp", id: "i", kind: "audio", packetsReceived: this.received, packetsLost: this.lost }],
      [
        "p",
        { type: "candidate-pair", id: "p", nominated: true, requestsSent: this.asked, responsesReceived: this.asked },
      ],
    ]);
  }

  close(): void {
    this.connectionState = "closed";
  }
}

class FakeAudio {
  autoplay = false;
  srcObject: unknown = null;
  static blocked = false;
  async play(): Promise<void> {
    if (FakeAudio.blocked) throw new DOMException("press something first", "NotAllowedError");
  }
}

class FakeAudioContext {
  static open = 0;
  readonly state = "running";
  constructor() {
    FakeAudioContext.open++;
  }
  createAnalyser = (): object => ({ fftSize: 0, getFloatTimeDomainData: () => undefined });
  createMediaStreamSource = (): object => ({ connect: () => undefined });
  createMediaStreamDestination(): { stream: FakeStream } {
    const stream = new FakeStream();
    stream.addTrack(new FakeTrack("silence"));
    return { stream };
  }
  async close(): Promise<void> {
    FakeAudioContext.open--;
  }
}

/** The page's microphone, as its person and the browser have it. */
export class FakeMicrophone {
  asked = 0; // how often a page wanted it
  opened: FakeTrack[] = [];
  open: () => Promise<void> = async () => undefined; // rejects with what the browser says

  readonly getUserMedia = async (): Promise<FakeStream> => {
    this.asked++;
    await this.open();
    const stream = new FakeStream();
    const track = Object.assign(new FakeTrack("microphone"), { readyState: "live", onended: null });
    this.opened.push(track);
    stream.addTrack(track);
    return stream;
  };
}

export interface FakePage {
  microphone: FakeMicrophone;
  /** How many audio contexts are open. */
  contexts(): number;
  /** One more microphone; without a name, the browser only says that something changed. */
  plug(name?: string): void;
  /** Whether the browser plays nothing until somebody presses something. */
  block(blocked: boolean): void;
}

/** A new page of the same browser: what `sessionStorage` has stays where `reloaded`. */
export function fakePage(reloaded = false): FakePage {
  const kept = reloaded ? globalThis.sessionStorage : null;
  const { locks } = fakeBrowser();
  if (kept) vi.stubGlobal("sessionStorage", kept);
  vi.stubGlobal("document", new EventTarget());
  vi.stubGlobal("location", { href: "https://page.example/phone", host: "page.example" });
  return fakeMedia({ locks });
}

/** Media alone, where a document is there already. */
export function fakeMedia(browser: object = {}): FakePage {
  FakeConnection.all = [];
  FakeConnection.becomes = "connected";
  FakeAudioContext.open = 0;
  const microphone = new FakeMicrophone();
  const devices: object[] = [];
  const mediaDevices = Object.assign(new EventTarget(), {
    getUserMedia: microphone.getUserMedia,
    enumerateDevices: async () => devices,
  });
  FakeAudio.blocked = false;
  vi.stubGlobal("navigator", { userAgent: "", ...browser, mediaDevices });
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("Audio", FakeAudio);
  vi.stubGlobal("AudioContext", FakeAudioContext);
  return {
    microphone,
    contexts: () => FakeAudioContext.open,
    plug(name) {
      if (name) devices.push({ kind: "audioinput", label: name, deviceId: name });
      mediaDevices.dispatchEvent(new Event("devicechange"));
    },
    block: (blocked) => void (FakeAudio.blocked = blocked),
  };
}
