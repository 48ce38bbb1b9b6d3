// The user's own sign-in, in a sheet: another password, and the second factor.

import { type FormEvent, useEffect, useRef, useState } from "react";
import { ACCOUNT, NEW_PASSWORD } from "../texts";
import type { AccountActions } from "./actions";
import { useNewPassword } from "./NewPassword";
import { TwoSteps } from "./TwoSteps";

export interface AccountProps {
  user: string;
  open: boolean;
  actions: AccountActions;
  onClose(): void;
}

export function Account({ user, open, actions, onClose }: AccountProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  // One thing at a time: both have no room on a small screen.
  const [part, setPart] = useState<"password" | "two-steps" | null>(null);
  useEffect(() => setPart(null), [open]);
  return (
    <dialog ref={dialog} className="sheet account" onClose={onClose} aria-labelledby="account-title">
      <h2 id="account-title">{ACCOUNT.title}</h2>
      {open && part === null && (
        <button type="button" className="link" onClick={() => setPart("password")}>
          {ACCOUNT.password}
        </button>
      )}
      {open && part === "password" && <ChangePassword user={user} actions={actions} />}
      {open && part !== "password" && (
        <TwoSteps api={actions.secondFactor} onBusy={(busy) => setPart(busy ? "two-steps" : null)} />
      )}
      <button type="button" className="link" onClick={onClose}>
        {ACCOUNT.close}
      </button>
    </dialog>
  );
}

function ChangePassword({ user, actions }: Pick<AccountProps, "user" | "actions">) {
  const [old, setOld] = useState("");
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<{ fault: string } | null>(null);
  const { fields, take, clear } = useNewPassword(actions.minPasswordLength);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const password = take();
    if (password === null || busy) return;
    setBusy(true);
    const fault = await actions.changePassword(old, password);
    setBusy(false);
    setResult({ fault });
    if (fault) return;
    setOld("");
    clear();
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="account-form">
      <h3>{ACCOUNT.password}</h3>
      <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
      <label>
        <span>{ACCOUNT.old}</span>
        <input
          type="password"
          name="password"
          autoComplete="current-password"
          value={old}
          onChange={(event) => setOld(event.target.value)}
          required
        />
      </label>
      {fields}
      <button type="submit" className="primary" disabled={busy}>
        {busy ? NEW_PASSWORD.busy : ACCOUNT.save}
      </button>
      {result && (
        <p role={result.fault ? "alert" : "status"} className={result.fault ? "fault" : "done"}>
          {result.fault || ACCOUNT.saved}
        </p>
      )}
    </form>
  );
}
