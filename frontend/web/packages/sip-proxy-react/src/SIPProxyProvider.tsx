// One client for all that is below: made by `useSIPProxy`, or by the page itself.

import { createContext, type ReactNode, useContext } from "react";
import type { SIPProxyClient } from "sip-proxy-client";

const Client = createContext<SIPProxyClient | null>(null);

export function SIPProxyProvider({ client, children }: { client: SIPProxyClient | null; children: ReactNode }) {
  return <Client.Provider value={client}>{children}</Client.Provider>;
}

/** Null while rendering on a server, and outside of a provider. */
export const useSIPProxyClient = (): SIPProxyClient | null => useContext(Client);
