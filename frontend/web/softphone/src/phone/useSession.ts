// The sign-in of this page, and the server's configuration.

import { useEffect, useState } from "react";
import { HttpApi, HttpError, type ServerConfig, type Session } from "sip-proxy-client";
import { asSentence, MORE_IS_REQUIRED, NO_ANSWER_TO_SIGN_IN, WRONG_PASSWORD } from "../texts";
import { SERVER_URL } from "./serverUrl";
import * as stored from "./signedIn";

export interface SessionState {
  config: ServerConfig | null; // null until the server has answered
  unreachable: boolean;
  session: Session | null;
  notice: string; // why one was signed out, or why signing in failed
  busy: boolean;
  incomplete: IncompleteSignIn | null; // the password is right, and something else is required
  choosePassword(password: string): Promise<void>; // which `incomplete` requires
  enter(user: string, password: string): Promise<void>;
  leave(notice?: string): void;
}

/** `challenge`: what the next step is sent with. */
export interface IncompleteSignIn {
  user: string;
  challenge: string;
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

  /** One step of the sign-in: then there is a session, or something else is required, or `told` says what is wrong. */
  const step = async (
    user: string,
    request: () => Promise<Session>,
    told: (error: unknown) => string,
  ): Promise<void> => {
    setBusy(true);
    setNotice("");
    try {
      const value = await request();
      stored.save(value);
      setIncomplete(null);
      setSession({ user: value.user, token: value.token });
    } catch (error) {
      const { challenge = null } = error instanceof HttpError ? error.details : {};
      if (challenge !== null) setIncomplete({ user, challenge });
      else setNotice(told(error));
    } finally {
      setBusy(false);
    }
  };

  const enter = (user: string, password: string): Promise<void> =>
    step(
      user,
      async () => (config?.authentication ? http.signIn(user, password) : { user, token: null }),
      signInErrorText,
    );

  const choosePassword = async (newPassword: string): Promise<void> => {
    if (!incomplete) return;
    const { user, challenge } = incomplete;
    await step(
      user,
      () => http.post<Session>("/session/password", { challenge, newPassword }),
      (error) => {
        if (!(error instanceof HttpError)) return NO_ANSWER_TO_SIGN_IN;
        if (error.status === 401) setIncomplete(null); // it took too long: from the beginning
        return asSentence(error.message);
      },
    );
  };

  const leave = (why = ""): void => {
    stored.clear();
    setSession(null);
    setIncomplete(null);
    setNotice(why);
  };

  // A session without a token is useless on a server with sign-in.
  const usable = session && config?.authentication && !session.token ? null : session;
  return { config, unreachable, session: usable, notice, busy, incomplete, choosePassword, enter, leave };
}
