// From the addresses in the options to those that are used. Pure.

export interface Addresses {
  socket: string; // of the WebSocket
  api: string; // of the HTTP API, without a trailing slash
}

/**
 * `proxyUrl`: of the HTTP API; `bridgeUrl`: of the WebSocket. One of them implies the other; without either it is the server that
 * `page` came from. Each with http(s), ws(s) or no scheme, with or without port and path; if the schemes show that the two
 * have been swapped, they are swapped back. Throws `TypeError` with a sentence that says what is wrong.
 */
export function addressesOf(proxyUrl: unknown, bridgeUrl?: unknown, page?: string): Addresses {
  const proxy = addressOf("proxyUrl", proxyUrl, page);
  const bridge = addressOf("bridgeUrl", bridgeUrl, page);
  const first = proxy ?? bridge ?? addressOf("page", page?.startsWith("http") ? "/" : "", page);
  if (!first) throw new TypeError("proxyUrl is missing, e.g. https://phone.example.com.");
  const other = bridge ?? first;
  const [api, socket] =
    /^ws/.test(first.scheme) && /^(http|$)/.test(other.scheme) ? [other.url, first.url] : [first.url, other.url];
  return { socket: `${baseOf(socket).replace(/^http/, "ws")}/ws`, api: baseOf(api) };
}

interface Address {
  url: URL; // http or https
  scheme: string; // as it was written; "": none
}

const baseOf = ({ origin, pathname }: URL): string => origin + pathname.replace(/(\/ws)?\/*$/, "");

/** Null if it is empty. */
function addressOf(name: string, given: unknown, page = ""): Address | null {
  const written = String(given ?? "").trim();
  if (!written) return null;
  const wrong = (why: string): TypeError => new TypeError(`${name} is “${written.slice(0, 200)}”: ${why}.`);
  const [, scheme = ""] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(written) ?? /^(https?|wss?):/i.exec(written) ?? [];
  if (scheme && !/^(http|ws)s?$/i.test(scheme)) throw wrong("it has to begin with https://, http://, wss:// or ws://");
  const relative = /^[./?#]/.test(written);
  if (relative && !/^https?:/.test(page)) throw wrong("it is relative, and there is no page");
  let url: URL;
  try {
    url = relative ? new URL(written, page) : new URL(scheme ? written.replace(/^ws/i, "http") : `https://${written}`);
  } catch {
    throw wrong("it is not a URL, e.g. https://phone.example.com");
  }
  if (url.username || url.password) throw wrong("names and passwords belong in credentials");
  const here = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (!scheme && !relative && (page.startsWith("http:") || (here && !page.startsWith("https:"))))
    url = new URL(`http://${written}`); // which has another default port
  if (page.startsWith("https:") && url.protocol === "http:" && !here)
    throw wrong("an https page can only use https and wss");
  return { url, scheme: scheme.toLowerCase() };
}
