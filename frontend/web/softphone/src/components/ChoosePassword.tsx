// At the first sign-in: another password, which nobody else knows.

import type { FormEvent } from "react";
import { NEW_PASSWORD } from "../texts";
import { useNewPassword } from "./NewPassword";

export interface ChoosePasswordProps {
  user: string;
  length: number; // characters that it needs
  notice: string;
  busy: boolean;
  onChoose(password: string): void;
  onCancel(): void;
}

export function ChoosePassword({ user, length, notice, busy, onChoose, onCancel }: ChoosePasswordProps) {
  const { fields, take } = useNewPassword(length, true);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const password = take();
    if (password !== null) onChoose(password);
  };
  return (
    <main className="sign-in">
      <form onSubmit={submit} className="sign-in-card">
        <h1>{NEW_PASSWORD.title}</h1>
        <p className="quiet">{NEW_PASSWORD.why}</p>
        <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
        {fields}
        <button className="primary" type="submit" disabled={busy}>
          {busy ? NEW_PASSWORD.busy : NEW_PASSWORD.save}
        </button>
        <p role="alert" className="sign-in-notice" data-testid="message">
          {notice}
        </p>
        <button type="button" className="link" onClick={onCancel} disabled={busy}>
          {NEW_PASSWORD.back}
        </button>
      </form>
    </main>
  );
}
