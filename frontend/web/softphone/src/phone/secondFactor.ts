// The routes of the second factor (docs/HTTP.md), and what goes wrong there in words.

import { type Api, type HttpApi, HttpError } from "sip-proxy-client";
import { asSentence, NO_ANSWER_TO_SIGN_IN } from "../texts";

export type Enrolment = Api.EnrolmentData;
export type SecondFactor = Api.SecondFactorData;

export class SecondFactorApi {
  constructor(private readonly http: HttpApi) {}

  show(): Promise<SecondFactor> {
    return this.http.request<SecondFactor>("/me/second-factor");
  }

  begin(password: string): Promise<Enrolment> {
    return this.http.post<Enrolment>("/me/second-factor", { password });
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
  async renewCodes(password: string, code: string): Promise<string[]> {
    const body = { password, code };
    return (await this.http.post<Api.RecoveryCodes>("/me/second-factor/recovery-codes", body)).recoveryCodes;
  }

  async remove(password: string, code: string): Promise<void> {
    await this.http.fetch("/me/second-factor/remove", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ password, code }),
    });
  }
}

/** The server's sentences are meant for people here. */
export const secondFactorErrorText = (error: unknown): string =>
  error instanceof HttpError ? asSentence(error.message) : NO_ANSWER_TO_SIGN_IN;
