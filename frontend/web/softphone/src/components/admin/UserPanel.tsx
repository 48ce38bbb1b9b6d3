// One user: what the user may do, has open, and what can be done with the account.

import { ArrowLeft, X } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import type { Api } from "sip-proxy-client";
import { type AdminApi, codeOf, errorText } from "../../admin/adminApi";
import { useLoaded } from "../../admin/useLoaded";
import {
  ADMIN,
  limitName,
  limitText,
  openNow,
  QUESTIONS,
  type Question,
  secretOfPhone,
  secretOfUser,
  USERS,
} from "../../texts";
import { relativeTime, useNow } from "../time";
import { ConfirmDialog } from "./ConfirmDialog";
import type { ShownSecret } from "./SecretDialog";
import { SipPhones } from "./SipPhones";
import { UserFields } from "./UserFields";
import { UserTags } from "./UserTags";

const REFRESH_MS = 4000;

export interface UserPanelProps {
  api: AdminApi;
  id: string;
  me: Api.MeData;
  classes: readonly string[];
  now: number | undefined;
  onSecret(secret: ShownSecret): void;
  onChanged(): void; // the list shows the user too
  onClose(): void;
}

type Asking = keyof typeof QUESTIONS;

export function UserPanel({ api, id, me, classes, now: fixed, onSecret, onChanged, onClose }: UserPanelProps) {
  const user = useLoaded(() => api.user(id), id, REFRESH_MS);
  const open = useLoaded(() => api.connections(id), id, REFRESH_MS);
  const limits = useLoaded(() => api.limits(id), id, REFRESH_MS);
  const phones = useLoaded(() => api.sipRegistrations(), id, REFRESH_MS);
  const ticking = useNow(10_000, fixed === undefined);
  const [asking, setAsking] = useState<{ kind: Asking; question: Question } | null>(null);
  const [done, setDone] = useState("");
  const [error, setError] = useState("");
  const seen = user.value;

  const took = (changed: Api.UserData): void => {
    user.set(changed);
    open.reload();
    onChanged();
  };
  /** Whether it was done; else the reason is shown. */
  const attempt = async (act: () => Promise<void>): Promise<boolean> => {
    setDone("");
    setError("");
    try {
      await act();
      return true;
    } catch (failure) {
      setError(errorText(failure));
      if (codeOf(failure) === "changed_meanwhile") user.reload();
      return false;
    }
  };
  const confirmed = (shown: Api.UserData, kind: Asking, text: string): Promise<boolean> =>
    attempt(async () => {
      switch (kind) {
        case "lock":
          return took(await api.lockUser(shown, true));
        case "signOut":
          return took(await api.signOutUser(shown));
        case "secondFactor":
          return took(await api.resetSecondFactor(shown));
        case "rename":
          return took(await api.renameUser(shown, text));
        case "password": {
          const made = await api.resetPassword(shown);
          took(made.user);
          return onSecret(secretOfUser(made));
        }
        case "sipPassword": {
          const made = await api.makeSipPassword(shown);
          took(made.user);
          return onSecret(secretOfPhone(made.sip));
        }
        case "noSipPassword":
          return took(await api.removeSipPassword(shown));
        case "remove":
          await api.removeUser(shown);
          onChanged();
          return onClose();
      }
    });

  if (!seen)
    return (
      <div className="panel-empty">
        <p role={user.error ? "alert" : undefined}>{user.error || ADMIN.loading}</p>
        <button type="button" className="tool" onClick={onClose}>
          {USERS.back}
        </button>
      </div>
    );
  const ask = (kind: Asking): void => setAsking({ kind, question: QUESTIONS[kind](seen) });
  const isMe = seen.id === me.userId;
  const now = fixed ?? ticking;
  return (
    <div className="panel-scroll" data-testid="user" data-locked={seen.locked}>
      <div className="panel-head">
        <button type="button" className="tool narrow-only" onClick={onClose} aria-label={USERS.back}>
          <ArrowLeft size={15} aria-hidden="true" />
        </button>
        <h2 className="chosen-name">
          {seen.name} {seen.displayName && <small>{seen.displayName}</small>}
        </h2>
        <UserTags user={seen} />
        <span className="space" />
        <button type="button" className="icon-button wide-only" onClick={onClose} aria-label={USERS.close}>
          <X size={16} aria-hidden="true" />
        </button>
      </div>
      <div className="panel-body">
        {(error || user.error) && (
          <p className="fault-line" role="alert">
            {error || user.error}
          </p>
        )}
        <SettingsForm
          user={seen}
          classes={classes}
          onSave={(settings) =>
            attempt(async () => {
              took(await api.changeUser(seen, settings));
              setDone(USERS.saved);
            })
          }
          onEdit={() => setDone("")}
          done={done}
        />
        <section className="part" aria-label={USERS.open}>
          <h3>{USERS.open}</h3>
          {open.value?.connections.length === 0 && <p className="quiet">{USERS.nothingOpen}</p>}
          {seen.calls > 0 && <p>{openNow(seen)}</p>}
          <ul className="plain-list">
            {open.value?.connections.map((one) => (
              <li key={`${one.address} ${one.connectedAt}`}>
                <b>{one.address}</b>, since {relativeTime(one.connectedAt * 1000, now)},{" "}
                {one.takesCalls ? USERS.takesCalls : USERS.noCalls}
              </li>
            ))}
          </ul>
        </section>
        {phones.value && <SipPhones user={seen} found={phones.value} />}
        {limits.value && (
          <section className="part" aria-label={USERS.limits}>
            <h3>{USERS.limits}</h3>
            <dl className="pairs">
              {limits.value.limits.map((one) => (
                <div key={one.rule}>
                  <dt title={one.rule}>{limitName(one)}</dt>
                  <dd className={one.used >= one.limit ? "used-up" : ""}>{limitText(one)}</dd>
                </div>
              ))}
            </dl>
          </section>
        )}
        <div className="actions">
          <button type="button" className="tool" onClick={() => ask("signOut")}>
            {USERS.signOut}
          </button>
          <button type="button" className="tool" onClick={() => ask("rename")}>
            {USERS.rename}
          </button>
          {!isMe && (
            <button type="button" className="tool" onClick={() => ask("password")}>
              {USERS.password}
            </button>
          )}
          {!isMe && (
            <button type="button" className="tool" onClick={() => ask("sipPassword")}>
              {USERS.sipPassword}
            </button>
          )}
          {seen.sipPassword && (
            <button type="button" className="tool" onClick={() => ask("noSipPassword")}>
              {USERS.noSipPassword}
            </button>
          )}
          {!isMe && seen.secondFactor && (
            <button type="button" className="tool" onClick={() => ask("secondFactor")}>
              {USERS.secondFactor}
            </button>
          )}
          {!isMe &&
            (seen.locked ? (
              <button
                type="button"
                className="tool"
                onClick={() => void attempt(async () => took(await api.lockUser(seen, false)))}
              >
                {USERS.unlock}
              </button>
            ) : (
              <button type="button" className="tool tool-bad" onClick={() => ask("lock")}>
                {USERS.lock}
              </button>
            ))}
          {!isMe && (
            <button type="button" className="tool tool-bad" onClick={() => ask("remove")}>
              {USERS.remove}
            </button>
          )}
        </div>
        {isMe && <p className="quiet">{USERS.you}</p>}
      </div>
      {asking && (
        <ConfirmDialog
          question={asking.question}
          {...(asking.kind === "rename" ? { label: USERS.newName, pattern: "[A-Za-z0-9_.\\-]{1,64}" } : {})}
          error={error}
          onConfirm={(text) => confirmed(seen, asking.kind, text)}
          onClose={() => setAsking(null)}
        />
      )}
    </div>
  );
}

