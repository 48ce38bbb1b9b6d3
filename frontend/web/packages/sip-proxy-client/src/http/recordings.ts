// The recordings of the user's calls (docs/RECORDINGS.md).

import type { RecordingData } from "../protocol/api.js";
import type { HttpApi } from "./HttpApi.js";

export type CallRecording = Pick<RecordingData, "name" | "callId" | "startedAt" | "seconds">;

/** As many as the list of the last calls needs; older ones are in the HTTP API. */
const MAX_RECORDINGS = 200;

/** By the call's id, each call's oldest first. Throws `HttpError`, or `TypeError` if the server cannot be reached. */
export async function listRecordings(http: HttpApi): Promise<Map<string, CallRecording[]>> {
  const { recordings } = await http.request<{ recordings: CallRecording[] }>(`/recordings?limit=${MAX_RECORDINGS}`);
  return groupByCall(recordings);
}

/** `newestFirst`: as the server lists them. */
export function groupByCall(newestFirst: readonly CallRecording[]): Map<string, CallRecording[]> {
  const calls = new Map<string, CallRecording[]>();
  for (const recording of newestFirst) calls.set(recording.callId, [recording, ...(calls.get(recording.callId) ?? [])]);
  return calls;
}

/** The sound, WAV. Throws `HttpError`, or `TypeError` if the server cannot be reached. */
export async function downloadRecording(http: HttpApi, name: string): Promise<Blob> {
  return (await http.fetch(`/recordings/${encodeURIComponent(name)}/audio`)).blob();
}
