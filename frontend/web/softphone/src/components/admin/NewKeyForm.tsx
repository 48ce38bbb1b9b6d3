// A new API key: for servers, or for pages of certain origins.

import { type FormEvent, useState } from "react";
import type { Api } from "sip-proxy-client";
import { type AdminApi, errorText } from "../../admin/adminApi";
import { type KeyDraft, NEW_KEY, requestOf } from "../../admin/keys";
import { useLoaded } from "../../admin/useLoaded";
import { GRANTS, KEYS, USERS } from "../../texts";
import { Field } from "./Field";

export interface NewKeyFormProps {
  api: AdminApi;
  me: Api.MeData;
  onCreated(made: Api.KeyWithSecret): void;
  onCancel(): void;
}

export function NewKeyForm({ api, me, onCreated, onCancel }: NewKeyFormProps) {
  const [draft, setDraft] = useState<KeyDraft>(NEW_KEY);
  const classes = useLoaded(() => api.dialPermissions(), "");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const change = (changes: Partial<KeyDraft>): void => setDraft((before) => ({ ...before, ...changes }));
  const toggle = (scope: string, on: boolean): void =>
    change({ scopes: me.grants.filter((each) => (each === scope ? on : draft.scopes.includes(each))) });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      onCreated(await api.addKey(requestOf(draft)));
    } catch (failure) {
      setError(errorText(failure));
      setBusy(false);
    }
  };
  return (
    <form className="panel-scroll" onSubmit={(event) => void submit(event)}>
      <div className="panel-head">
        <h2>{KEYS.add}</h2>
        <button type="button" className="tool" onClick={onCancel}>
          {USERS.cancel}
        </button>
      </div>
      <div className="panel-body">
        <fieldset className="fields" disabled={busy}>
          <Field label={KEYS.label} hint={KEYS.labelHint}>
            {(names) => (
              <input
                {...names}
                value={draft.label}
                onChange={(event) => change({ label: event.target.value })}
                required
                maxLength={80}
                autoFocus
                autoComplete="off"
              />
            )}
          </Field>
          <fieldset className="field roles">
            <legend>{KEYS.where}</legend>
            {[false, true].map((inPages) => (
              <label key={String(inPages)} className="choice">
                <input
                  type="radio"
                  name="where"
                  checked={draft.inPages === inPages}
                  onChange={() => change({ inPages })}
                />
                <span>{inPages ? KEYS.inPages : KEYS.onServers}</span>
              </label>
            ))}
          </fieldset>
          {draft.inPages ? (
            <Field label={KEYS.origins} hint={KEYS.originsHint}>
              {(names) => (
                <input
                  {...names}
                  value={draft.origins}
                  onChange={(event) => change({ origins: event.target.value })}
                  required
                  placeholder="https://shop.example.com"
                  autoComplete="off"
                  spellCheck={false}
                />
              )}
            </Field>
          ) : (
            <Field label={KEYS.addresses} hint={KEYS.addressesHint}>
              {(names) => (
                <input
                  {...names}
                  value={draft.addresses}
                  onChange={(event) => change({ addresses: event.target.value })}
                  placeholder="192.0.2.0/24"
                  autoComplete="off"
                  spellCheck={false}
                />
              )}
            </Field>
          )}
          <fieldset className="field roles">
            <legend>{KEYS.scopes}</legend>
            {me.grants.map((grant) => (
              <label key={grant} className="choice">
                <input
                  type="checkbox"
                  checked={draft.scopes.includes(grant)}
                  onChange={(event) => toggle(grant, event.target.checked)}
                />
                <span>
                  <b>{grant}</b> {GRANTS[grant] ?? ""}
                </span>
              </label>
            ))}
          </fieldset>
          <Field label={KEYS.users} hint={KEYS.usersHint}>
            {(names) => (
              <input
                {...names}
                value={draft.users}
                onChange={(event) => change({ users: event.target.value })}
                autoComplete="off"
                spellCheck={false}
              />
            )}
          </Field>
          <Field label={KEYS.class}>
            {(names) => (
              <select
                {...names}
                value={draft.classOfService}
                onChange={(event) => change({ classOfService: event.target.value })}
              >
                <option value="">{KEYS.defaultClass}</option>
                {classes.value?.classes.map(({ name }) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <div className="pair">
            <Field label={KEYS.maxCalls}>
              {(names) => (
                <input
                  {...names}
                  type="number"
                  min={1}
                  max={10000}
                  value={draft.maxCalls}
                  onChange={(event) => change({ maxCalls: event.target.value })}
                />
              )}
            </Field>
            <Field label={KEYS.expires} hint={KEYS.expiresHint}>
              {(names) => (
                <input
                  {...names}
                  type="date"
                  value={draft.expires}
                  onChange={(event) => change({ expires: event.target.value })}
                />
              )}
            </Field>
          </div>
          {error && (
            <p className="fault-line" role="alert">
              {error}
            </p>
          )}
          <button type="submit" className="primary" disabled={busy || draft.scopes.length === 0}>
            {KEYS.create}
          </button>
        </fieldset>
      </div>
    </form>
  );
}
