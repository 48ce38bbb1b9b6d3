// The audit log: who did what, from where, with which result. The newest first.

import { Download, Search } from "lucide-react";
import { useState } from "react";
import type { Api } from "sip-proxy-client";
import { type AdminApi, type AuditQuery, errorText } from "../../admin/adminApi";
import { useAuditLog } from "../../admin/useAuditLog";
import { ADMIN, AUDIT, actionText, RESULTS } from "../../texts";
import { relativeTime, useNow } from "../time";

const TONES: Record<string, string> = { refused: "bad", failed: "busy" };

export interface AuditTabProps {
  api: AdminApi;
  now: number | undefined;
}

export function AuditTab({ api, now: fixed }: AuditTabProps) {
  const [query, setQuery] = useState<AuditQuery>({ actor: "", object: "", result: "" });
  const log = useAuditLog(api, query);
  const ticking = useNow(10_000, fixed === undefined);
  const [chosen, setChosen] = useState("");
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const download = async (): Promise<void> => {
    setBusy(true);
    setFailure("");
    try {
      save(await api.auditCsv(query), "audit.csv");
    } catch (error) {
      setFailure(errorText(error));
    }
    setBusy(false);
  };
  const field = (name: "actor" | "object", label: string) => (
    <label className="filter">
      <Search size={15} aria-hidden="true" />
      <input
        type="search"
        value={query[name]}
        onChange={(event) => setQuery({ ...query, [name]: event.target.value })}
        placeholder={label}
        aria-label={label}
        spellCheck={false}
        maxLength={128}
      />
    </label>
  );
  return (
    <section className="panel audit" aria-label={AUDIT.title}>
      <div className="panel-head users-head">
        {field("actor", AUDIT.actor)}
        {field("object", AUDIT.object)}
        <select
          value={query.result}
          onChange={(event) => setQuery({ ...query, result: event.target.value })}
          aria-label={AUDIT.result}
        >
          <option value="">{AUDIT.anyResult}</option>
          {Object.entries(RESULTS).map(([result, word]) => (
            <option key={result} value={result}>
              {word}
            </option>
          ))}
        </select>
        <button type="button" className="tool" disabled={busy} onClick={() => void download()}>
          <Download size={15} aria-hidden="true" />
          {AUDIT.export}
        </button>
      </div>
      {(failure || log.error) && (
        <p className="fault-line" role="alert">
          {failure || log.error}
        </p>
      )}
      <ul className="rows list" aria-label={AUDIT.title}>
        {log.entries?.map((entry) => (
          <li key={entry.number}>
            <button
              type="button"
              className="row"
              aria-expanded={entry.id === chosen}
              onClick={() => setChosen(entry.id === chosen ? "" : entry.id)}
            >
              <span className="row-main">
                <b>
                  {entry.actor || AUDIT.kinds[entry.actorKind]} {actionText(entry.action)}{" "}
                  {entry.object !== entry.actor && <small>{entry.object}</small>}
                </b>
                <span className="row-more" title={new Date(entry.at * 1000).toLocaleString()}>
                  {[relativeTime(entry.at * 1000, fixed ?? ticking), entry.address].filter(Boolean).join(" · ")}
                </span>
              </span>
              {entry.result !== "ok" && (
                <span className={`tag tag-${TONES[entry.result]}`}>{RESULTS[entry.result]}</span>
              )}
            </button>
            {entry.id === chosen && <Details entry={entry} />}
          </li>
        ))}
        {log.entries?.length === 0 && <li className="list-note">{AUDIT.none}</li>}
        {!log.entries && !log.error && <li className="list-note">{ADMIN.loading}</li>}
        {log.more && (
          <li className="list-note">
            <button type="button" className="tool" onClick={log.more}>
              {AUDIT.more}
            </button>
          </li>
        )}
      </ul>
    </section>
  );
}

function Details({ entry }: { entry: Api.Entry }) {
  const rows: readonly (readonly [string, string])[] = [
    [AUDIT.when, new Date(entry.at * 1000).toLocaleString()],
    [AUDIT.action, entry.action],
    ...Object.entries(entry.details).map(([name, value]) => [name, textOf(value)] as const),
    [AUDIT.request, entry.requestId],
    [AUDIT.number, String(entry.number)],
    [AUDIT.hash, entry.hash],
  ];
  return (
    <dl className="pairs entry">
      {rows
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** As a file of the browser's downloads. */
function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.join(", ") : value === null || value === undefined ? "" : String(value);
