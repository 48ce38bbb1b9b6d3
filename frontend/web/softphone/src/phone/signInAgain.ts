// The sign-in has expired during a call: it is done again, with the second factor, while the call continues.

import { type Api, HttpError, type Session, type SIPProxyClient } from "sip-proxy-client";
import { SIGN_IN_AGAIN } from "../texts";
import { askKeyOfSignIn, isChallengeOver, secondFactorErrorText } from "./secondFactor";
import * as stored from "./signedIn";
import { type FactorMethod, signInErrorText, usableMethods } from "./useSession";

/** The password was right, and a second factor is required. */
export interface SecondStep {
  challenge: string;
  methods: readonly FactorMethod[]; // that this browser can use
}

/** `error`: in words, "" for none. `next`: what is required now, null for nothing, or the password again. */
export interface SignInOutcome {
  error: string;
  next: SecondStep | null;
}

export interface SignInAgainActions {
  withPassword(password: string): Promise<SignInOutcome>;
  withCode(step: SecondStep, code: string): Promise<SignInOutcome>; // of the app, or a recovery code
  withKey(step: SecondStep): Promise<SignInOutcome>;
}

const PATH = "/session/second-factor";

export function signInAgain(client: SIPProxyClient, user: string): SignInAgainActions {
  const { http } = client;
  const begin = ({ user, token }: Session & { token: string }): SignInOutcome => {
    stored.save({ user, token });
    client.updateToken(token);
    return { error: "", next: null };
  };
  const give = async (step: SecondStep, path: string, proof: () => Promise<object>): Promise<SignInOutcome> => {
    try {
      const body = { challenge: step.challenge, cookie: true, ...(await proof()) };
      return begin(await http.post<Api.SessionData>(path, body));
    } catch (error) {
      return { error: textOf(error), next: isChallengeOver(error) ? null : step };
    }
  };
  return {
    withPassword: async (password) => {
      try {
        return begin(await http.signIn(user, password, { cookie: true }));
      } catch (error) {
        const next = secondStepOf(error);
        return { error: next ? "" : signInErrorText(error), next };
      }
    },
    withCode: (step, code) => give(step, PATH, async () => ({ code })),
    withKey: (step) =>
      give(step, `${PATH}/key/complete`, async () => ({
        credential: await askKeyOfSignIn(http, step.challenge),
      })),
  };
}

function secondStepOf(error: unknown): SecondStep | null {
  if (!(error instanceof HttpError) || error.details.code !== "second_factor_required") return null;
  return { challenge: error.details.challenge ?? "", methods: usableMethods(error.details.methods) };
}

/** There is room for a line only. */
function textOf(error: unknown): string {
  if (!(error instanceof HttpError)) return secondFactorErrorText(error);
  if (error.details.challenge) return signInErrorText(error); // yet another step
  if (error.details.field === "code") return SIGN_IN_AGAIN.wrongCode;
  return error.details.field === "credential" ? SIGN_IN_AGAIN.keyRefused : secondFactorErrorText(error);
}
