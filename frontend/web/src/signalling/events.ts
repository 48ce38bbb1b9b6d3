// Follows GET /events by fetch streaming: reconnects with backoff and replays from the last event seen.

import { backoff } from "./backoff";
import { headers, refusal, Refused } from "./http";
import { SseParser, type ServerEvent } from "./sse";

export interface FollowOptions {
  token: string | null;
  lastEventId: string;
  onEvent(event: ServerEvent): void;
  onStatus(open: boolean): void;
  onRefused(error: Refused): void; // 401 or 403: following stops
}

/** Starts to follow; the function that it gives stops. */
export function followEvents(options: FollowOptions): () => void {
  const stop = new AbortController();
  void follow(options, stop.signal);
  return () => stop.abort();
}

async function follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
  let last = options.lastEventId;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const more: Record<string, string> = { Accept: "text/event-stream" };
      if (last) more["Last-Event-ID"] = last;
      const response = await fetch("/events", { headers: headers(options.token, more), signal, cache: "no-store" });
      if (!response.ok || !response.body) throw await refusal(response);
      options.onStatus(true);
      attempt = 0;
      const parser = new SseParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        for (const event of parser.push(read.value)) {
          if (event.id) last = event.id;
          options.onEvent(event);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
        options.onRefused(error);
        return;
      }
    }
    options.onStatus(false);
    await new Promise((resolve) => setTimeout(resolve, backoff(attempt, Math.random())));
  }
}
