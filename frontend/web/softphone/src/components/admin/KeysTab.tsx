// API keys: those that there are, and beside them the one that is chosen, or a new one.

import { Plus } from "lucide-react";
import { useState } from "react";
import type { Api } from "sip-proxy-client";
import type { AdminApi } from "../../admin/adminApi";
import { stateOf } from "../../admin/keys";
import { useLoaded } from "../../admin/useLoaded";
import { ADMIN, KEYS, secretOfKey, USERS } from "../../texts";
import { relativeTime, useNow } from "../time";
import { KeyPanel } from "./KeyPanel";
import { NewKeyForm } from "./NewKeyForm";
import { SecretDialog, type ShownSecret } from "./SecretDialog";

const REFRESH_MS = 10_000;

export interface KeysTabProps {
  api: AdminApi;
  me: Api.MeData;
  chosen: string; // an id, "new", or ""
  now: number | undefined;
  onChoose(id: string): void;
}

export function KeysTab({ api, me, chosen, now: fixed, onChoose }: KeysTabProps) {
  const list = useLoaded(() => api.keys(), "", REFRESH_MS);
  const ticking = useNow(10_000, fixed === undefined);
  const now = fixed ?? ticking;
  const [secret, setSecret] = useState<ShownSecret | null>(null);
  const keys = list.value?.keys;
  const key = keys?.find(({ id }) => id === chosen);
  const made = (shown: Api.KeyWithSecret): void => {
    setSecret(secretOfKey(shown));
    list.reload();
    onChoose(shown.id);
  };
  return (
    <div className={chosen ? "split split-chosen" : "split"}>
      <section className="panel" aria-label={KEYS.title}>
        <div className="panel-head">
          <h2>{KEYS.title}</h2>
          <button type="button" className="tool tool-main" onClick={() => onChoose("new")}>
            <Plus size={15} aria-hidden="true" />
            {KEYS.add}
          </button>
        </div>
        {list.error && (
          <p className="fault-line" role="alert">
            {list.error}
          </p>
        )}
        <ul className="rows list" aria-label={KEYS.title}>
          {keys?.map((one) => {
            const state = stateOf(one, now);
            return (
              <li key={one.id}>
                <button
                  type="button"
                  className="row"
                  aria-current={one.id === chosen ? "true" : undefined}
                  onClick={() => onChoose(one.id)}
                >
                  <span className="row-main">
                    <b>
                      {one.label} <small>{one.origins.length > 0 ? KEYS.forPages : KEYS.forServers}</small>
                    </b>
                    <span className="row-more">
                      {one.lastUsedAt === null ? KEYS.neverUsed : KEYS.used(relativeTime(one.lastUsedAt * 1000, now))} ·{" "}
                      {one.scopes.join(", ")}
                    </span>
                  </span>
                  {state !== "valid" && (
                    <span className={`tag ${state === "revoked" ? "tag-bad" : "tag-busy"}`}>{KEYS[state]}</span>
                  )}
                </button>
              </li>
            );
          })}
          {keys?.length === 0 && <li className="list-note">{KEYS.none}</li>}
          {!keys && !list.error && <li className="list-note">{ADMIN.loading}</li>}
        </ul>
      </section>
      <section className="panel panel-chosen" aria-label={chosen === "new" ? KEYS.add : KEYS.chosen}>
        {chosen === "new" ? (
          <NewKeyForm api={api} me={me} onCreated={made} onCancel={() => onChoose("")} />
        ) : key ? (
          <KeyPanel
            key={key.id}
            api={api}
            shown={key}
            now={now}
            onSecret={(rotated) => {
              setSecret(secretOfKey(rotated));
              list.reload();
            }}
            onChanged={list.reload}
            onClose={() => onChoose("")}
          />
        ) : (
          <div className="panel-empty">
            <p>{chosen && keys ? KEYS.gone : KEYS.choose}</p>
            {chosen && (
              <button type="button" className="tool" onClick={() => onChoose("")}>
                {USERS.close}
              </button>
            )}
          </div>
        )}
      </section>
      {secret && <SecretDialog secret={secret} onClose={() => setSecret(null)} />}
    </div>
  );
}
