// From the address that one is given to those that are used. Pure.

export interface Addresses {
  socket: string; // of the WebSocket
  api: string; // of the HTTP API, without a slash at its end
}

/**
 * `proxyUrl`: http(s) or ws(s), of the server or of its WebSocket. `bridgeUrl`: of the HTTP API, where that is
 * elsewhere. `page`: what relative addresses are relative to. Throws `TypeError` for what is no address.
 */
export function addressesOf(proxyUrl: string, bridgeUrl = "", page?: string): Addresses {
  const socket = addressOf(proxyUrl || "/", page, "ws");
  const api = bridgeUrl ? addressOf(bridgeUrl, page, "http") : addressOf(socket.href, page, "http");
  const base = socket.pathname.replace(/(\/ws)?\/?$/, "");
  socket.pathname = `${base}/ws`;
  if (!bridgeUrl) api.pathname = base;
  return { socket: socket.href, api: api.href.replace(/\/$/, "") };
}

function addressOf(written: string, page: string | undefined, as: "http" | "ws"): URL {
  const url = new URL(written, page);
  if (!/^(http|ws)s?:$/.test(url.protocol)) throw new TypeError(`${written} is no http or ws address`);
  url.protocol = url.protocol.replace(/^(http|ws)/, as);
  url.search = url.hash = "";
  return url;
}
