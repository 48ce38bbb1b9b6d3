// How a call ended that disappeared while there was no connection.

import { callTime } from "../clock.js";
import { type HttpApi, HttpError } from "../http/HttpApi.js";
import type { CallData, CauseData } from "../protocol/api.js";
import type { ServerClock } from "../signaling/serverClock.js";
import type { EndReason } from "../state/model.js";

/** `GET /call/{id}`, as far as it matters here. Times are Unix seconds. */
type CallResponse = Pick<CallData, "outcome" | "answeredAt" | "endedAt"> & {
  state: string;
  cause: (Pick<CauseData, "q850" | "sip"> & Partial<Pick<CauseData, "detail" | "forward">>) | null;
};

export interface EndedCall {
  reason: EndReason;
  acceptedAt: number | null; // Unix milliseconds of this page's clock, as `at`
  at: number;
}

const RETRY_INTERVAL_MS = 1000;
const MAX_ATTEMPTS = 5;

/** Asks several times; `unknown`: the server does not know the call, or does not remember it. `isWanted`: whether to continue. */
export async function lookUpEndedCall(
  id: string,
  http: HttpApi,
  isWanted: () => boolean,
): Promise<EndedCall | "live" | "unknown"> {
  for (let time = 0; time < MAX_ATTEMPTS && isWanted(); time++) {
    if (time > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL_MS));
    try {
      return endedCallOf(await http.request<CallResponse>(`/call/${encodeURIComponent(id)}`), http.clock, callTime());
    } catch (error) {
      if (error instanceof HttpError && (error.status === 404 || (error.status === 401 && time === MAX_ATTEMPTS - 1)))
        return "unknown";
    }
  }
  return "live"; // cannot be found out now: the next list will tell
}

export function endedCallOf(call: CallResponse, clock: Pick<ServerClock, "toPage">, now: number): EndedCall | "live" {
  if (call.state !== "ended" && call.state !== "ending") return "live";
  const toPage = (seconds: number | null): number | null => (seconds === null ? null : clock.toPage(seconds));
  const { cause } = call;
  return {
    reason: {
      outcome: call.outcome,
      q850: cause?.q850 ?? 0,
      sip: cause?.sip ?? 0,
      detail: cause?.detail ?? null,
      forward: cause?.forward ?? "",
    },
    acceptedAt: toPage(call.answeredAt),
    at: toPage(call.endedAt) ?? now,
  };
}
