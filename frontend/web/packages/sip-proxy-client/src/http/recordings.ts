// The recordings of the user's calls, as the HTTP API tells them (docs/RECORDINGS.md).

import type { RecordingData } from "../protocol/api.js";
import type { Server } from "./HttpApi.js";

export type CallRecording = Pick<RecordingData, "name" | "callId" | "startedAt" | "seconds">;

/** As many as the list of the last calls can have; older ones are the HTTP API's. */
const LIMIT = 200;

/** By the call's id, each call's oldest first. Throws `Refused`, or TypeError where the server cannot be reached. */
export async function listRecordings(server: Server): Promise<Map<string, CallRecording[]>> {
  const { recordings } = await server.request<{ recordings: CallRecording[] }>(`/recordings?limit=${LIMIT}`);
  return byCall(recordings);
}

/** `newestFirst`: as the server lists them. */
export function byCall(newestFirst: readonly CallRecording[]): Map<string, CallRecording[]> {
  const calls = new Map<string, CallRecording[]>();
  for (const recording of newestFirst) calls.set(recording.callId, [recording, ...(calls.get(recording.callId) ?? [])]);
  return calls;
}

/** The sound, WAV. Throws `Refused`, or TypeError where the server cannot be reached. */
export async function recordingOf(server: Server, name: string): Promise<Blob> {
  return (await server.fetch(`/recordings/${encodeURIComponent(name)}/audio`)).blob();
}