const settingsOf = ({ roles, displayName, classOfService }: Api.UserData): Required<Api.UserSettings> => ({
  roles,
  displayName,
  classOfService,
});
const same = (one: object, other: object): boolean => JSON.stringify(one) === JSON.stringify(other);

interface SettingsFormProps {
  user: Api.UserData;
  classes: readonly string[];
  done: string;
  onEdit(): void;
  onSave(settings: Required<Api.UserSettings>): Promise<boolean>;
}

function SettingsForm({ user, classes, done, onEdit, onSave }: SettingsFormProps) {
  const [edited, setEdited] = useState(() => settingsOf(user));
  const [based, setBased] = useState(user);
  const [busy, setBusy] = useState(false);
  const stored = settingsOf(user);
  const dirty = !same(edited, settingsOf(based));
  // What others have changed meanwhile is shown, unless it would overwrite what is being written here.
  useEffect(() => {
    if (user.revision === based.revision || (dirty && same(stored, settingsOf(based)))) return;
    setBased(user);
    setEdited(stored);
  }, [user.revision]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    await onSave(edited);
    setBusy(false);
  };
  return (
    <form className="part" onSubmit={(event) => void submit(event)}>
      <UserFields
        value={edited}
        classes={classes}
        disabled={busy}
        onChange={(value) => {
          setEdited(value);
          onEdit();
        }}
      />
      <p className="save">
        <button type="submit" className="primary" disabled={busy || !dirty || edited.roles.length === 0}>
          {USERS.save}
        </button>
        <span role="status">{dirty ? "" : done}</span>
      </p>
    </form>
  );
}
