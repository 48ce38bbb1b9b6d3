// The second step of a sign-in: a security key, the code of the app, or a recovery code; or setting up what a role needs.

import { type FormEvent, type ReactNode, useState } from "react";
import type { Enrolment } from "../phone/secondFactor";
import type { FactorMethod } from "../phone/useSession";
import { ENROLMENT, NEW_PASSWORD, RECOVERY_CODES, SECOND_FACTOR, SECURITY_KEYS } from "../texts";
import { CodeField } from "./CodeField";
import { EnrolmentForm, RecoveryCodeList } from "./EnrolmentForm";
import { NewSecurityKey } from "./NewSecurityKey";

interface StepProps {
  notice: string;
  busy: boolean;
  methods: readonly FactorMethod[]; // that this browser can use
  onCode(code: string): void;
  onCancel(): void;
}

export interface SecondFactorProps extends StepProps {
  onKey(): void;
}

const TITLES = {
  security_key: SECOND_FACTOR.keyTitle,
  totp: SECOND_FACTOR.title,
  recovery_code: SECOND_FACTOR.recoveryTitle,
};
const REASONS = {
  security_key: SECOND_FACTOR.keyWhy,
  totp: SECOND_FACTOR.why,
  recovery_code: SECOND_FACTOR.recoveryWhy,
};
const CHOICES = {
  security_key: SECOND_FACTOR.useKey,
  totp: SECOND_FACTOR.useApp,
  recovery_code: SECOND_FACTOR.useRecovery,
};

/** The easiest first. */
const ORDER: readonly FactorMethod[] = ["security_key", "totp", "recovery_code"];

export function SecondFactor({ notice, busy, methods, onCode, onKey, onCancel }: SecondFactorProps) {
  const possible = ORDER.filter((one) => methods.includes(one));
  const [method, setMethod] = useState(possible[0] ?? "recovery_code");
  const isKeyUseless = possible.every((one) => one === "recovery_code");
  return (
    <Card title={TITLES[method]} onCancel={onCancel}>
      <p className="quiet">
        {isKeyUseless && `${SECOND_FACTOR.keyCannot} `}
        {REASONS[method]}
      </p>
      {method === "security_key" ? (
        <div className="enrolment">
          <button className="primary" type="button" disabled={busy} onClick={onKey} autoFocus>
            {busy ? SECOND_FACTOR.askingKey : SECOND_FACTOR.useKey}
          </button>
          <Notice text={notice} />
        </div>
      ) : (
        <CodeForm key={method} recovery={method === "recovery_code"} notice={notice} busy={busy} onCode={onCode} />
      )}
      {possible
        .filter((one) => one !== method)
        .map((one) => (
          <button key={one} type="button" className="link" disabled={busy} onClick={() => setMethod(one)}>
            {CHOICES[one]}
          </button>
        ))}
    </Card>
  );
}

function CodeForm({
  recovery,
  notice,
  busy,
  onCode,
}: Pick<StepProps, "notice" | "busy" | "onCode"> & { recovery: boolean }) {
  const [code, setCode] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy) onCode(code);
  };
  return (
    <form onSubmit={submit} className="enrolment">
      <CodeField
        label={recovery ? SECOND_FACTOR.recoveryCode : SECOND_FACTOR.code}
        value={code}
        recovery={recovery}
        onChange={setCode}
      />
      <button className="primary" type="submit" disabled={busy}>
        {busy ? SECOND_FACTOR.busy : SECOND_FACTOR.enter}
      </button>
      <Notice text={notice} />
    </form>
  );
}

export interface RequiredEnrolmentProps extends StepProps {
  enrolment: Enrolment | null; // null: it is on its way
  onNewKey(name: string): void;
}

export function RequiredEnrolment({
  enrolment,
  notice,
  busy,
  methods,
  onCode,
  onNewKey,
  onCancel,
}: RequiredEnrolmentProps) {
  const [withKey, setWithKey] = useState(false);
  return (
    <Card title={withKey ? SECURITY_KEYS.title : ENROLMENT.title} onCancel={onCancel}>
      <p className="quiet">{ENROLMENT.required}</p>
      {withKey ? (
        <NewSecurityKey notice={notice} busy={busy} onAdd={onNewKey} />
      ) : enrolment ? (
        <EnrolmentForm enrolment={enrolment} notice={notice} busy={busy} onCode={onCode} />
      ) : (
        <Notice text={notice} />
      )}
      {methods.includes("security_key") && (
        <button type="button" className="link" disabled={busy} onClick={() => setWithKey(!withKey)}>
          {withKey ? ENROLMENT.useApp : ENROLMENT.useKey}
        </button>
      )}
    </Card>
  );
}

export function KeepRecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone(): void }) {
  return (
    <Card title={RECOVERY_CODES.title}>
      <RecoveryCodeList codes={codes} onDone={onDone} />
    </Card>
  );
}

function Notice({ text }: { text: string }) {
  return (
    <p role="alert" className="sign-in-notice" data-testid="message">
      {text}
    </p>
  );
}

function Card({ title, children, onCancel }: { title: string; children: ReactNode; onCancel?: () => void }) {
  return (
    <main className="sign-in">
      <section className="sign-in-card">
        <h1>{title}</h1>
        {children}
        {onCancel && (
          <button type="button" className="link" onClick={onCancel}>
            {NEW_PASSWORD.back}
          </button>
        )}
      </section>
    </main>
  );
}
