// The public names of the package.

export { useSIPCall, type SIPCallHook } from "./useSIPCall.js";
export { useSIPProxy, useSIPState, type SIPProxyHook, type UseSIPProxyOptions } from "./useSIPProxy.js";
export { SIPProxyProvider, useSIPProxyClient } from "./SIPProxyProvider.js";
