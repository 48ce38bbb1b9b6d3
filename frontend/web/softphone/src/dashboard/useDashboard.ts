// Follows the server: the stream of events, and after each of them (at most twice a second) the current state.

import { useEffect, useRef, useState } from "react";
import { type Api, type FollowOptions, followEvents, HttpApi, HttpError, type Session } from "sip-proxy-client";
import { keepSignedIn } from "../phone/renewToken";
import { SERVER_URL } from "../phone/serverUrl";
import { type LoggedEvent, readEvent } from "./live";

export interface DashboardState {
  connected: boolean;
  live: Api.LiveData | null; // null until the server has answered
  stats: Api.StatsData | null;
  events: readonly LoggedEvent[]; // the newest first
  forbidden: boolean; // the user's roles do not allow it
}

export const NOTHING_YET: DashboardState = { connected: false, live: null, stats: null, events: [], forbidden: false };

const MAX_EVENTS = 2000;
const MIN_READ_INTERVAL_MS = 500;
const MAX_READ_INTERVAL_MS = 10_000;

/** `paused` keeps what is shown; the stream is followed all the same and shown when it ends. */
export function useDashboard(session: Session, paused: boolean, onSignedOut: (reason: string) => void): DashboardState {
  const [state, setState] = useState<DashboardState>(NOTHING_YET);
  const signedOut = useRef(onSignedOut);
  signedOut.current = onSignedOut;

  useEffect(() => {
    const http = new HttpApi(SERVER_URL);
    http.token = session.token;
    let isCancelled = false;
    let reading = false;
    let again = false;
    let events: LoggedEvent[] = [];
    let frame = 0;
    let isForbidden = false;
    setState((before) => ({ ...before, forbidden: false }));
    const refused = (error: unknown, onRefreshed = (): void => undefined): void => {
      if (error instanceof HttpError && error.status === 403 && !isCancelled) {
        isForbidden = true; // until somebody else signs in
        setState((before) => ({ ...before, forbidden: true }));
      }
      if (error instanceof HttpError && error.status === 401)
        void keepSignedIn(http).then((goesOn) => {
          if (isCancelled) return;
          if (goesOn) onRefreshed();
          else signedOut.current(error.message);
        });
    };
    const read = async (): Promise<void> => {
      if (isForbidden) return;
      again = reading;
      if (reading) return;
      reading = true;
      try {
        const [live, stats] = await Promise.all([
          http.request<Api.LiveData>("/live"),
          http.request<Api.StatsData>("/stats"),
        ]);
        if (!isCancelled) setState((before) => ({ ...before, live, stats }));
      } catch (error) {
        refused(error); // else the server cannot be reached: the stream reports it, and reads again when it is back
      }
      await new Promise((resolve) => setTimeout(resolve, MIN_READ_INTERVAL_MS));
      reading = false;
      if (again && !isCancelled) void read();
    };
    const followOptions: FollowOptions = {
      http,
      recent: MAX_EVENTS,
      onEvent: ({ data }) => {
        const event = readEvent(data);
        if (!event) return;
        if (events[0] && event.id <= events[0].id) events = []; // the server has another log, which counts anew
        events = [event, ...events].slice(0, MAX_EVENTS);
        // A burst is shown once a frame.
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          setState((before) => ({ ...before, events }));
        });
        void read();
      },
      onStatus: (connected) => {
        setState((before) => ({ ...before, connected }));
        if (connected) void read();
      },
      onUnauthorized: (error) => refused(error, () => setTimeout(follow, MIN_READ_INTERVAL_MS)),
    };
    let stop = (): void => undefined;
    const follow = (): void => {
      if (!isCancelled) stop = followEvents(followOptions);
    };
    follow();
    const timer = setInterval(() => {
      void read();
      void keepSignedIn(http);
    }, MAX_READ_INTERVAL_MS);
    void read();
    return () => {
      isCancelled = true;
      stop();
      clearInterval(timer);
      cancelAnimationFrame(frame);
    };
  }, [session.token]);

  const shown = useRef(state);
  if (!paused) shown.current = state;
  return { ...shown.current, connected: state.connected };
}
