// In the account's sheet: second factors are set up and removed, and recovery codes are made anew.

import { useEffect, useState } from "react";
import {
  type Enrolment,
  type Proof,
  type SecondFactor,
  type SecondFactorApi,
  secondFactorErrorText,
} from "../phone/secondFactor";
import { canUseSecurityKeys } from "../phone/securityKeys";
import { TWO_STEPS } from "../texts";
import { ConfirmSecondFactor } from "./ConfirmSecondFactor";
import { EnrolmentForm, RecoveryCodeList } from "./EnrolmentForm";
import { SecurityKeyList } from "./SecurityKeyList";

type Wish = "setUp" | "addKey" | "newCodes" | "removeApp" | { removeKey: string };

export interface TwoStepsProps {
  api: SecondFactorApi;
  onBusy(busy: boolean): void; // whether something is being set up or turned off
}

export function TwoSteps({ api, onBusy }: TwoStepsProps) {
  const canUseKeys = canUseSecurityKeys();
  const [state, setState] = useState<SecondFactor | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
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
    setNotice("");
  };
  const done = async (): Promise<void> => {
    leave();
    await load();
  };
  /** There are none where another second factor has brought them. */
  const keep = async (made: string[]): Promise<void> => (made.length ? setCodes(made) : done());
  const confirm = (password: string, proof: Proof, name: string): void =>
    void attempt(async () => {
      if (wish === "setUp") setEnrolment(await api.begin(password, proof));
      else if (wish === "addKey") await keep(await api.addKey(name, password, proof));
      else if (wish === "newCodes") await keep(await api.renewCodes(password, proof));
      else {
        if (wish === "removeApp") await api.remove(password, proof);
        else if (wish) await api.removeKey(wish.removeKey, password, proof);
        await done();
      }
    });

  return (
    <section className="account-form" aria-labelledby="two-steps-title">
      <h3 id="two-steps-title">{TWO_STEPS.title}</h3>
      {codes ? (
        <RecoveryCodeList codes={codes} onDone={() => void done()} />
      ) : enrolment ? (
        <EnrolmentForm
          enrolment={enrolment}
          notice={notice}
          busy={busy}
          onCode={(given) => void attempt(async () => keep(await api.complete(enrolment.challenge, given)))}
        />
      ) : wish && state ? (
        <ConfirmSecondFactor
          proofs={{ app: state.app, key: canUseKeys && state.securityKeys.length > 0, needed: state.enabled }}
          named={wish === "addKey"}
          notice={notice}
          busy={busy}
          onConfirm={confirm}
          onCancel={leave}
        />
      ) : (
        <p className="quiet rule">
          {state ? (state.enabled ? TWO_STEPS.on(state.recoveryCodes) : TWO_STEPS.off) : notice || TWO_STEPS.loading}
        </p>
      )}
      {enrolment && !codes && (
        <button type="button" className="link" onClick={leave}>
          {TWO_STEPS.cancel}
        </button>
      )}
      {state && !wish && (
        <>
          <SecurityKeyList keys={state.securityKeys} onRemove={(id) => setWish({ removeKey: id })} />
          <Choices state={state} canUseKeys={canUseKeys} onWish={setWish} />
        </>
      )}
    </section>
  );
}

function Choices({
  state,
  canUseKeys,
  onWish,
}: {
  state: SecondFactor;
  canUseKeys: boolean;
  onWish(wish: Wish): void;
}) {
  const choices: (readonly [Wish, string])[] = [];
  if (!state.app) choices.push(["setUp", TWO_STEPS.setUp]);
  if (canUseKeys && state.securityKeysAvailable) choices.push(["addKey", TWO_STEPS.addKey]);
  if (state.enabled) choices.push(["newCodes", TWO_STEPS.newCodes]);
  if (state.app) choices.push(["removeApp", state.securityKeys.length > 0 ? TWO_STEPS.removeApp : TWO_STEPS.remove]);
  return (
    <p className="account-choices">
      {choices.map(([wish, text]) => (
        <button key={text} type="button" className="link" onClick={() => onWish(wish)}>
          {text}
        </button>
      ))}
    </p>
  );
}
