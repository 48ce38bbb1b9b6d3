// The sign-in has expired during a call: asks for the password, and for a second factor, while the call continues.

import { type FormEvent, useState } from "react";
import type { SecondStep, SignInAgainActions, SignInOutcome } from "../phone/signInAgain";
import { SECOND_FACTOR, SECURITY_KEYS, SIGN_IN_AGAIN, signInWith, TWO_STEPS } from "../texts";

export interface SignInAgainProps {
  user: string;
  actions: SignInAgainActions;
  provider?: SignInProvider | undefined;
}

/** Another way, which opens a window of its own. */
export interface SignInProvider {
  name: string;
  signIn(): void;
}

export function SignInAgain({ user, actions, provider }: SignInAgainProps) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [step, setStep] = useState<SecondStep | null>(null);
  const [withKey, setWithKey] = useState(false);
  const [busy, setBusy] = useState(false);
  const attempt = async (request: () => Promise<SignInOutcome>): Promise<void> => {
    setBusy(true);
    const { error, next } = await request();
    setBusy(false);
    setProblem(error);
    setStep(next);
    if (next?.challenge === step?.challenge) return;
    setText("");
    setWithKey(next?.methods.includes("security_key") ?? false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!text || busy) return;
    void attempt(() => (step ? actions.withCode(step, text) : actions.withPassword(text)));
  };
  const hasApp = step?.methods.includes("totp");
  const codeLabel = hasApp ? TWO_STEPS.code : SECOND_FACTOR.recoveryCode;
  return (
    <form
      className="stage-message sign-in-again"
      data-testid="sign-in-again"
      onSubmit={submit}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <span role="alert">
        <strong>{problem || (step ? SIGN_IN_AGAIN.second : SIGN_IN_AGAIN.ended)}</strong>{" "}
        {problem ? "" : SIGN_IN_AGAIN.goesOn}
      </span>
      <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
      {step && withKey ? (
        <button
          type="button"
          className="link"
          disabled={busy}
          onClick={() => void attempt(() => actions.withKey(step))}
        >
          {busy ? SECURITY_KEYS.busy : SIGN_IN_AGAIN.useKey}
        </button>
      ) : (
        <>
          <input
            key={step ? "code" : "password"}
            type={step ? "text" : "password"}
            name={step ? "code" : "password"}
            autoComplete={step ? (hasApp ? "one-time-code" : "off") : "current-password"}
            aria-label={step ? codeLabel : SIGN_IN_AGAIN.password}
            placeholder={step ? (hasApp ? SECOND_FACTOR.code : SECOND_FACTOR.recoveryCode) : SIGN_IN_AGAIN.password}
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit" className="link" disabled={busy || !text}>
            {busy ? SIGN_IN_AGAIN.busy : SIGN_IN_AGAIN.enter}
          </button>
        </>
      )}
      {step?.methods.includes("security_key") && (
        <button type="button" className="link" disabled={busy} onClick={() => setWithKey(!withKey)}>
          {withKey ? TWO_STEPS.useCode : TWO_STEPS.useKey}
        </button>
      )}
      {provider && !step && (
        <button type="button" className="link" onClick={provider.signIn}>
          {signInWith(provider.name)}
        </button>
      )}
    </form>
  );
}
