// Before a second factor changes: the password, and what proves that one has it, a code or a security key.

import { type FormEvent, useState } from "react";
import type { Proof } from "../phone/secondFactor";
import { SECURITY_KEYS, TWO_STEPS } from "../texts";
import { CodeField } from "./CodeField";
import { KeyNameField } from "./NewSecurityKey";

export interface ConfirmSecondFactorProps {
  proofs: { app: boolean; key: boolean; needed: boolean }; // with what; needed: there is a second factor
  named: boolean; // a key is added, which gets a name
  notice: string;
  busy: boolean;
  onConfirm(password: string, proof: Proof, name: string): void;
  onCancel(): void;
}

export function ConfirmSecondFactor({ proofs, named, notice, busy, onConfirm, onCancel }: ConfirmSecondFactorProps) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [name, setName] = useState("");
  const [withKey, setWithKey] = useState(proofs.key);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy) onConfirm(password, withKey ? "security key" : { code }, name.trim());
  };
  return (
    <form onSubmit={submit} className="account-form">
      {named && <KeyNameField value={name} onChange={setName} autoFocus />}
      <label>
        <span>{TWO_STEPS.password}</span>
        <input
          type="password"
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          autoFocus={!named}
          required
        />
      </label>
      {proofs.needed && !withKey && (
        <CodeField
          label={proofs.app ? TWO_STEPS.code : TWO_STEPS.recoveryCode}
          value={code}
          recovery
          focused={false}
          onChange={setCode}
        />
      )}
      <button type="submit" className="primary" disabled={busy}>
        {busy && (withKey || named) ? SECURITY_KEYS.busy : withKey ? TWO_STEPS.goWithKey : TWO_STEPS.go}
      </button>
      <p className="account-choices">
        {proofs.key && (
          <button type="button" className="link" disabled={busy} onClick={() => setWithKey(!withKey)}>
            {withKey ? TWO_STEPS.useCode : TWO_STEPS.useKey}
          </button>
        )}
        <button type="button" className="link" onClick={onCancel}>
          {TWO_STEPS.cancel}
        </button>
      </p>
      <p role="alert" className="fault">
        {notice}
      </p>
    </form>
  );
}
