// A phone in one hook: who calls, who is called, and what became of it.

import { useCallback, useEffect, useState } from "react";
import type { CallOptions, ClientState, SIPProxyCall, SIPProxyClient } from "sip-proxy-client";
import { SIPProxyError } from "sip-proxy-client";
import { useSIPProxyClient } from "./SIPProxyProvider.js";
import { useClient, useSIPState, type UseSIPProxyOptions } from "./useSIPProxy.js";

export interface SIPCallHook {
  call: SIPProxyCall | null; // the one that is talked on, is set up, or rings
  calls: readonly SIPProxyCall[]; // with those on hold
  incoming: SIPProxyCall | null; // one that rings here
  isConnected: boolean; // somebody has answered `call`
  isRegistered: boolean; // calls ring here
  isReconnecting: boolean; // the server cannot be reached just now; calls that stand go on
  error: SIPProxyError | null; // the last one, until the next call
  makeCall(target: string, options?: CallOptions): SIPProxyCall | null; // null: see `error`
  answer(): void;
  reject(): void;
  endCall(): void;
  client: SIPProxyClient | null; // null while rendering on a server
  state: ClientState;
}

/** With options: a client of its own. Without: that of the `SIPProxyProvider` around it. */
export function useSIPCall(options?: UseSIPProxyOptions): SIPCallHook {
  const own = useClient(options ?? null);
  const shared = useSIPProxyClient();
  const client = options ? own : shared;
  const state = useSIPState(client);
  const [error, setError] = useState<SIPProxyError | null>(null);
  const call = client?.activeCall ?? null;
  const calls = client?.calls ?? [];
  const incoming = calls.find((one) => one.state === "incoming") ?? null;
  useEffect(() => client?.on("error", setError), [client]);
  useEffect(() => call?.on("error", setError), [call]);
  const makeCall = useCallback(
    (target: string, options?: CallOptions): SIPProxyCall | null => {
      setError(null);
      try {
        const made = client?.call(target, options) ?? null;
        made?.on("error", setError); // it may fail before it was rendered
        return made;
      } catch (cause) {
        setError(cause instanceof SIPProxyError ? cause : new SIPProxyError("refused", "", false, { cause }));
        return null;
      }
    },
    [client],
  );
  const ringing = useCallback(() => client?.calls.find((one) => one.state === "incoming"), [client]);
  return {
    call, calls, incoming, error, client, state, makeCall,
    isConnected: call?.state === "accepted",
    isRegistered: state.registered,
    isReconnecting: state.link === "lost",
    answer: useCallback(() => void ringing()?.answer(), [ringing]),
    reject: useCallback(() => ringing()?.reject(), [ringing]),
    endCall: useCallback(() => client?.activeCall?.hangup(), [client]),
  };
}
