// Gets a token for a name and a password, or for an API key, and says why there is none.

import { type Identity, NO_TOKEN } from "./credentials.js";
import { errorFromServer, SIPProxyError } from "./errors.js";
import { type HttpApi, HttpError } from "./http/HttpApi.js";

/** An error that is not `fatal` may be gone later. */
export async function signIn(
  http: HttpApi,
  { user, password, apiKey }: Identity,
): Promise<Pick<Identity, "token" | "expiresAt" | "refreshBy"> | SIPProxyError> {
  let isServer = false; // it is the server that answers
  try {
    const config = (await http.config()) as { authentication?: unknown } | null; // from whatever is at this address
    if (typeof config?.authentication !== "boolean") throw new SyntaxError();
    isServer = true;
    if (!config.authentication) return NO_TOKEN;
    const { token, expiresAt = null, refreshToken } = await http.signIn(user, password!, { apiKey });
    return { token, expiresAt, refreshBy: refreshToken ? { refreshToken } : null };
  } catch (cause) {
    if (cause instanceof SyntaxError) return notAServer(http, "something else", cause);
    if (!(cause instanceof HttpError)) return unreachableError(http.base, cause);
    const { status, code, message } = cause;
    const later = status >= 500 || status === 408 || status === 429;
    if (!isServer && !later) return notAServer(http, `${status}`, cause);
    return errorFromServer(status === 401 && !cause.details.challenge ? "unauthorized" : code, message, !later, cause);
  }
}

const notAServer = ({ base }: HttpApi, response: string, cause: Error): SIPProxyError =>
  new SIPProxyError(
    "invalid_address",
    `proxyUrl is not the server's HTTP address: GET ${base}/config returned ${response}.`,
    true,
    { cause },
  );

export const unreachableError = (address: string, cause: unknown = likelyCause(address)): SIPProxyError =>
  new SIPProxyError("server_unreachable", `The server cannot be reached at ${address}.`, false, { cause });

/** For developers: browsers do not tell pages that a server has refused them. */
function likelyCause(address: string): Error | undefined {
  const { origin, host } = globalThis.location ?? {};
  return !host || new URL(address).host === host
    ? undefined
    : new Error(`It does not run there, or its CORS_ORIGIN lacks ${origin}.`);
}

/** `cause`: what the HTTP API's answer, or its silence, has thrown. */
export function asSIPProxyError(cause: unknown): never {
  if (cause instanceof HttpError) throw errorFromServer(cause.code, cause.message, cause.status === 401, cause);
  throw new SIPProxyError("server_unreachable", "", false, { cause });
}
