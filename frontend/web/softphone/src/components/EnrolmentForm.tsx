// An authenticator app is set up: the QR code, the secret to type, and the first code. Then the recovery codes.

import { type FormEvent, useState } from "react";
import type { Enrolment } from "../phone/secondFactor";
import { ENROLMENT, RECOVERY_CODES } from "../texts";
import { CodeField } from "./CodeField";
import { QrCode } from "./QrCode";

export interface EnrolmentFormProps {
  enrolment: Enrolment;
  notice: string;
  busy: boolean;
  onCode(code: string): void;
}

export function EnrolmentForm({ enrolment, notice, busy, onCode }: EnrolmentFormProps) {
  const [code, setCode] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy) onCode(code);
  };
  return (
    <form onSubmit={submit} className="enrolment">
      <p className="quiet rule">{ENROLMENT.scan}</p>
      <div className="enrolment-scan">
        <QrCode rows={enrolment.qrCode} label={ENROLMENT.picture} />
        <p className="rule">
          <span className="quiet">{ENROLMENT.orType}</span>{" "}
          <code className="secret">{enrolment.secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
        </p>
      </div>
      <CodeField label={ENROLMENT.code} value={code} onChange={setCode} />
      <button className="primary" type="submit" disabled={busy}>
        {busy ? ENROLMENT.busy : ENROLMENT.confirm}
      </button>
      <p role="alert" className="sign-in-notice" data-testid="message">
        {notice}
      </p>
    </form>
  );
}

export function RecoveryCodeList({ codes, onDone }: { codes: readonly string[]; onDone(): void }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void =>
    void navigator.clipboard?.writeText(codes.join("\n")).then(
      () => setCopied(true),
      () => undefined, // the browser forbids it: they can be read
    );
  return (
    <div className="enrolment">
      <p className="quiet rule">{RECOVERY_CODES.why}</p>
      <ul className="recovery-codes" aria-label={RECOVERY_CODES.title}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <button type="button" className="link" onClick={copy}>
        {copied ? RECOVERY_CODES.copied : RECOVERY_CODES.copy}
      </button>
      <button type="button" className="primary" onClick={onDone} autoFocus>
        {RECOVERY_CODES.done}
      </button>
    </div>
  );
}
