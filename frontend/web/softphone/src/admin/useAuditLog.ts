// The entries of the audit log that fit the search: what was loaded stays, older ones come on demand.

import { useEffect, useState } from "react";
import type { Api } from "sip-proxy-client";
import { type AdminApi, type AuditQuery, errorText } from "./adminApi";
import { useLoaded } from "./useLoaded";

const TYPING_MS = 250;

export interface AuditLogState {
  entries: readonly Api.Entry[] | null; // null until there is an answer
  error: string;
  more: (() => void) | null; // loads older ones; null if there are none
}

export function useAuditLog(api: AdminApi, query: AuditQuery): AuditLogState {
  const wanted = JSON.stringify(query);
  const [key, setKey] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setKey(wanted), TYPING_MS);
    return () => clearTimeout(timer);
  }, [wanted]);

  const page = useLoaded(() => api.audit(JSON.parse(key) as AuditQuery), key);
  const [older, setOlder] = useState<{ of: Api.AuditPage | null; pages: readonly Api.AuditPage[]; error: string }>({
    of: null,
    pages: [],
    error: "",
  });
  const pages = page.value && older.of === page.value ? older.pages : [];
  const cursor = pages.length > 0 ? pages[pages.length - 1]?.nextCursor : page.value?.nextCursor;
  const more = async (): Promise<void> => {
    const of = page.value;
    try {
      const next = await api.audit(JSON.parse(key) as AuditQuery, cursor);
      setOlder({ of, pages: [...pages, next], error: "" });
    } catch (failure) {
      setOlder({ of, pages, error: errorText(failure) });
    }
  };
  return {
    entries: page.value && [page.value, ...pages].flatMap(({ entries }) => entries),
    error: page.error || (older.of === page.value ? older.error : ""),
    more: cursor ? () => void more() : null,
  };
}
