// Tests the connection before a call: the microphone, the server, and a call to an echo that rings nowhere.

import type { MicrophoneProblem } from "../devices/Microphone.js";
import type { HttpApi } from "../http/HttpApi.js";
import type { IceConfig } from "../media/iceConfig.js";
import { PeerConnection } from "../media/PeerConnection.js";
import type { QualityWarning } from "../protocol/messages.js";
import type { Codec } from "../state/codec.js";
import type { Quality } from "../state/model.js";
import { EXCEEDS } from "./callQuality.js";
import { computeQuality, meanOpinion } from "./mos.js";

export interface PreflightOptions {
  number: string; // an echo; "": the sound is not tested
  user: string;
  codec: Codec | undefined;
  http: HttpApi;
  iceConfig: IceConfig;
  microphone(): Promise<MicrophoneProblem | null>; // opens it
}

export interface Preflight {
  microphone: MicrophoneProblem | null; // null: well
  signallingMs: number | null; // there and back; null: no answer
  media: "ok" | "failed" | "one-way" | "skipped"; // one-way: packets come, but not our tone
  quality: Quality | null; // of the echo call
  mos: number | null;
  warnings: readonly QualityWarning[];
}

const ECHO_TIMEOUT_MS = 6_000;
const ECHO_CHECK_INTERVAL_MS = 200;
const TONE_HZ = 850;
const MIN_TONE_DB = -60;

/** Never throws. */
export async function runPreflight(options: PreflightOptions): Promise<Preflight> {
  const microphone = await withTimeout(options.microphone(), 5_000).catch((): MicrophoneProblem => "microphone_failed");
  const began = performance.now();
  const signallingMs = await withTimeout(options.http.config(), 2_000).then(
    () => performance.now() - began,
    () => null,
  );
  const sound =
    options.number && signallingMs !== null
      ? await testEcho(options)
      : ({ media: options.number ? "failed" : "skipped", quality: null } as const);
  return { microphone, signallingMs, ...sound, ...judge(sound.quality) };
}

/** Pure. */
export function judge(quality: Quality | null): Pick<Preflight, "mos" | "warnings"> {
  if (!quality) return { mos: null, warnings: [] };
  const { roundTripMs, jitterMs, lossPercent, codec } = quality;
  const mos = meanOpinion(roundTripMs ?? 0, jitterMs, lossPercent, codec);
  return {
    mos,
    warnings: (["rtt", "jitter", "loss", "mos"] as const).filter((kind) => EXCEEDS[kind]({ ...quality, mos })),
  };
}

async function testEcho({
  number,
  user,
  codec,
  http,
  iceConfig,
}: PreflightOptions): Promise<Pick<Preflight, "media" | "quality">> {
  const audio = new AudioContext();
  let peer: PeerConnection | null = null;
  let callId: string | null = null;
  try {
    const tone = audio.createOscillator();
    const out = audio.createMediaStreamDestination();
    tone.frequency.value = TONE_HZ;
    tone.connect(out);
    tone.start();
    peer = await PeerConnection.prepare(iceConfig);
    const [track] = out.stream.getAudioTracks();
    if (track) await peer.replaceTrack(track);
    const sdp = peer.offer(() => undefined);
    const call = await withTimeout(
      http.post<{ callId: string; sdp: string }>("/invite", {
        target: number,
        sdp,
        caller: user,
        ...(codec ? { prefer: codec } : {}),
      }),
      4_000,
    );
    callId = call.callId;
    await peer.answer(call.sdp);
    const isToneHeard = await hearsTone(audio, peer);
    const entries = [...(await peer.stats()).values()] as { type: string; id: string }[];
    const { quality } = computeQuality(entries, { received: 0, lost: 0 });
    return {
      media: isToneHeard ? "ok" : quality.packets > 0 ? "one-way" : "failed",
      quality: quality.packets > 0 ? quality : null,
    };
  } catch {
    return { media: "failed", quality: null };
  } finally {
    peer?.close();
    void audio.close().catch(() => undefined);
    if (callId) void http.fetch(`/call/${callId}`, { method: "DELETE" }).catch(() => undefined);
  }
}

/** Whether our tone comes back. The browser decodes a remote stream only while an element plays it. */
async function hearsTone(audio: AudioContext, peer: PeerConnection): Promise<boolean> {
  const element = new Audio();
  element.muted = true;
  element.srcObject = peer.remoteStream;
  void element.play().catch(() => undefined);
  const analyser = audio.createAnalyser();
  analyser.fftSize = 2048;
  analyser.smoothingTimeConstant = 0;
  const bins = new Float32Array(analyser.frequencyBinCount);
  const bin = Math.round((TONE_HZ * analyser.fftSize) / audio.sampleRate);
  let source: MediaStreamAudioSourceNode | null = null;
  for (let waited = 0; waited < ECHO_TIMEOUT_MS; waited += ECHO_CHECK_INTERVAL_MS) {
    await new Promise((done) => setTimeout(done, ECHO_CHECK_INTERVAL_MS));
    if (!source && peer.remoteStream.getTracks().length > 0) {
      source = audio.createMediaStreamSource(peer.remoteStream);
      source.connect(analyser);
    }
    analyser.getFloatFrequencyData(bins);
    if (waited >= 2_000 && Math.max(...bins.slice(bin - 1, bin + 2)) > MIN_TONE_DB) return true; // long enough for figures
  }
  return false;
}

async function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error("too late")), ms)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
