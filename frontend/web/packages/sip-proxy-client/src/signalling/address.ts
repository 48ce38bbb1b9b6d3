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
  const socket = new URL(proxyUrl || "/", page);
  const api = bridgeUrl ? new URL(bridgeUrl, page) : new URL(socket.href.replace(/\/ws\/?$/, "/"));
  if (!/^(http|ws)s?:$/.test(socket.protocol)) throw new TypeError(`${proxyUrl} is no http or ws address`);
  socket.protocol = socket.protocol.replace("http", "ws");
  api.protocol = api.protocol.replace("ws", "http");
  if (!/\/ws\/?$/.test(socket.pathname)) socket.pathname = `${socket.pathname.replace(/\/$/, "")}/ws`;
  socket.search = socket.hash = api.search = api.hash = "";
  return { socket: socket.href, api: api.href.replace(/\/$/, "") };
}
