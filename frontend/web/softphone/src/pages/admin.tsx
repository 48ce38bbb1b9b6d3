// The admin page: sign-in, what one may see of it, and which part the address names.

import { useEffect, useMemo, useRef, useState } from "react";
import { HttpApi, type Session } from "sip-proxy-client";
import { adminApi } from "../admin/adminApi";
import { hashOf, placeOf, tabsOf } from "../admin/tabs";
import { useLoaded } from "../admin/useLoaded";
import { AdminScreen } from "../components/admin/AdminScreen";
import { SignInPage } from "../components/SignInPage";
import { keepSignedIn } from "../phone/renewToken";
import { SERVER_URL } from "../phone/serverUrl";
import { useSession } from "../phone/useSession";
import { ADMIN } from "../texts";

const NOBODY: Session = { user: "", token: null };
const RENEW_CHECK_MS = 10_000;

export function AdminPage() {
  const state = useSession();
  const { config, unreachable, session, leave } = state;
  const signIn = config?.authentication ?? true;
  const who = session ?? (config && !signIn ? NOBODY : null);
  if (who && config) return <Administering session={who} signIn={signIn} onSignedOut={leave} />;
  if (!config && !unreachable)
    return (
      <main className="sign-in" aria-busy="true">
        <p className="quiet">{ADMIN.loading}</p>
      </main>
    );
  return <SignInPage what={ADMIN.title} authentication state={state} />;
}

interface AdministeringProps {
  session: Session;
  signIn: boolean;
  onSignedOut(reason?: string): void;
}

function Administering({ session, signIn, onSignedOut }: AdministeringProps) {
  const signedOut = useRef(onSignedOut);
  signedOut.current = onSignedOut;
  const http = useMemo(() => {
    const made = new HttpApi(SERVER_URL);
    made.token = session.token;
    return made;
  }, [session.token]);
  const api = useMemo(() => adminApi(http, (reason) => signedOut.current(reason)), [http]);
  useEffect(() => {
    const timer = setInterval(() => void keepSignedIn(http), RENEW_CHECK_MS);
    return () => clearInterval(timer);
  }, [http]);

  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);

  // A role that is given or taken meanwhile shows.
  const me = useLoaded(() => api.me(), session.token ?? "", RENEW_CHECK_MS);
  if (!me.value)
    return (
      <main className="sign-in" aria-busy={!me.error}>
        <p className="quiet" role={me.error ? "alert" : undefined}>
          {me.error || ADMIN.loading}{" "}
          {me.error && (
            <button type="button" className="link" onClick={me.reload}>
              {ADMIN.retry}
            </button>
          )}
        </p>
      </main>
    );
  const tabs = tabsOf(me.value.grants, signIn);
  return (
    <AdminScreen
      api={api}
      me={me.value}
      signIn={signIn}
      tabs={tabs}
      place={placeOf(hash, tabs)}
      onGo={(place) => {
        location.hash = hashOf(place);
      }}
      onSignOut={session.token ? () => onSignedOut() : null}
    />
  );
}
