// The public names of the package.

export { SIPProxyProvider, useSIPProxyClient } from "./SIPProxyProvider.js";
export { type SIPCallHook, useSIPCall } from "./useSIPCall.js";
export { type SIPProxyHook, type UseSIPProxyOptions, useSIPProxy, useSIPState } from "./useSIPProxy.js";
