// A new user. The server makes the first password.

import { type FormEvent, useState } from "react";
import type { Api } from "sip-proxy-client";
import { type AdminApi, errorText } from "../../admin/adminApi";
import { USERS } from "../../texts";
import { Field } from "./Field";
import { UserFields } from "./UserFields";

export interface NewUserFormProps {
  api: AdminApi;
  classes: readonly string[];
  onCreated(made: Api.NewPasswordData): void;
  onCancel(): void;
}

export function NewUserForm({ api, classes, onCreated, onCancel }: NewUserFormProps) {
  const [name, setName] = useState("");
  const [settings, setSettings] = useState<Required<Api.UserSettings>>({
    roles: ["user"],
    displayName: "",
    classOfService: "",
  });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      onCreated(await api.addUser({ name: name.trim(), ...settings }));
    } catch (failure) {
      setError(errorText(failure));
      setBusy(false);
    }
  };
  return (
    <form className="panel-scroll" onSubmit={(event) => void submit(event)}>
      <div className="panel-head">
        <h2>{USERS.add}</h2>
        <button type="button" className="tool" onClick={onCancel}>
          {USERS.cancel}
        </button>
      </div>
      <div className="panel-body">
        <Field label={USERS.name} hint={USERS.nameHint}>
          {(names) => (
            <input
              {...names}
              value={name}
              onChange={(event) => setName(event.target.value)}
              pattern="[A-Za-z0-9_.\-]{1,64}"
              title={USERS.nameHint}
              maxLength={64}
              required
              autoFocus
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              disabled={busy}
            />
          )}
        </Field>
        <UserFields value={settings} classes={classes} disabled={busy} onChange={setSettings} />
        {error && (
          <p className="fault-line" role="alert">
            {error}
          </p>
        )}
        <button type="submit" className="primary" disabled={busy || settings.roles.length === 0}>
          {USERS.create}
        </button>
      </div>
    </form>
  );
}
