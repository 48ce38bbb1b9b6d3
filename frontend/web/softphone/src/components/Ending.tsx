// What the stage says where there is no call: how the last one ended, or that one goes on in another window.

import { AppWindow, Check, CircleAlert } from "lucide-react";
import type { CallInfo as Call, CallSeen } from "sip-proxy-client";
import { BUTTONS, TAKEN_ELSEWHERE, bringHereOf, elsewhereOf, messageOf } from "../texts";
import { Rating, type Opinion } from "./Rating";
import { clock, useNow } from "./time";

export interface ElsewhereProps {
  seen: readonly CallSeen[]; // at least one
  taken: boolean; // just now
  now?: number; // fixed, for pictures
  onBring(): void;
}

/** Calls of this user that another page holds. */
export function Elsewhere({ seen, taken, now, onBring }: ElsewhereProps) {
  const ticking = useNow(500, now === undefined);
  const acceptedAt = seen.find((call) => !call.held)?.acceptedAt ?? seen[0]?.acceptedAt ?? null;
  return (
    <div className="ending ending-calm" data-testid="elsewhere">
      <AppWindow size={20} aria-hidden="true" />
      <p className="ending-text" data-testid="message">
        <strong>{taken ? TAKEN_ELSEWHERE : elsewhereOf(seen.length)}</strong> {seen.map((call) => call.name || call.number).join(", ")}
      </p>
      <div className="ending-foot">
        <button type="button" className="link" data-testid="bring" onClick={onBring}>{bringHereOf(seen.length)}</button>
        <span className="timer" data-testid="timer" aria-label="Length of the call">{acceptedAt === null ? "" : clock((now ?? ticking) - acceptedAt)}</span>
      </div>
    </div>
  );
}

/** Who has talked for so long is asked how it was. */
const RATED_FROM_MS = 10_000;

export interface EndingProps {
  call: Call;
  onAgain(): void;
  onDismiss(): void;
  onRate?: ((id: string, opinion: Opinion) => void) | undefined; // not there where nobody wants to know
}

/** How the last call ended: a sentence, what to do, and the code for support. */
export function Ending({ call, onAgain, onDismiss, onRate }: EndingProps) {
  const message = messageOf(call);
  if (!message) return null;
  const lasted = call.acceptedAt === null || call.endedAt === null ? 0 : call.endedAt - call.acceptedAt;
  const talked = call.acceptedAt === null || call.endedAt === null ? "" : clock(lasted);
  const code = [call.outcome ?? call.problem, call.q850 ? `cause ${call.q850}` : "", call.sip ? `SIP ${call.sip}` : "", call.id]
    .filter(Boolean)
    .join(" · ");
  const Icon = message.tone === "bad" ? CircleAlert : Check;
  return (
    <div className={`ending ending-${message.tone}`}>
      <Icon size={20} aria-hidden="true" />
      <p className="ending-text" data-testid="message"><strong>{message.text}</strong> {message.advice}</p>
      {onRate && lasted > RATED_FROM_MS && <Rating onRate={(opinion) => onRate(call.id, opinion)} />}
      <div className="ending-foot">
        {call.number && <button type="button" className="link" onClick={onAgain}>{call.direction === "inbound" ? BUTTONS.callBack : BUTTONS.callAgain}</button>}
        <button type="button" className="link" onClick={onDismiss}>{BUTTONS.close}</button>
        {talked && <span className="timer" data-testid="timer"><span className="hidden">Length of the call: </span>{talked}</span>}
        <span className="code" title={`For support: ${code}`}>{code}</span>
      </div>
    </div>
  );
}
