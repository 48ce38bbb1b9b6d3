// The last calls of the user on all devices: read whenever the server is reached, and updated by events.

import { useEffect, useMemo, useRef, useState } from "react";
import type { SIPProxyClient } from "sip-proxy-client";
import {
  entryOf,
  entryOfRecord,
  type HistoryEntry,
  loadHistory,
  loadSeenAt,
  missedSince,
  saveHistory,
  saveSeenAt,
  withEntry,
  withLatestPage,
  withOlderPage,
} from "./history";

export interface LastCalls {
  history: readonly HistoryEntry[];
  missedCount: number; // parties that called in vain since the list was looked at
  hasOlderCalls: boolean; // the server has more
  loadOlderCalls(): void;
  markCallsSeen(): void; // the user looks at the list
}

const RETRY_INTERVAL_MS = 30_000;

/** `registered`: each time that it becomes true, calls may have been missed. */
export function useHistory(
  client: SIPProxyClient,
  user: string,
  registered: boolean,
  nameOf: (number: string) => string,
): LastCalls {
  const [history, setHistory] = useState(() => loadHistory(user)); // of the last visit, until the server has answered
  const [next, setNext] = useState<string | null>(null);
  const [seenAt, setSeenAt] = useState(() => loadSeenAt(user));
  const names = useRef(nameOf);
  names.current = nameOf;
  const entry = useMemo(() => {
    const toPage = (seconds: number): number => client.http.clock.toPage(seconds);
    return (call: Parameters<typeof entryOfRecord>[0]) =>
      entryOfRecord(call, toPage, (number) => names.current(number));
  }, [client]);

  useEffect(() => {
    if (!registered) return;
    let timer: number | undefined;
    let isCancelled = false;
    const read = (): void => {
      client.pastCalls().then(
        (page) => {
          if (isCancelled) return;
          setHistory((known) => withLatestPage(known, page.calls.map(entry), Date.now()));
          setNext(page.nextCursor);
        },
        () => {
          if (!isCancelled) timer = window.setTimeout(read, RETRY_INTERVAL_MS);
        },
      );
    };
    read();
    return () => {
      isCancelled = true;
      clearTimeout(timer);
    };
  }, [client, registered, entry]);

  useEffect(
    () => client.on("pastCall", (call) => setHistory((known) => withEntry(known, entry(call)))),
    [client, entry],
  );
  useEffect(() => {
    let reportedId = "";
    return client.on("stateChanged", ({ lastEndedCall }) => {
      if (!lastEndedCall || lastEndedCall.id === reportedId) return;
      reportedId = lastEndedCall.id;
      const ended = entryOf(lastEndedCall);
      if (ended) setHistory((known) => (known.some(({ id }) => id === ended.id) ? known : withEntry(known, ended))); // the server knows better
    });
  }, [client]);
  useEffect(() => saveHistory(user, history), [user, history]);

  return {
    history,
    missedCount: useMemo(() => missedSince(history, seenAt), [history, seenAt]),
    hasOlderCalls: next !== null,
    loadOlderCalls: () => {
      if (next === null) return;
      client.pastCalls({ cursor: next }).then(
        (page) => {
          setHistory((known) => withOlderPage(known, page.calls.map(entry)));
          setNext(page.nextCursor);
        },
        () => undefined, // it is asked for by another press
      );
    },
    markCallsSeen: () => {
      if (missedSince(history, seenAt) === 0) return;
      const at = Math.max(Date.now(), history[0]?.at ?? 0);
      saveSeenAt(user, at);
      setSeenAt(at);
    },
  };
}
