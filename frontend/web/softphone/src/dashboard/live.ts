// How the events that an operator follows are read, summed up and filtered. Pure.

import type { Api } from "sip-proxy-client";

export interface LoggedEvent {
  id: number;
  at: number; // Unix seconds
  name: string; // "call.changed", "ari", ...
  callId: string | null;
  data: Record<string, unknown>;
  text: string; // the whole event in lower case, for the filter
}

/** One event of the stream; null if it is malformed. */
export function readEvent(json: string): LoggedEvent | null {
  try {
    const value = JSON.parse(json) as Partial<LoggedEvent>;
    if (typeof value.id !== "number" || typeof value.name !== "string") return null;
    const { id, name, at = 0, callId = null, data = {} } = value;
    return { id, name, at, callId, data, text: json.toLowerCase() };
  } catch {
    return null;
  }
}

/** ARI's events are known by their type; ours by their name. */
export function titleOf(event: LoggedEvent): string {
  return event.name === "ari" ? text(event.data["type"]) || "ari" : event.name;
}

/** An event in one line. */
export function summaryOf(event: LoggedEvent): string {
  const { data } = event;
  if (event.name.startsWith("call.")) {
    const { state, outcome, digit, caller, target } = data;
    if (digit) return `digit ${text(digit)}`;
    return [`${text(caller) || "?"} → ${text(target) || "?"}`, text(outcome) || text(state)]
      .filter(Boolean)
      .join(" · ");
  }
  const channel = (data["channel"] ?? data["peer"]) as Record<string, unknown> | undefined;
  const bridge = data["bridge"] as Record<string, unknown> | undefined;
  const parts = [
    text(channel?.["name"]),
    text(channel?.["state"]),
    text(data["dialstatus"]),
    bridge ? `bridge ${text(bridge["id"])}` : "",
    text(data["cause_txt"]),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Every word of the filter must occur in the event; `name:call.` is compared with the start of its name only. */
export function passes(event: LoggedEvent, filter: string): boolean {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => (word.startsWith("name:") ? event.name.startsWith(word.slice(5)) : event.text.includes(word)));
}

/** The share of ended calls that were answered, 0 to 1; null before any has ended. In a ring group one answer counts for all. */
export function answeredShare({
  completed = 0,
  answered_elsewhere = 0,
  ...others
}: Api.StatsData["outcomes"]): number | null {
  const all = completed + Object.values(others).reduce((sum, count) => sum + count, 0);
  return all === 0 ? null : completed / all;
}

/** By what the call's user takes part, in words; null as long as nobody has taken the call. */
export function nearOf({ user, near }: Pick<Api.CallData, "user" | "near">): { label: string; title: string } | null {
  if (user === null) return null;
  return near === "sip"
    ? { label: "SIP", title: "Its user talks by a SIP phone or program" }
    : { label: "page", title: "Its user talks by a page in the browser" };
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
