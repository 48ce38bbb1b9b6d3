// The sign-in of this page, and the server's configuration.

import { useEffect, useState } from "react";
import { HttpApi, HttpError, type ServerConfig, type Session } from "sip-proxy-client";
import { NO_ANSWER_TO_SIGN_IN, SIGNED_IN_WINDOW, WRONG_PASSWORD } from "../texts";
import { SERVER_URL } from "./serverUrl";
import * as stored from "./signedIn";
import { fetchSession, handToOpener, resultText, signOutAtProvider, takeResult } from "./singleSignOn";

export interface SessionState {
  config: ServerConfig | null; // null until the server has answered
  unreachable: boolean;
  session: Session | null;
  notice: string; // why one was signed out, or why signing in failed
  busy: boolean;
  enter(user: string, password: string): Promise<void>;
  leave(notice?: string): void; // the server has ended it
  signOut(): void;
}

const RETRY_INTERVAL_MS = 2000;

/** The one that this page comes from. */
const http = new HttpApi(SERVER_URL);

/** In words. */
export function signInErrorText(error: unknown): string {
  if (!(error instanceof HttpError)) return NO_ANSWER_TO_SIGN_IN;
  return error.status === 401 ? WRONG_PASSWORD : error.message;
}

export function useSession(): SessionState {
  const [config, setConfig] = useState<ServerConfig | null>(null);
  const [unreachable, setUnreachable] = useState(false);
  const [session, setSession] = useState<Session | null>(() => stored.load());
  const [notice, setNotice] = useState("");
  const [busy, setBusy] = useState(false);
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

  useEffect(() => {
    if (result === null || !config) return;
    setResult(null);
    if (result !== "done") return setNotice(resultText(result, config.singleSignOn));
    setBusy(true);
    fetchSession(http)
      .then((value) => {
        if (handToOpener(value)) return setNotice(SIGNED_IN_WINDOW);
        stored.save(value);
        setSession({ user: value.user, token: value.token });
      })
      .catch(() => setNotice(resultText("expired", config.singleSignOn)))
      .finally(() => setBusy(false));
  }, [result, config]);

  const enter = async (user: string, password: string): Promise<void> => {
    setBusy(true);
    setNotice("");
    try {
      const value = config?.authentication
        ? await http.signIn(user, password, { cookie: true })
        : { user, token: null };
      stored.save(value);
      setSession({ user: value.user, token: value.token });
    } catch (error) {
      setNotice(signInErrorText(error));
    } finally {
      setBusy(false);
    }
  };

  const leave = (why = ""): void => {
    stored.clear();
    setSession(null);
    setNotice(why);
  };

  const signOut = (): void => {
    http.token = stored.load()?.token ?? null; // the newest one
    void signOutAtProvider(http).catch(() => undefined); // the server cannot be reached
    leave();
  };

  // A session without a token is useless on a server with sign-in.
  const usable = session && config?.authentication && !session.token ? null : session;
  return { config, unreachable, session: usable, notice, busy, enter, leave, signOut };
}
