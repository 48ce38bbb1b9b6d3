// One API key: what it may do and was used for, another secret, and its end.

import { ArrowLeft, X } from "lucide-react";
import { useState } from "react";
import type { Api } from "sip-proxy-client";
import { type AdminApi, errorText } from "../../admin/adminApi";
import { stateOf } from "../../admin/keys";
import { KEY_QUESTIONS, KEYS, type Question, USERS } from "../../texts";
import { relativeTime } from "../time";
import { ConfirmDialog } from "./ConfirmDialog";

const OVERLAP_S = 86_400;

export interface KeyPanelProps {
  api: AdminApi;
  shown: Api.KeyData;
  now: number; // Unix milliseconds
  onSecret(made: Api.KeyWithSecret): void;
  onChanged(): void;
  onClose(): void;
}

type Asking = keyof typeof KEY_QUESTIONS;

export function KeyPanel({ api, shown, now, onSecret, onChanged, onClose }: KeyPanelProps) {
  const [asking, setAsking] = useState<{ kind: Asking; question: Question } | null>(null);
  const [error, setError] = useState("");
  const ask = (kind: Asking): void => {
    setError("");
    setAsking({ kind, question: KEY_QUESTIONS[kind](shown.label) });
  };
  const confirmed = async (kind: Asking): Promise<boolean> => {
    try {
      if (kind === "revoke") await api.revokeKey(shown.id);
      else onSecret(await api.rotateKey(shown.id, kind === "rotateNow" ? 0 : OVERLAP_S));
      onChanged();
      return true;
    } catch (failure) {
      setError(errorText(failure));
      return false;
    }
  };
  const day = (at: number): string => new Date(at * 1000).toLocaleString();
  const rows: readonly (readonly [string, string])[] = [
    [KEYS.id, shown.id],
    [KEYS.scopes, shown.scopes.join(", ") || KEYS.nothing],
    shown.origins.length > 0
      ? [KEYS.origins, shown.origins.join(", ")]
      : [KEYS.addresses, shown.addresses.join(", ") || KEYS.everywhere],
    [KEYS.users, shown.users.join(", ") || KEYS.anyUser],
    [KEYS.class, shown.classOfService || KEYS.defaultClass],
    [KEYS.maxCalls, shown.maxCalls ? String(shown.maxCalls) : KEYS.asLimits],
    [
      KEYS.made,
      `${relativeTime(shown.createdAt * 1000, now)}, ${shown.createdBy ? KEYS.by(shown.createdBy) : KEYS.commandLine}`,
    ],
    [KEYS.expires, shown.expiresAt === null ? KEYS.never : day(shown.expiresAt)],
    [KEYS.lastUsed, shown.lastUsedAt === null ? KEYS.neverUsed : relativeTime(shown.lastUsedAt * 1000, now)],
    ...(shown.previousSecretUntil === null ? [] : [[KEYS.oldSecret, day(shown.previousSecretUntil)] as const]),
    ...(shown.revokedAt === null ? [] : [[KEYS.revoked, day(shown.revokedAt)] as const]),
  ];
  const isValid = stateOf(shown, now) === "valid";
  return (
    <div className="panel-scroll" data-testid="key">
      <div className="panel-head">
        <button type="button" className="tool narrow-only" onClick={onClose} aria-label={USERS.close}>
          <ArrowLeft size={15} aria-hidden="true" />
        </button>
        <h2 className="chosen-name">{shown.label}</h2>
        <span className="space" />
        <button type="button" className="icon-button wide-only" onClick={onClose} aria-label={USERS.close}>
          <X size={16} aria-hidden="true" />
        </button>
      </div>
      <div className="panel-body">
        <dl className="pairs">
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {shown.revokedAt === null && (
          <div className="actions">
            {isValid && (
              <button type="button" className="tool" onClick={() => ask("rotate")}>
                {KEYS.rotate}
              </button>
            )}
            {isValid && (
              <button type="button" className="tool tool-bad" onClick={() => ask("rotateNow")}>
                {KEYS.rotateNow}
              </button>
            )}
            <button type="button" className="tool tool-bad" onClick={() => ask("revoke")}>
              {KEYS.revoke}
            </button>
          </div>
        )}
      </div>
      {asking && (
        <ConfirmDialog
          question={asking.question}
          error={error}
          onConfirm={() => confirmed(asking.kind)}
          onClose={() => setAsking(null)}
        />
      )}
    </div>
  );
}
