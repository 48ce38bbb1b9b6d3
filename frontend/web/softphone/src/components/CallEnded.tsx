// Displayed without a live call: how the last one ended, or that calls continue in another window.

import { AppWindow, Check, CircleAlert } from "lucide-react";
import type { CallInfo as Call, ListedCall } from "sip-proxy-client";
import { BUTTONS, messageOf, onOtherDeviceOf, TAKEN_BY_OTHER_DEVICE, takeOverOf } from "../texts";
import { CallRating, type Feedback } from "./CallRating";
import { clock, useNow } from "./time";

export interface OtherDeviceCallsProps {
  calls: readonly ListedCall[]; // at least one
  justTaken: boolean; // just now
  now?: number; // fixed, for pictures
  onTakeOver(): void;
}

/** Calls of this user that another page holds. */
export function OtherDeviceCalls({ calls, justTaken, now, onTakeOver }: OtherDeviceCallsProps) {
  const ticking = useNow(500, now === undefined);
  const acceptedAt = calls.find((call) => !call.held)?.acceptedAt ?? calls[0]?.acceptedAt ?? null;
  return (
    <div className="ending ending-calm" data-testid="elsewhere">
      <AppWindow size={20} aria-hidden="true" />
      <p className="ending-text" data-testid="message">
        <strong>{justTaken ? TAKEN_BY_OTHER_DEVICE : onOtherDeviceOf(calls.length)}</strong>{" "}
        {calls.map((call) => call.name || call.number).join(", ")}
      </p>
      <div className="ending-foot">
        <button type="button" className="link" data-testid="bring" onClick={onTakeOver}>
          {takeOverOf(calls.length)}
        </button>
        <span className="timer" data-testid="timer" aria-label="Length of the call">
          {acceptedAt === null ? "" : clock((now ?? ticking) - acceptedAt)}
        </span>
      </div>
    </div>
  );
}

/** Users are asked to rate calls of at least this length. */
const MIN_RATED_CALL_MS = 10_000;

export interface CallEndedProps {
  call: Call;
  onCallAgain(): void;
  onDismiss(): void;
  onRate?: ((id: string, opinion: Feedback) => void) | undefined; // absent if the server keeps no feedback
}

/** How the last call ended: a sentence, what to do, and the code for support. */
export function CallEnded({ call, onCallAgain, onDismiss, onRate }: CallEndedProps) {
  const message = messageOf(call);
  if (!message) return null;
  const lasted = call.acceptedAt === null || call.endedAt === null ? 0 : call.endedAt - call.acceptedAt;
  const talked = call.acceptedAt === null || call.endedAt === null ? "" : clock(lasted);
  const code = [
    call.outcome ?? call.problem,
    call.q850 ? `cause ${call.q850}` : "",
    call.sip ? `SIP ${call.sip}` : "",
    call.id,
  ]
    .filter(Boolean)
    .join(" · ");
  const Icon = message.tone === "bad" ? CircleAlert : Check;
  return (
    <div className={`ending ending-${message.tone}`}>
      <Icon size={20} aria-hidden="true" />
      <p className="ending-text" data-testid="message">
        <strong>{message.text}</strong> {message.advice}
      </p>
      {onRate && lasted > MIN_RATED_CALL_MS && <CallRating onRate={(opinion) => onRate(call.id, opinion)} />}
      <div className="ending-foot">
        {call.number && (
          <button type="button" className="link" onClick={onCallAgain}>
            {call.direction === "inbound" ? BUTTONS.callBack : BUTTONS.callAgain}
          </button>
        )}
        <button type="button" className="link" onClick={onDismiss}>
          {BUTTONS.close}
        </button>
        {talked && (
          <span className="timer" data-testid="timer">
            <span className="hidden">Length of the call: </span>
            {talked}
          </span>
        )}
        <span className="code" title={`For support: ${code}`}>
          {code}
        </span>
      </div>
    </div>
  );
}
