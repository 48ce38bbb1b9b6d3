// Follows GET /events by fetch streaming: reconnects with backoff and replays from the last event seen.

import { backoff } from "../signaling/backoff.js";
import { type HttpApi, HttpError } from "./HttpApi.js";
import { type ServerEvent, SseParser } from "./sse.js";

export interface FollowOptions {
  http: HttpApi;
  lastEventId?: string; // what came after it is sent first
  recent?: number; // without it: start so many numbers before the newest
  onEvent(event: ServerEvent): void;
  onStatus(open: boolean): void;
  onUnauthorized(error: HttpError): void; // 401 or 403: following stops
}

/** Starts to follow; returns a function that stops. */
export function followEvents(options: FollowOptions): () => void {
  const stop = new AbortController();
  void followUntilStopped(options, stop.signal);
  return () => stop.abort();
}

async function followUntilStopped(options: FollowOptions, signal: AbortSignal): Promise<void> {
  let last = options.lastEventId ?? "";
  let retryMs = 0; // what the server wants at least
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const more: Record<string, string> = { Accept: "text/event-stream" };
      if (last) more["Last-Event-ID"] = last;
      const path = last || !options.recent ? "/events" : `/events?recent=${options.recent}`;
      const { body } = await options.http.fetch(path, { headers: more, signal });
      if (!body) throw new TypeError("The response has no body.");
      options.onStatus(true);
      attempt = 0;
      const parser = new SseParser();
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        const events = parser.push(read.value);
        retryMs = parser.retryMs ?? retryMs;
        for (const event of events) {
          if (event.id) last = event.id;
          options.onEvent(event);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof HttpError && (error.status === 401 || error.status === 403)) {
        options.onUnauthorized(error);
        return;
      }
    }
    options.onStatus(false);
    await new Promise((resolve) => setTimeout(resolve, retryMs + backoff(attempt, Math.random())));
  }
}
