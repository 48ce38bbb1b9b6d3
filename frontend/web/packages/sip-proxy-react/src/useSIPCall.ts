// A phone in one hook.

import { useCallback, useEffect, useState } from "react";
import {
  type CallOptions,
  type ClientState,
  type SIPProxyCall,
  type SIPProxyClient,
  SIPProxyError,
} from "sip-proxy-client";
import { useSIPProxyClient } from "./SIPProxyProvider.js";
import { type UseSIPProxyOptions, useClient, useClientError, useSIPState } from "./useSIPProxy.js";

export interface SIPCallHook {
  call: SIPProxyCall | null; // the one that is talked on, is set up, or rings
  calls: readonly SIPProxyCall[]; // with those on hold
  incoming: SIPProxyCall | null; // one that rings here
  isConnected: boolean; // `call` is accepted
  isRegistered: boolean; // calls ring here
  isReconnecting: boolean; // the server cannot be reached now; existing calls continue
  error: SIPProxyError | null; // why nothing can be done now (address, sign-in, no server); else the last error, until the next call
  /** Resolves with the call once the other side rings or has answered; if the call ends before, rejects with its `error`. */
  makeCall(target: string, options?: CallOptions): Promise<SIPProxyCall>;
  answer(): void;
  reject(): void;
  endCall(): void;
  client: SIPProxyClient | null; // null while rendering on a server
  state: ClientState;
}

/** With options: a client of its own. Without: that of the surrounding `SIPProxyProvider`. */
export function useSIPCall(options?: UseSIPProxyOptions): SIPCallHook {
  const own = useClient(options ?? null);
  const shared = useSIPProxyClient();
  const client = options ? own : shared;
  const state = useSIPState(client);
  const lasting = useClientError(client);
  const [error, setError] = useState<SIPProxyError | null>(null);
  const call = client?.activeCall ?? null;
  const calls = client?.calls ?? [];
  const incoming = calls.find((one) => one.state === "incoming") ?? null;
  useEffect(() => {
    const off = client?.on("error", (error) => error !== client.error && setError(error));
    return () => (off?.(), setError(null));
  }, [client]);
  useEffect(() => call?.on("error", setError), [call]);
  const makeCall = useCallback(
    (target: string, options: CallOptions = {}): Promise<SIPProxyCall> => {
      setError(null);
      const made: Promise<SIPProxyCall> = client?.createCall({ target, options }) ?? Promise.reject(NO_CLIENT);
      made.then(
        (call) => call.on("error", setError), // also of a call that is not the active one
        (error: SIPProxyError) => error.code !== "cancelled" && setError(error), // also if the program does not wait for the promise
      );
      return made;
    },
    [client],
  );
  const ringing = useCallback(() => client?.calls.find((one) => one.state === "incoming"), [client]);
  return {
    call,
    calls,
    incoming,
    client,
    state,
    makeCall,
    error: lasting ?? error,
    isConnected: call?.state === "accepted",
    isRegistered: state.registered,
    isReconnecting: state.link === "lost",
    answer: useCallback(() => void ringing()?.answer(), [ringing]),
    reject: useCallback(() => ringing()?.reject(), [ringing]),
    endCall: useCallback(() => client?.activeCall?.hangup(), [client]),
  };
}

const NO_CLIENT = new SIPProxyError(
  "closed",
  "There is no client: this component has neither options nor a SIPProxyProvider around it.",
  true,
);
