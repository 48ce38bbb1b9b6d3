// The second step of a sign-in: the code of the app, or a recovery code; or setting up the app that a role needs.

import { type FormEvent, type ReactNode, useState } from "react";
import type { Enrolment } from "../phone/secondFactor";
import { ENROLMENT, NEW_PASSWORD, RECOVERY_CODES, SECOND_FACTOR } from "../texts";
import { CodeField } from "./CodeField";
import { EnrolmentForm, RecoveryCodeList } from "./EnrolmentForm";

export interface SecondFactorProps {
  notice: string;
  busy: boolean;
  onCode(code: string): void;
  onCancel(): void;
}

export function SecondFactor({ notice, busy, onCode, onCancel }: SecondFactorProps) {
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy) onCode(code);
  };
  return (
    <Card title={recovery ? SECOND_FACTOR.recoveryTitle : SECOND_FACTOR.title} onCancel={onCancel}>
      <p className="quiet">{recovery ? SECOND_FACTOR.recoveryWhy : SECOND_FACTOR.why}</p>
      <form onSubmit={submit} className="enrolment" key={String(recovery)}>
        <CodeField
          label={recovery ? SECOND_FACTOR.recoveryCode : SECOND_FACTOR.code}
          value={code}
          recovery={recovery}
          onChange={setCode}
        />
        <button className="primary" type="submit" disabled={busy}>
          {busy ? SECOND_FACTOR.busy : SECOND_FACTOR.enter}
        </button>
        <p role="alert" className="sign-in-notice" data-testid="message">
          {notice}
        </p>
      </form>
      <button
        type="button"
        className="link"
        onClick={() => {
          setRecovery(!recovery);
          setCode("");
        }}
      >
        {recovery ? SECOND_FACTOR.useApp : SECOND_FACTOR.useRecovery}
      </button>
    </Card>
  );
}

export interface RequiredEnrolmentProps extends SecondFactorProps {
  enrolment: Enrolment | null; // null: it is on its way
}

export function RequiredEnrolment({ enrolment, notice, busy, onCode, onCancel }: RequiredEnrolmentProps) {
  return (
    <Card title={ENROLMENT.title} onCancel={onCancel}>
      <p className="quiet">{ENROLMENT.required}</p>
      {enrolment ? (
        <EnrolmentForm enrolment={enrolment} notice={notice} busy={busy} onCode={onCode} />
      ) : (
        <p role="alert" className="sign-in-notice">
          {notice}
        </p>
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
