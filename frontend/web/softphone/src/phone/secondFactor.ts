// The routes of the second factor (docs/HTTP.md), and what goes wrong there in words.

import { type Api, type HttpApi, HttpError } from "sip-proxy-client";
import { asSentence, NO_ANSWER_TO_SIGN_IN } from "../texts";
import { askSecurityKey, registerSecurityKey, securityKeyErrorText } from "./securityKeys";

export type Enrolment = Api.EnrolmentData;
export type SecondFactor = Api.SecondFactorData;
/** Of having a second factor: a code, or one of the user's security keys, which is asked for. */
export type Proof = { code: string } | "security key";

export class SecondFactorApi {
  constructor(private readonly http: HttpApi) {}

  show(): Promise<SecondFactor> {
    return this.http.request<SecondFactor>("/me/second-factor");
  }

  async begin(password: string, proof: Proof): Promise<Enrolment> {
    return this.http.post<Enrolment>("/me/second-factor", { password, ...(await this.#proved(proof)) });
  }

  /** The recovery codes. */
  async complete(challenge: string, code: string): Promise<string[]> {
    const { recoveryCodes } = await this.http.post<Api.RecoveryCodes>("/me/second-factor/complete", {
      challenge,
      code,
    });
    return recoveryCodes;
  }

  /** The recovery codes. */
  async renewCodes(password: string, proof: Proof): Promise<string[]> {
    const body = { password, ...(await this.#proved(proof)) };
    return (await this.http.post<Api.RecoveryCodes>("/me/second-factor/recovery-codes", body)).recoveryCodes;
  }

  async remove(password: string, proof: Proof): Promise<void> {
    await this.#post("/me/second-factor/remove", { password, ...(await this.#proved(proof)) });
  }

  /** The browser asks for the new key: the recovery codes, none if there are some already. */
  async addKey(name: string, password: string, proof: Proof): Promise<string[]> {
    const body = { password, ...(await this.#proved(proof)) };
    const asked = await this.http.post<Api.KeyRequestData>("/me/second-factor/keys", body);
    const credential = await registerSecurityKey(asked);
    const done = { challenge: asked.challenge, credential, name };
    return (await this.http.post<Api.RecoveryCodes>("/me/second-factor/keys/complete", done)).recoveryCodes;
  }

  async removeKey(id: string, password: string, proof: Proof): Promise<void> {
    const path = `/me/second-factor/keys/${encodeURIComponent(id)}/remove`;
    await this.#post(path, { password, ...(await this.#proved(proof)) });
  }

  async #proved(proof: Proof): Promise<object> {
    if (proof !== "security key") return proof;
    const asked = await this.http.post<Api.KeyRequestData>("/me/second-factor/proof", {});
    return { key: { challenge: asked.challenge, credential: await askSecurityKey(asked) } };
  }

  /** What has no response body. */
  async #post(path: string, body: object): Promise<void> {
    await this.http.fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }
}

/** What one of the user's security keys signs, so that a sign-in is complete. */
export const askKeyOfSignIn = async (http: HttpApi, challenge: string): Promise<Api.Assertion> =>
  askSecurityKey(await http.post<Api.KeyRequestData>("/session/second-factor/key", { challenge }));

/** The challenge of a sign-in is of no use any more. A wrong code, or a key that was not used, may be tried again. */
export const isChallengeOver = (error: unknown): boolean =>
  error instanceof HttpError && error.status === 401 && !error.details.field;

/** The server's sentences are meant for people here. */
export const secondFactorErrorText = (error: unknown): string =>
  securityKeyErrorText(error) ?? (error instanceof HttpError ? asSentence(error.message) : NO_ANSWER_TO_SIGN_IN);
