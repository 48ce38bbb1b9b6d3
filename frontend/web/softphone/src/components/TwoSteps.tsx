// In the account's sheet: the second factor is set up, its recovery codes are made anew, or it is turned off.

import { type FormEvent, useEffect, useState } from "react";
import { type Enrolment, type SecondFactor, type SecondFactorApi, secondFactorErrorText } from "../phone/secondFactor";
import { TWO_STEPS } from "../texts";
import { CodeField } from "./CodeField";
import { EnrolmentForm, RecoveryCodeList } from "./EnrolmentForm";

type Wish = "setUp" | "newCodes" | "remove";

/** `onBusy`: whether something is being set up or turned off. */
export function TwoSteps({ api, onBusy }: { api: SecondFactorApi; onBusy(busy: boolean): void }) {
  const [state, setState] = useState<SecondFactor | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [notice, setNotice] = useState("");
  const [busy, setBusy] = useState(false);

  const attempt = async (request: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setNotice("");
    await request().catch((error: unknown) => setNotice(secondFactorErrorText(error)));
    setBusy(false);
  };
  const load = (): Promise<void> => attempt(async () => setState(await api.show()));
  useEffect(() => void load(), []);
  useEffect(() => onBusy(wish !== null), [wish]);
  const leave = (): void => {
    setWish(null);
    setEnrolment(null);
    setCodes(null);
    setPassword("");
    setCode("");
    setNotice("");
  };
  const confirm = (event: FormEvent): void => {
    event.preventDefault();
    if (busy) return;
    void attempt(async () => {
      if (wish === "setUp") setEnrolment(await api.begin(password));
      else if (wish === "newCodes") setCodes(await api.renewCodes(password, code));
      else {
        await api.remove(password, code);
        leave();
        await load();
      }
    });
  };

  return (
    <section className="account-form" aria-labelledby="two-steps-title">
      <h3 id="two-steps-title">{TWO_STEPS.title}</h3>
      {codes ? (
        <RecoveryCodeList
          codes={codes}
          onDone={() => {
            leave();
            void load();
          }}
        />
      ) : enrolment ? (
        <EnrolmentForm
          enrolment={enrolment}
          notice={notice}
          busy={busy}
          onCode={(given) => void attempt(async () => setCodes(await api.complete(enrolment.challenge, given)))}
        />
      ) : wish ? (
        <form onSubmit={confirm} className="account-form">
          <label>
            <span>{TWO_STEPS.password}</span>
            <input
              type="password"
              name="password"
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              autoFocus
              required
            />
          </label>
          {wish !== "setUp" && <CodeField label={TWO_STEPS.code} value={code} recovery onChange={setCode} />}
          <button type="submit" className="primary" disabled={busy}>
            {TWO_STEPS.go}
          </button>
          <p role="alert" className="fault">
            {notice}
          </p>
        </form>
      ) : (
        <p className="quiet rule">
          {state ? (state.enabled ? TWO_STEPS.on(state.recoveryCodes) : TWO_STEPS.off) : notice || TWO_STEPS.loading}
        </p>
      )}
      {wish && !codes && (
        <button type="button" className="link" onClick={leave}>
          {TWO_STEPS.cancel}
        </button>
      )}
      {state && !wish && (
        <p className="account-choices">
          <button type="button" className="link" onClick={() => setWish("setUp")}>
            {state.enabled ? TWO_STEPS.another : TWO_STEPS.setUp}
          </button>
          {state.enabled && (
            <>
              <button type="button" className="link" onClick={() => setWish("newCodes")}>
                {TWO_STEPS.newCodes}
              </button>
              <button type="button" className="link" onClick={() => setWish("remove")}>
                {TWO_STEPS.remove}
              </button>
            </>
          )}
        </p>
      )}
    </section>
  );
}
