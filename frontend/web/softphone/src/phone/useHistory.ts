// The last calls of the user, the same on every device: read from the server whenever it is reached, and told live.

import { useEffect, useMemo, useRef, useState } from "react";
import type { SIPProxyClient } from "sip-proxy-client";
import { entryOf, entryOfRecord, extended, load, loadSeen, missedSince, refreshed, remember, save, saveSeen, type HistoryEntry } from "./history";

export interface LastCalls {
  history: readonly HistoryEntry[];
  missed: number; // parties that called in vain since the list was looked at
  hasOlder: boolean; // the server has more
  older(): void;
  seen(): void; // somebody looks at the list
}

const AGAIN_MS = 30_000;

/** `registered`: each time that it becomes true something may have happened that nobody told. */
export function useHistory(client: SIPProxyClient, user: string, registered: boolean, nameOf: (number: string) => string): LastCalls {
  const [history, setHistory] = useState(() => load(user)); // of the last visit, until the server has answered
  const [next, setNext] = useState<string | null>(null);
  const [seenAt, setSeenAt] = useState(() => loadSeen(user));
  const names = useRef(nameOf);
  names.current = nameOf;
  const entry = useMemo(() => {
    const toPage = (seconds: number): number => client.server.clock.toPage(seconds);
    return (call: Parameters<typeof entryOfRecord>[0]) => entryOfRecord(call, toPage, (number) => names.current(number));
  }, [client]);

  useEffect(() => {
    if (!registered) return;
    let timer: number | undefined;
    let over = false;
    const read = (): void => {
      client.pastCalls().then(
        (page) => {
          if (over) return;
          setHistory((known) => refreshed(known, page.calls.map(entry), Date.now()));
          setNext(page.nextCursor);
        },
        () => {
          if (!over) timer = window.setTimeout(read, AGAIN_MS);
        },
      );
    };
    read();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [client, registered, entry]);

  useEffect(() => client.on("pastCall", (call) => setHistory((known) => remember(known, entry(call)))), [client, entry]);
  useEffect(() => {
    let told = "";
    return client.on("stateChanged", ({ over }) => {
      if (!over || over.id === told) return;
      told = over.id;
      const ended = entryOf(over);
      if (ended) setHistory((known) => (known.some(({ id }) => id === ended.id) ? known : remember(known, ended))); // the server knows better
    });
  }, [client]);
  useEffect(() => save(user, history), [user, history]);

  return {
    history,
    missed: useMemo(() => missedSince(history, seenAt), [history, seenAt]),
    hasOlder: next !== null,
    older: () => {
      if (next === null) return;
      client.pastCalls({ cursor: next }).then(
        (page) => {
          setHistory((known) => extended(known, page.calls.map(entry)));
          setNext(page.nextCursor);
        },
        () => undefined, // it is asked for by another press
      );
    },
    seen: () => {
      if (missedSince(history, seenAt) === 0) return;
      const at = Math.max(Date.now(), history[0]?.at ?? 0);
      saveSeen(user, at);
      setSeenAt(at);
    },
  };
}
