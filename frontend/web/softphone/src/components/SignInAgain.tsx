// The sign-in has expired during a call: asks for the password while the call continues.

import { type FormEvent, useState } from "react";
import { SIGN_IN_AGAIN, signInWith } from "../texts";

export interface SignInAgainProps {
  user: string;
  onSignIn(password: string): Promise<string>; // the error; "" for none
  provider?: SignInProvider | undefined;
}

/** Another way, which opens a window of its own. */
export interface SignInProvider {
  name: string;
  signIn(): void;
}

export function SignInAgain({ user, onSignIn, provider }: SignInAgainProps) {
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!password || busy) return;
    setBusy(true);
    setProblem(await onSignIn(password));
    setBusy(false);
  };
  return (
    <form
      className="stage-message sign-in-again"
      data-testid="sign-in-again"
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <span role="alert">
        <strong>{problem || SIGN_IN_AGAIN.ended}</strong> {problem ? "" : SIGN_IN_AGAIN.goesOn}
      </span>
      <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
      <input
        type="password"
        name="password"
        autoComplete="current-password"
        aria-label={SIGN_IN_AGAIN.password}
        placeholder={SIGN_IN_AGAIN.password}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <button type="submit" className="link" disabled={busy || !password}>
        {busy ? SIGN_IN_AGAIN.busy : SIGN_IN_AGAIN.enter}
      </button>
      {provider && (
        <button type="button" className="link" onClick={provider.signIn}>
          {signInWith(provider.name)}
        </button>
      )}
    </form>
  );
}
