// Which of the last calls have recordings: loaded with the page, and after each call.

import { useEffect, useState } from "react";
import type { CallRecording, SIPProxyClient } from "sip-proxy-client";
import type { HistoryEntry } from "./history";

export interface Recordings {
  of(callIds: readonly string[]): CallRecording[];
  sound(name: string): Promise<Blob>;
}

/** A recording is listed about a second after its end; later if the store is slow. In milliseconds after the call. */
const LOAD_DELAYS_MS = [0, 2500, 10_000];

export function useRecordings(client: SIPProxyClient, enabled: boolean, history: readonly HistoryEntry[]): Recordings {
  const [known, setKnown] = useState<ReadonlyMap<string, CallRecording[]>>(new Map());
  const last = history[0]?.id;
  useEffect(() => {
    if (!enabled) return;
    let isCancelled = false;
    const look = (): void => {
      // Without an answer the list stays as it was: the next call asks again.
      client.recordings().then(
        (found) => !isCancelled && setKnown(found),
        () => undefined,
      );
    };
    const timers = LOAD_DELAYS_MS.map((ms) => window.setTimeout(look, ms));
    return () => {
      isCancelled = true;
      timers.forEach(clearTimeout);
    };
  }, [client, enabled, last]);
  return { of: (callIds) => callIds.flatMap((id) => known.get(id) ?? []), sound: (name) => client.recording(name) };
}
