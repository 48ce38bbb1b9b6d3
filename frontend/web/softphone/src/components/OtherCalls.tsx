// The calls besides the active one, in a line each; a waiting call needs a decision.

import { ArrowLeftRight, Pause, Phone, PhoneIncoming } from "lucide-react";
import { callTime, connectedParty, type LiveCall } from "sip-proxy-client";
import { BUTTONS, stateLabelOf, WAITING } from "../texts";
import type { PhoneActions } from "./actions";
import { clock, useNow } from "./time";

export interface OtherCallsProps {
  calls: readonly LiveCall[];
  nobodyTalking: boolean; // no call is being talked on: going to another one is not a swap
  now?: number; // fixed, for pictures
  onSwap(id: string): void;
}

export function OtherCalls({ calls, nobodyTalking, now, onSwap }: OtherCallsProps) {
  const ticking = useNow(500, calls.length > 0 && now === undefined, callTime);
  if (calls.length === 0) return null;
  const many = calls.length > 1;
  return (
    <ul className={many ? "other-calls many" : "other-calls"} aria-label="Other calls">
      {calls.map((call, place) => {
        const { name, number } = connectedParty(call);
        const word = nobodyTalking ? BUTTONS.talk : BUTTONS.swap;
        return (
          <li key={place /* a swap leaves the focus where it is */}>
            {call.held ? <Pause size={15} aria-hidden="true" /> : <Phone size={15} aria-hidden="true" />}
            <b>{name || number}</b>
            <span className={many ? "hidden" : "other-state"}>{stateLabelOf(call)}</span>
            {!many && (
              <span className="timer">{call.acceptedAt === null ? "" : clock((now ?? ticking) - call.acceptedAt)}</span>
            )}
            <button
              type="button"
              className="link"
              onClick={() => onSwap(call.id)}
              title={`${word} (S)`}
              aria-label={many ? `${word}: ${name || number}` : word}
            >
              <ArrowLeftRight size={14} aria-hidden="true" />
              {!many && word}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** A call that rings while another one, `active`, is displayed. A call that is being transferred is neither held nor ended. */
export function WaitingCall({ call, active, actions }: { call: LiveCall; active: LiveCall; actions: PhoneActions }) {
  const given = active.transferring !== null;
  const held = active.phase === "accepted" && !active.held && !given;
  const who = call.name || call.number || "Somebody";
  return (
    <div className="waiting" role="group" aria-label="Call waiting">
      <p role="alert">
        <PhoneIncoming size={16} aria-hidden="true" />
        <b>{who}</b> {WAITING}
      </p>
      <div className="waiting-buttons">
        <button
          type="button"
          className="small green"
          data-testid="hold-and-answer"
          onClick={() => actions.accept(call.id)}
        >
          {held ? BUTTONS.holdAndAnswer : BUTTONS.answer}
        </button>
        {!given && (
          <button
            type="button"
            className="small dark"
            data-testid="end-and-answer"
            onClick={() => actions.accept(call.id, true)}
          >
            {BUTTONS.endAndAnswer}
          </button>
        )}
        <button
          type="button"
          className="small dark"
          data-testid="decline-waiting"
          onClick={() => actions.decline(call.id)}
        >
          {BUTTONS.decline}
        </button>
      </div>
    </div>
  );
}
