// The sign-in of this page, and the server's configuration.

import { useEffect, useState } from "react";
import { type Api, HttpApi, HttpError, type ServerConfig, type Session } from "sip-proxy-client";
import { MORE_IS_REQUIRED, NO_ANSWER_TO_SIGN_IN, SIGNED_IN_WINDOW, WRONG_PASSWORD } from "../texts";
import { forgetHistory } from "./history";
import { askKeyOfSignIn, type Enrolment, isChallengeOver, secondFactorErrorText } from "./secondFactor";
import { canUseSecurityKeys, registerSecurityKey } from "./securityKeys";
import { SERVER_URL } from "./serverUrl";
import * as stored from "./signedIn";
import { fetchSession, handToOpener, resultText, signOutAtProvider, takeResult } from "./singleSignOn";

export interface SessionState {
  config: ServerConfig | null; // null until the server has answered
  unreachable: boolean;
  session: Session | null;
  notice: string; // why one was signed out, or why signing in failed
  busy: boolean;
  incomplete: IncompleteSignIn | null; // the password is right, and something else is required
  choosePassword(password: string): Promise<void>; // which `incomplete` requires, as below
  giveCode(code: string): Promise<void>; // of the app, or a recovery code; the first one of an app that is set up
  giveKey(): Promise<void>; // the browser asks for a security key of the user's
  setUpKey(name: string): Promise<void>; // the same for a new one, which is set up
  recoveryCodes: readonly string[] | null; // to be kept, before the session begins
  keptRecoveryCodes(): void;
  enter(user: string, password: string): Promise<void>;
  leave(notice?: string): void; // the server has ended it
  signOut(): void;
}

export interface IncompleteSignIn {
  user: string;
  code: string; // of the problem, which says what is required
  challenge: string; // what the next step is sent with
  methods: readonly FactorMethod[]; // second factors that there are, or that may be set up
  enrolment: Enrolment | null; // an app is to be set up
}

/** `security_key` only where the browser can use one. */
export type FactorMethod = NonNullable<Api.Problem["methods"]>[number];

export const usableMethods = (methods: Api.Problem["methods"]): readonly FactorMethod[] =>
  (methods ?? []).filter((method) => method !== "security_key" || canUseSecurityKeys());

const ENROLMENT_PATH = "/session/second-factor/enrolment";

/** A session; after an app was set up, with what is to be kept for its loss. */
interface EnrolledSession extends Session {
  recoveryCodes?: string[] | null;
}

const RETRY_INTERVAL_MS = 2000;

/** The one that this page comes from. */
const http = new HttpApi(SERVER_URL);

/** In words. */
export function signInErrorText(error: unknown): string {
  if (!(error instanceof HttpError)) return NO_ANSWER_TO_SIGN_IN;
  if (error.details.challenge) return MORE_IS_REQUIRED;
  return error.status === 401 ? WRONG_PASSWORD : error.message;
}

