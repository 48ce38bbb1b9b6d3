// A call as a promise, for programs that wait for it, with listeners from the start.

import { MAX_TIMER_MS } from "./clock.js";
import { endingError, SIPProxyError } from "./errors.js";
import type { SIPProxyCall, WaitUntil } from "./SIPProxyCall.js";

/** Resolves once the other side rings or has answered. The methods are those of the call. */
export type PlacedCall = Promise<SIPProxyCall> & Pick<SIPProxyCall, "on" | "once" | "off" | "hangup">;

/** `call`: may throw. `until` resolves when its function returns true, and rejects with the error that it returns. */
export function placeCall(call: () => SIPProxyCall, until: WaitUntil): PlacedCall {
  let made: SIPProxyCall | null = null;
  const promise = (async (): Promise<SIPProxyCall> => {
    const one = (made = call());
    one.replayLatest(true);
    try {
      await until(MAX_TIMER_MS, () => {
        const { phase, acceptedAt, outcome } = one.info;
        if (phase === "ringing" || phase === "early" || acceptedAt !== null) return true;
        return (
          phase === "ended" &&
          (endingError(one.info) ?? new SIPProxyError(outcome === "cancelled" ? "cancelled" : "refused"))
        );
      });
    } finally {
      setTimeout(() => one.replayLatest(false), 0); // programs that waited for it have added their listeners by then
    }
    return one;
  })();
  promise.catch(() => undefined); // for programs that do not wait: events report the same
  const nothing = (): void => undefined;
  return Object.assign(promise, {
    on: (...args: Parameters<SIPProxyCall["on"]>) => made?.on(...args) ?? nothing,
    once: (...args: Parameters<SIPProxyCall["once"]>) => made?.once(...args) ?? nothing,
    off: (...args: Parameters<SIPProxyCall["off"]>) => made?.off(...args),
    hangup: () => made?.hangup(),
  } as Pick<SIPProxyCall, "on" | "once" | "off" | "hangup">);
}
