// One client for as long as a component is mounted.

import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import {
  type ClientState,
  INITIAL_STATE,
  SIPProxyClient,
  type SIPProxyClientOptions,
  type SIPProxyError,
  userOf,
} from "sip-proxy-client";

export interface UseSIPProxyOptions extends SIPProxyClientOptions {
  /** Whether calls ring here (default: true). Otherwise the client connects with its first call. */
  register?: boolean;
}

export interface SIPProxyHook {
  client: SIPProxyClient | null; // null while rendering on a server
  state: ClientState;
  error: SIPProxyError | null; // why nothing can be done now: a wrong address, a refused sign-in, a server that was never reached
}

/**
 * Makes a client when the component mounts, and closes it, with its calls, when it unmounts. It is replaced if
 * an address or the user changes; a new token of the same user is passed to the existing client.
 */
export function useSIPProxy(options: UseSIPProxyOptions): SIPProxyHook {
  const client = useClient(options);
  return { client, state: useSIPState(client), error: useClientError(client) };
}

/** `options`: null for no client. */
export function useClient(options: UseSIPProxyOptions | null): SIPProxyClient | null {
  const { proxyUrl, bridgeUrl, credentials, user, relayOnly, register = true } = options ?? {};
  const token = credentials && "token" in credentials ? credentials.token : null;
  const who = token === null ? JSON.stringify(credentials) : userOf(credentials); // another token of the same user does not replace the client
  const latest = useRef(options);
  latest.current = options;
  const [times, again] = useState(0);
  const client = useMemo(
    () =>
      options === null || typeof window === "undefined"
        ? null
        : new SIPProxyClient({
            ...options,
            nameOf: (number) => latest.current?.nameOf?.(number) ?? "",
            preferredCodec: () => latest.current?.preferredCodec?.(),
          }),
    [options === null, proxyUrl, bridgeUrl, user, relayOnly, who, times],
  );
  useCloseOnUnmount(client, () => again((before) => before + 1));
  useEffect(() => {
    if (!client || client.isClosed) return;
    if (register)
      client.register().catch(() => undefined); // `client.error` reports it
    else client.unregister().catch(() => undefined);
  }, [client, register]);
  useEffect(() => {
    if (client && token !== null) client.updateToken(token);
  }, [client, token]);
  return client;
}

/** The client's state; renders again after each change. */
export function useSIPState(client: SIPProxyClient | null): ClientState {
  return useSyncExternalStore(client?.subscribe ?? noSubscription, client?.getSnapshot ?? initialState, initialState);
}

/** `client.error`; renders again when it changes. */
export function useClientError(client: SIPProxyClient | null): SIPProxyError | null {
  const subscribe = useCallback(
    (listener: () => void) => {
      const stops = [client?.on("error", listener), client?.subscribe(listener)];
      return () => {
        for (const stop of stops) stop?.();
      };
    },
    [client],
  );
  return useSyncExternalStore(
    subscribe,
    () => client?.error ?? null,
    () => null,
  );
}

/** StrictMode unmounts and mounts again at once: the client is closed only if the component stays unmounted. If it is mounted later, it needs another client. */
function useCloseOnUnmount(client: SIPProxyClient | null, another: () => void): void {
  const closing = useRef<{ client: SIPProxyClient; timer: ReturnType<typeof setTimeout> } | null>(null);
  useEffect(() => {
    if (!client) return;
    if (client.isClosed) another();
    if (closing.current?.client === client) clearTimeout(closing.current.timer);
    return () => {
      closing.current = { client, timer: setTimeout(() => client.close(), 0) };
    };
  }, [client]);
}

const noSubscription = (): (() => void) => () => undefined;
const initialState = (): ClientState => INITIAL_STATE;
