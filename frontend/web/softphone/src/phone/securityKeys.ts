// Security keys and passkeys (WebAuthn): what the server asks goes to the browser, and what the key says goes back.

import type { Api } from "sip-proxy-client";
import { SECURITY_KEYS } from "../texts";

/** Whether this browser, at this address, can ask a key. Older ones cannot read the server's JSON. */
export const canUseSecurityKeys = (): boolean =>
  typeof PublicKeyCredential === "function" &&
  typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function" &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

/** Asks one of the user's keys to sign. Rejects with a DOMException if it does not. */
export async function askSecurityKey({ options }: Api.KeyRequestData): Promise<Api.Assertion> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as unknown as PublicKeyCredentialRequestOptionsJSON,
  );
  const { id, response } = theCredential(await navigator.credentials.get({ publicKey }));
  const { clientDataJSON, authenticatorData, signature } = response as AuthenticatorAssertionResponse;
  return {
    id,
    response: {
      clientDataJSON: base64Url(clientDataJSON),
      authenticatorData: base64Url(authenticatorData),
      signature: base64Url(signature),
    },
  };
}

/** Registers a key, as above. */
export async function registerSecurityKey({ options }: Api.KeyRequestData): Promise<Api.Registration> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as unknown as PublicKeyCredentialCreationOptionsJSON,
  );
  const { id, response } = theCredential(await navigator.credentials.create({ publicKey }));
  const { clientDataJSON, attestationObject, getTransports } = response as AuthenticatorAttestationResponse;
  return {
    id,
    response: {
      clientDataJSON: base64Url(clientDataJSON),
      attestationObject: base64Url(attestationObject),
      transports: getTransports.call(response),
    },
  };
}

/** What the browser says of a key, in words; null for what it is not about. */
export function securityKeyErrorText(error: unknown): string | null {
  if (!(error instanceof DOMException)) return null;
  switch (error.name) {
    case "NotAllowedError": // it took too long, the user has cancelled, or the key is not one that was asked for
    case "AbortError":
      return SECURITY_KEYS.notUsed;
    case "InvalidStateError":
      return SECURITY_KEYS.setUpAlready;
    case "SecurityError":
      return SECURITY_KEYS.wrongAddress;
    default:
      return SECURITY_KEYS.failed;
  }
}

function theCredential(found: Credential | null): PublicKeyCredential {
  if (!(found instanceof PublicKeyCredential)) throw new DOMException("no credential", "NotAllowedError");
  return found;
}

function base64Url(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
