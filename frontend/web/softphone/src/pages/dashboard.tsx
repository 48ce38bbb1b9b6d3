// The dashboard page: sign-in, what is followed, and the filter in the address.

import { useEffect, useState } from "react";
import type { Session } from "sip-proxy-client";
import { DashboardScreen } from "../components/DashboardScreen";
import { SignInPage } from "../components/SignInPage";
import { useDashboard } from "../dashboard/useDashboard";
import { useOperating } from "../dashboard/useOperating";
import { useSession } from "../phone/useSession";

const NOBODY: Session = { user: "", token: null };

export function DashboardPage() {
  const state = useSession();
  const { config, unreachable, session, leave, signOut } = state;
  const viewer = session ?? (config && !config.authentication ? NOBODY : null);
  if (!viewer) {
    if (!config && !unreachable)
      return (
        <main className="sign-in" aria-busy="true">
          <p className="quiet">Loading…</p>
        </main>
      );
    return <SignInPage what="Dashboard" authentication state={state} />;
  }
  return <Following session={viewer} onSignedOut={leave} onSignOut={viewer.token ? signOut : null} />;
}

interface FollowingProps {
  session: Session;
  onSignedOut(reason: string): void;
  onSignOut: (() => void) | null;
}

function Following({ session, onSignedOut, onSignOut }: FollowingProps) {
  const [filter, setFilter] = useState(() => new URLSearchParams(location.search).get("filter") ?? "");
  const [paused, setPaused] = useState(false);
  const state = useDashboard(session, paused, onSignedOut);
  const operating = useOperating(session);
  useEffect(() => {
    const query = filter ? `?${new URLSearchParams({ filter })}` : "";
    history.replaceState(null, "", location.pathname + query);
  }, [filter]);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).matches("input, textarea"))
        return;
      if (event.key.toLowerCase() === "p") setPaused((value) => !value);
      else if (event.key === "/") document.querySelector<HTMLInputElement>("[data-testid=event-filter]")?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return (
    <DashboardScreen
      state={state}
      filter={filter}
      paused={paused}
      onFilter={setFilter}
      onPause={setPaused}
      onSignOut={onSignOut}
      operating={operating}
    />
  );
}
