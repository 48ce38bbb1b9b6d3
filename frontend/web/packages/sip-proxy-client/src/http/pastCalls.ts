// The calls of the user that have ended, on any device: from the call records (docs/RECORDS.md), and if the
// server keeps none, from its call store.

import type { CallData, Cdr } from "../protocol/api.js";
import { type HttpApi, HttpError } from "./HttpApi.js";

/** Times are Unix seconds of the server's clock. */
export type PastCall = Pick<
  Cdr,
  | "callId"
  | "direction"
  | "caller"
  | "callerName"
  | "target"
  | "connectedNumber"
  | "connectedName"
  | "createdAt"
  | "ringingAt"
  | "answeredAt"
  | "endedAt"
  | "talkSeconds"
  | "outcome"
>;

export interface PastCalls {
  calls: PastCall[]; // the newest first
  nextCursor: string | null; // the `cursor` to ask for the next page with; null: there is none
}

export interface PastCallsQuery {
  cursor?: string;
  limit?: number; // 1 to 500
}

/** Throws `HttpError`, or `TypeError` if the server cannot be reached. */
export async function listPastCalls(
  http: HttpApi,
  user: string,
  { cursor, limit = 50 }: PastCallsQuery = {},
): Promise<PastCalls> {
  const page = { limit: `${limit}`, ...(cursor ? { cursor } : {}) };
  try {
    const { cdrs, nextCursor } = await http.request<{ cdrs: PastCall[]; nextCursor: string | null }>(
      `/cdrs?${new URLSearchParams({ user, ...page })}`,
    );
    return { calls: cdrs, nextCursor };
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 404) throw error;
  }
  const { calls, nextCursor } = await http.request<{ calls: CallData[]; nextCursor: string | null }>(
    `/calls?${new URLSearchParams({ live: "false", ...page })}`,
  );
  return { calls: calls.filter((call) => belongsTo(user, call)).flatMap(pastCallOf), nextCursor };
}

/** Without sign-in the list has the calls of all users. */
const belongsTo = (name: string, { user, users, direction, target }: CallData): boolean =>
  user === null
    ? users.includes(name) || (direction === "inbound" && users.length === 0 && target === name)
    : user === name;

function pastCallOf(call: CallData): PastCall[] {
  const { endedAt, answeredAt, leftAt, left, outcome } = call;
  const how = left ?? outcome;
  if (endedAt === null || how === null) return [];
  return [
    {
      ...call,
      endedAt,
      outcome: how,
      talkSeconds: answeredAt === null ? 0 : Math.max(0, (leftAt ?? endedAt) - answeredAt),
    },
  ];
}
