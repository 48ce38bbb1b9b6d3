// What became of a call while nobody told this page.

import { callTime } from "../clock.js";
import type { CallData, CauseData } from "../protocol/api.js";
import type { ServerClock } from "../signaling/serverClock.js";
import { Refused, type Server } from "../http/HttpApi.js";
import type { Ending } from "../state/model.js";

/** `GET /call/{id}`, as far as it matters here. Times are Unix seconds. */
type CallTold = Pick<CallData, "outcome" | "answeredAt" | "endedAt"> & { state: string; cause: Pick<CauseData, "q850" | "sip"> & Partial<Pick<CauseData, "detail" | "forward">> | null };

export interface Fate {
  ending: Ending;
  acceptedAt: number | null; // Unix milliseconds of this page's clock, as `at`
  at: number;
}

const AGAIN_MS = 1000;
const TIMES = 5;

/** Asks some times; `unknown` where the server never heard of it, or has forgotten it. `wanted`: whether to ask on. */
export async function whatBecameOf(id: string, server: Server, wanted: () => boolean): Promise<Fate | "stands" | "unknown"> {
  for (let time = 0; time < TIMES && wanted(); time++) {
    if (time > 0) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    try {
      return fateOf(await server.request<CallTold>(`/call/${encodeURIComponent(id)}`), server.clock, callTime());
    } catch (error) {
      if (error instanceof Refused && (error.status === 404 || (error.status === 401 && time === TIMES - 1))) return "unknown";
    }
  }
  return "stands"; // not to be found out now: the next list tells
}

export function fateOf(call: CallTold, clock: Pick<ServerClock, "toPage">, now: number): Fate | "stands" {
  if (call.state !== "ended" && call.state !== "ending") return "stands";
  const toPage = (seconds: number | null): number | null => (seconds === null ? null : clock.toPage(seconds));
  const { cause } = call;
  return {
    ending: { outcome: call.outcome, q850: cause?.q850 ?? 0, sip: cause?.sip ?? 0, detail: cause?.detail ?? null, forward: cause?.forward ?? "" },
    acceptedAt: toPage(call.answeredAt),
    at: toPage(call.endedAt) ?? now,
  };
}
