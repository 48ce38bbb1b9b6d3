// The switch for all outgoing calls, on the dashboard of an operator. What it does is asked once more.

import { PhoneOff } from "lucide-react";
import { useState } from "react";
import type { Operating } from "../dashboard/useOperating";
import { OPERATING } from "../texts";

export function OutgoingSwitch({ operating }: { operating: Operating }) {
  const [asking, setAsking] = useState(false);
  const { outgoing, mayStop, failure } = operating;
  if (!outgoing) return null;
  if (failure)
    return (
      <span className="pill pill-bad" role="alert">
        {failure}
      </span>
    );
  if (!outgoing.allowed)
    return (
      <>
        <span className="pill pill-bad" role="alert">
          {OPERATING.stopped(outgoing.by ?? "", outgoing.reason ?? "")}
        </span>
        {mayStop && (
          <button type="button" className="tool" onClick={operating.allowOutgoing}>
            {OPERATING.allow}
          </button>
        )}
      </>
    );
  if (!mayStop) return null;
  if (!asking)
    return (
      <button type="button" className="tool" onClick={() => setAsking(true)}>
        <PhoneOff size={15} aria-hidden="true" />
        {OPERATING.stop}
      </button>
    );
  const decide = (stop: boolean): void => {
    setAsking(false);
    if (stop) operating.stopOutgoing();
  };
  return (
    <fieldset className="sure">
      <legend>{OPERATING.sure}</legend>
      <button type="button" className="tool tool-bad" onClick={() => decide(true)}>
        {OPERATING.stopNow}
      </button>
      <button type="button" className="tool" onClick={() => decide(false)}>
        {OPERATING.cancel}
      </button>
    </fieldset>
  );
}

/** Ends one call; a second press within the row confirms it. */
export function EndCall({ callId, onEnd }: { callId: string; onEnd(callId: string): void }) {
  const [asking, setAsking] = useState(false);
  return (
    <button
      type="button"
      className={asking ? "end end-sure" : "end"}
      onBlur={() => setAsking(false)}
      onClick={() => (asking ? onEnd(callId) : setAsking(true))}
      aria-label={asking ? OPERATING.endNow : OPERATING.endCall}
      title={asking ? OPERATING.endNow : OPERATING.endCall}
    >
      <PhoneOff size={15} aria-hidden="true" />
      {asking && OPERATING.endNow}
    </button>
  );
}
