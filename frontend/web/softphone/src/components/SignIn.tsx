// Name and password; the name alone on a server without sign-in.

import { Phone } from "lucide-react";
import { type FormEvent, useState } from "react";
import { SIGN_IN, signInWith } from "../texts";

export interface SignInProps {
  authentication: boolean;
  unreachable: boolean;
  notice: string;
  busy: boolean;
  what: string; // what one signs in to
  provider?: string; // of single sign-on, by name; "": none
  providerAddress?: string; // where that begins
  onEnter(user: string, password: string): void;
}

const LAST_USER_KEY = "ari-bridge.user";

function lastUser(): string {
  try {
    return localStorage.getItem(LAST_USER_KEY) ?? "";
  } catch {
    return "";
  }
}

export function SignIn({
  authentication,
  unreachable,
  notice,
  busy,
  what,
  provider,
  providerAddress,
  onEnter,
}: SignInProps) {
  const [user, setUser] = useState(lastUser);
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const name = user.trim();
    if (!name || (authentication && !password)) return;
    try {
      localStorage.setItem(LAST_USER_KEY, name);
    } catch {
      // Forbidden storage: the name is typed again next time.
    }
    onEnter(name, password);
  };
  const message = unreachable ? SIGN_IN.unreachable : notice;
  return (
    <main className="sign-in">
      <form onSubmit={submit} className="sign-in-card">
        <span className="sign-in-mark" aria-hidden="true">
          <Phone size={28} />
        </span>
        <h1>{what}</h1>
        <p className="quiet">{authentication ? SIGN_IN.withPassword : SIGN_IN.withoutPassword}</p>
        <label>
          <span>{authentication ? SIGN_IN.user : SIGN_IN.number}</span>
          <input
            data-testid="user-input"
            value={user}
            onChange={(event) => setUser(event.target.value)}
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            required
            placeholder="1001"
          />
        </label>
        {authentication && (
          <label>
            <span>{SIGN_IN.password}</span>
            <input
              data-testid="password-input"
              type="password"
              value={password}
              name="password"
              onChange={(event) => setPassword(event.target.value)}
              autoComplete="current-password"
              required
            />
          </label>
        )}
        <button className="primary" data-testid="sign-in" type="submit" disabled={busy || unreachable}>
          {busy ? SIGN_IN.busy : authentication ? SIGN_IN.enter : SIGN_IN.start}
        </button>
        {provider && !unreachable && (
          <a className="sign-in-provider" data-testid="sign-in-provider" href={providerAddress}>
            {signInWith(provider)}
          </a>
        )}
        <p role="alert" className="sign-in-notice" data-testid="message">
          {message}
        </p>
      </form>
    </main>
  );
}
