// Getting a token for a name and a password, and what it means where there is none.

import type { Identity } from "./credentials.js";
import { SIPProxyError, told } from "./errors.js";
import { Refused, type Server } from "./http/HttpApi.js";

/** An error that is not `fatal` may be gone later. */
export async function signIn(server: Server, user: string, password: string): Promise<Pick<Identity, "token" | "expiresAt"> | SIPProxyError> {
  let known = false; // it is the server that answers
  try {
    const config = (await server.config()) as { authentication?: unknown } | null; // whoever answers there
    if (typeof config?.authentication !== "boolean") throw new SyntaxError("This is no configuration.");
    known = true;
    if (!config.authentication) return { token: null, expiresAt: null };
    const { token, expiresAt = null } = await server.signIn(user, password);
    return { token, expiresAt };
  } catch (cause) {
    if (cause instanceof SyntaxError) return noServer(server, "is something else", cause);
    if (!(cause instanceof Refused)) return unreachable(server.base, cause);
    const { status, code, message } = cause;
    const later = status >= 500 || status === 408 || status === 429;
    if (!known && !later) return noServer(server, `is ${status}`, cause);
    return told(status === 401 ? "unauthorized" : code, message, !later, cause);
  }
}

const noServer = ({ base }: Server, answer: string, cause: Error): SIPProxyError =>
  new SIPProxyError("invalid_address", `There is no API of the server at ${base}: its answer to GET /config ${answer}. proxyUrl is to be its http address.`, true, { cause });

export const unreachable = (address: string, cause: unknown = whyNot(address)): SIPProxyError =>
  new SIPProxyError("server_unreachable", `The server cannot be reached at ${address}.`, false, { cause });

/** For who looks into it: browsers do not tell pages that a server has refused them. */
function whyNot(address: string): Error | undefined {
  const { origin, host } = globalThis.location ?? {};
  return !host || new URL(address).host === host ? undefined : new Error(`Either it does not run there, or its CORS_ORIGIN does not let in ${origin}.`);
}

/** `cause`: what the HTTP API's answer, or its silence, has thrown. */
export function asSIPProxyError(cause: unknown): never {
  if (cause instanceof Refused) throw told(cause.code, cause.message, cause.status === 401, cause);
  throw new SIPProxyError("server_unreachable", "", false, { cause });
}
