// The dial permissions in force, and a trial: which rule decides for a user and a number.

import { CircleCheck, CircleX } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { Api } from "sip-proxy-client";
import { type AdminApi, errorText } from "../../admin/adminApi";
import { useLoaded } from "../../admin/useLoaded";
import { ADMIN, DIAL, writtenIn } from "../../texts";
import { Field } from "./Field";

export interface DialPermissionsTabProps {
  api: AdminApi;
}

export function DialPermissionsTab({ api }: DialPermissionsTabProps) {
  const permissions = useLoaded(() => api.dialPermissions(), "");
  return (
    <div className="split split-even">
      <section className="panel" aria-label={DIAL.tryTitle}>
        <Trial api={api} />
      </section>
      <section className="panel" aria-label={DIAL.classes}>
        {permissions.value ? (
          <Permissions permissions={permissions.value} />
        ) : (
          <p className="panel-empty" role={permissions.error ? "alert" : undefined}>
            {permissions.error || ADMIN.loading}
          </p>
        )}
      </section>
    </div>
  );
}

function Trial({ api }: DialPermissionsTabProps) {
  const [user, setUser] = useState("");
  const [number, setNumber] = useState("");
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Api.DialCheckData | null>(null);
  const [error, setError] = useState("");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError("");
    setFound(null);
    try {
      setFound(await api.checkDial(user.trim(), number.trim()));
    } catch (failure) {
      setError(errorText(failure));
    }
    setBusy(false);
  };
  return (
    <form className="panel-scroll" onSubmit={(event) => void submit(event)}>
      <div className="panel-head">
        <h2>{DIAL.tryTitle}</h2>
      </div>
      <div className="panel-body">
        <div className="pair">
          <Field label={DIAL.user}>
            {(names) => (
              <input
                {...names}
                value={user}
                onChange={(event) => setUser(event.target.value)}
                required
                maxLength={64}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
              />
            )}
          </Field>
          <Field label={DIAL.number}>
            {(names) => (
              <input
                {...names}
                value={number}
                onChange={(event) => setNumber(event.target.value)}
                required
                maxLength={128}
                inputMode="tel"
                autoComplete="off"
                spellCheck={false}
              />
            )}
          </Field>
        </div>
        <p className="save">
          <button type="submit" className="primary" disabled={busy}>
            {DIAL.check}
          </button>
          <span className="quiet">{DIAL.tryHint}</span>
        </p>
        {error && (
          <p className="fault-line" role="alert">
            {error}
          </p>
        )}
        <div role="status">{found && <Decision found={found} />}</div>
      </div>
    </form>
  );
}

function Decision({ found }: { found: Api.DialCheckData }) {
  const Icon = found.allowed ? CircleCheck : CircleX;
  const where = [found.e164 && found.e164 !== found.dialled ? found.e164 : "", found.country]
    .filter(Boolean)
    .join(", ");
  const rows: readonly (readonly [string, string])[] = [
    [DIAL.rule, found.rule],
    [DIAL.class, found.classOfService],
    [DIAL.kind, `${found.numberClass.replace(/_/g, " ")}: ${found.why}`],
    [DIAL.dialled, where ? `${found.dialled} (${where})` : found.dialled],
  ];
  return (
    <div className={`decision ${found.allowed ? "decision-good" : "decision-bad"}`} data-testid="decision">
      <p>
        <Icon size={20} aria-hidden="true" /> <b>{found.allowed ? DIAL.allowed : DIAL.refused}</b>
      </p>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Permissions({ permissions }: { permissions: Api.DialPermissionsData }) {
  const given = [
    ...Object.entries(permissions.users).map(([name, value]) => [`${DIAL.user} ${name}`, value] as const),
    ...Object.entries(permissions.roles).map(([name, value]) => [`${DIAL.role} ${name}`, value] as const),
    ...Object.entries(permissions.tenants).map(([name, value]) => [`${DIAL.tenant} ${name}`, value] as const),
    [DIAL.everybodyElse, permissions.default] as const,
  ];
  return (
    <div className="panel-scroll" tabIndex={0} role="region" aria-label={DIAL.whoHas}>
      <div className="panel-head">
        <h2>{DIAL.classes}</h2>
      </div>
      <div className="panel-body">
        <p className="quiet">{permissions.file ? writtenIn(permissions.file) : DIAL.noFile}</p>
        {!permissions.country && <p className="advice">{DIAL.noCountry}</p>}
        <section className="part">
          <h3>{DIAL.whoHas}</h3>
          <dl className="pairs">
            {given.map(([who, name]) => (
              <div key={who}>
                <dt>{who}</dt>
                <dd>{name}</dd>
              </div>
            ))}
          </dl>
        </section>
        <p className="quiet">{DIAL.firstRule}</p>
        {permissions.classes.map(({ name, builtIn, rules }) => (
          <section key={name} className="part">
            <h3>
              {name} {builtIn && <small>{DIAL.builtIn}</small>}
            </h3>
            <ol className="rules">
              {rules.map((rule, index) => (
                <li key={`${index} ${rule}`}>
                  <code>{rule}</code>
                </li>
              ))}
            </ol>
          </section>
        ))}
      </div>
    </div>
  );
}