export function useSession(): SessionState {
  const [config, setConfig] = useState<ServerConfig | null>(null);
  const [unreachable, setUnreachable] = useState(false);
  const [session, setSession] = useState<Session | null>(() => stored.load());
  const [notice, setNotice] = useState("");
  const [busy, setBusy] = useState(false);
  const [incomplete, setIncomplete] = useState<IncompleteSignIn | null>(null);
  const [enrolled, setEnrolled] = useState<EnrolledSession | null>(null);
  const [result, setResult] = useState(takeResult); // of a sign-in at the provider

  useEffect(() => {
    let timer: number | undefined;
    let isCancelled = false;
    const read = (): void => {
      http.config().then(
        (value) => {
          if (isCancelled) return;
          setConfig(value);
          setUnreachable(false);
        },
        () => {
          if (isCancelled) return;
          setUnreachable(true);
          timer = window.setTimeout(read, RETRY_INTERVAL_MS);
        },
      );
    };
    read();
    return () => {
      isCancelled = true;
      clearTimeout(timer);
    };
  }, []);

  const begin = ({ user, token }: Session): void => {
    stored.save({ user, token });
    setEnrolled(null);
    setSession({ user, token });
  };

  useEffect(() => {
    if (result === null || !config) return;
    setResult(null);
    if (result !== "done") return setNotice(resultText(result, config.singleSignOn));
    setBusy(true);
    fetchSession(http)
      .then((value) => (handToOpener(value) ? setNotice(SIGNED_IN_WINDOW) : begin(value)))
      .catch(() => setNotice(resultText("expired", config.singleSignOn)))
      .finally(() => setBusy(false));
  }, [result, config]);

  const require = async (next: IncompleteSignIn): Promise<void> => {
    setIncomplete(next);
    if (next.code !== "second_factor_enrolment_required") return;
    try {
      const { challenge } = next;
      setIncomplete({ ...next, enrolment: await http.post<Enrolment>(ENROLMENT_PATH, { challenge }) });
    } catch (error) {
      setNotice(secondFactorErrorText(error));
    }
  };

  /** One step of the sign-in: then there is a session, or something else is required, or `told` says what is wrong. */
  const step = async (
    user: string,
    request: () => Promise<EnrolledSession>,
    told: (error: unknown) => string,
  ): Promise<void> => {
    setBusy(true);
    setNotice("");
    try {
      const value = await request();
      setIncomplete(null);
      if (value.recoveryCodes) setEnrolled(value);
      else begin(value);
    } catch (error) {
      const { code = "", challenge = null, methods = null } = error instanceof HttpError ? error.details : {};
      if (challenge !== null)
        await require({ user, code, challenge, methods: usableMethods(methods), enrolment: null });
      else setNotice(told(error));
    } finally {
      setBusy(false);
    }
  };

  const enter = (user: string, password: string): Promise<void> =>
    step(
      user,
      async () => (config?.authentication ? http.signIn(user, password, { cookie: true }) : { user, token: null }),
      signInErrorText,
    );

  /** `body`: what the step needs, besides the challenge. */
  const goOn = async (path: string, body: (challenge: string) => object | Promise<object>): Promise<void> => {
    if (!incomplete) return;
    const { user, challenge } = incomplete;
    await step(
      user,
      async () => http.post<EnrolledSession>(path, { challenge, cookie: true, ...(await body(challenge)) }),
      (error) => {
        if (isChallengeOver(error)) setIncomplete(null); // from the beginning
        return secondFactorErrorText(error);
      },
    );
  };
  const choosePassword = (newPassword: string): Promise<void> => goOn("/session/password", () => ({ newPassword }));
  const giveCode = (code: string): Promise<void> =>
    goOn(incomplete?.enrolment ? `${ENROLMENT_PATH}/complete` : "/session/second-factor", () => ({ code }));
  const giveKey = (): Promise<void> =>
    goOn("/session/second-factor/key/complete", async (challenge) => ({
      credential: await askKeyOfSignIn(http, challenge),
    }));
  const setUpKey = (name: string): Promise<void> =>
    goOn(`${ENROLMENT_PATH}/key/complete`, async (challenge) => ({
      name,
      credential: await registerSecurityKey(
        await http.post<Api.KeyRequestData>(`${ENROLMENT_PATH}/key`, { challenge }),
      ),
    }));

  const leave = (why = ""): void => {
    stored.clear();
    setSession(null);
    setIncomplete(null);
    setNotice(why);
  };

  const signOut = (): void => {
    http.token = stored.load()?.token ?? null; // the newest one
    void signOutAtProvider(http).catch(() => undefined); // the server cannot be reached
    if (session) forgetHistory(session.user);
    leave();
  };

  // A session without a token is useless on a server with sign-in.
  const usable = session && config?.authentication && !session.token ? null : session;
  return {
    config,
    unreachable,
    session: usable,
    notice,
    busy,
    incomplete,
    choosePassword,
    giveCode,
    giveKey,
    setUpKey,
    recoveryCodes: enrolled?.recoveryCodes ?? null,
    keptRecoveryCodes: () => enrolled && begin(enrolled),
    enter,
    leave,
    signOut,
  };
}
