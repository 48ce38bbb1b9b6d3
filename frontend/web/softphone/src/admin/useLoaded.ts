// Something that the server is asked for: again when `key` changes, when it is told to, and every so often.

import { useCallback, useEffect, useRef, useState } from "react";
import { errorText } from "./adminApi";

export interface Loaded<T> {
  value: T | null; // null until there is an answer
  error: string; // why there is none, or no newer one
  reload(): void;
  set(value: T): void; // what a change has answered with
}

/** `everyMs`: 0 for never. While the page is out of sight it is not asked. */
export function useLoaded<T>(load: () => Promise<T>, key: string, everyMs = 0): Loaded<T> {
  const [state, setState] = useState<{ key: string; value: T | null; error: string }>({ key, value: null, error: "" });
  const asked = useRef(0);
  const latest = useRef(load);
  latest.current = load;

  const reload = useCallback(() => {
    const turn = ++asked.current;
    latest.current().then(
      (value) => turn === asked.current && setState({ key, value, error: "" }),
      (error: unknown) =>
        turn === asked.current &&
        setState((before) => ({ key, value: before.key === key ? before.value : null, error: errorText(error) })),
    );
  }, [key]);
  const set = useCallback(
    (value: T) => {
      asked.current++; // what is under way is older
      setState({ key, value, error: "" });
    },
    [key],
  );

  useEffect(() => {
    reload();
    const timer = everyMs ? setInterval(() => document.hidden || reload(), everyMs) : undefined;
    return () => {
      asked.current++;
      clearInterval(timer);
    };
  }, [reload, everyMs]);
  const current = state.key === key ? state : { value: null, error: "" };
  return { value: current.value, error: current.error, reload, set };
}
