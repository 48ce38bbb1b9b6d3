// A security key gets a name, and the browser asks for it.

import { type FormEvent, useState } from "react";
import { SECURITY_KEYS } from "../texts";

export interface NewSecurityKeyProps {
  notice: string;
  busy: boolean;
  onAdd(name: string): void;
}

export function NewSecurityKey({ notice, busy, onAdd }: NewSecurityKeyProps) {
  const [name, setName] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy) onAdd(name.trim());
  };
  return (
    <form onSubmit={submit} className="enrolment">
      <p className="quiet rule">{SECURITY_KEYS.why}</p>
      <KeyNameField value={name} onChange={setName} autoFocus />
      <button className="primary" type="submit" disabled={busy}>
        {busy ? SECURITY_KEYS.busy : SECURITY_KEYS.add}
      </button>
      <p role="alert" className="sign-in-notice" data-testid="message">
        {notice}
      </p>
    </form>
  );
}

export function KeyNameField({
  value,
  onChange,
  autoFocus = false,
}: {
  value: string;
  onChange(name: string): void;
  autoFocus?: boolean;
}) {
  return (
    <label>
      <span>{SECURITY_KEYS.name}</span>
      <input
        name="key-name"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder={SECURITY_KEYS.example}
        autoComplete="off"
        maxLength={40}
        pattern=".*\S.*"
        autoFocus={autoFocus}
        required
      />
    </label>
  );
}
