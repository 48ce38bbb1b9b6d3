// The upper half in a call: who, what state, how long. Colour, word and icon say the state from across the room.

import { ArrowRightLeft, Circle, MicOff, Pause, Phone, PhoneCall, PhoneIncoming, PhoneOff, PhoneOutgoing, Users, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { callTime, facing, isConference, type LiveCall, type Phase, type Quality } from "sip-proxy-client";
import { RECORDING_WORDS, asCalledOf, stateWordOf } from "../texts";
import { Meter } from "./Meter";
import { Parties } from "./Parties";
import { QualityBars } from "./Quality";
import { clock, useNow } from "./time";

const ICONS: Record<Phase, LucideIcon> = {
  idle: Phone,
  connecting: PhoneOutgoing,
  trying: PhoneOutgoing,
  ringing: PhoneOutgoing,
  early: PhoneOutgoing,
  accepted: PhoneCall,
  incoming: PhoneIncoming,
  ended: PhoneOff,
};

export interface StageProps {
  call: LiveCall;
  quality: Quality | null;
  remoteLevel(): number;
  now?: number; // fixed, for pictures
  notice: ReactNode; // one sentence that matters now; null: none
  below: ReactNode; // other calls and tools, or a number that is asked for
  brief: boolean; // what is below needs the room
  tight: boolean; // it needs some of it
  onDrop(party: number): void;
}

export function Stage({ call, quality, remoteLevel, now, notice, below, brief, tight, onDrop }: StageProps) {
  const talking = call.phase === "accepted";
  const ticking = useNow(500, talking && now === undefined, callTime);
  const Icon = call.transferring ? ArrowRightLeft : call.held || (talking && call.heldByFar) ? Pause : isConference(call) ? Users : ICONS[call.phase];
  const { number, name } = facing(call);
  const timer = (
    <span className="timer" data-testid="timer" role="timer" aria-label="Length of the call">
      {talking ? clock((now ?? ticking) - (call.acceptedAt ?? 0)) : ""}
    </span>
  );
  return (
    <div className={`stage-call ${brief ? "brief" : tight && notice ? "tight" : ""}`}>
      <div className="stage-line">
        <span className="state-word"><Icon size={18} aria-hidden="true" />{stateWordOf(call)}</span>
        <span className="stage-marks">
          {call.muted && <span className="mark"><MicOff size={14} aria-hidden="true" />Muted</span>}
          {brief ? timer : talking && <QualityBars quality={quality} />}
        </span>
      </div>
      {isConference(call) && !brief ? (
        <Parties call={call} onDrop={onDrop} />
      ) : (
        <div>
          <p className="party">{isConference(call) ? stateWordOf(call) : name || number || "Unknown number"}</p>
          {!brief && (
            <p className="party-more">
              <span>{[name && number, asCalledOf(call)].filter(Boolean).join(" · ") || " "}</span>
              {call.digits && <span className="sent" aria-label={`Sent: ${call.digits}`}>{call.digits}</span>}
            </p>
          )}
        </div>
      )}
      {!brief && (
        <div className={talking || !notice ? "stage-line stage-foot" : "hidden"}>
          {timer}
          {call.recording !== "off" && (
            <span className={`mark recording-${call.recording}`} data-testid="recording">
              {call.recording === "on" ? <Circle size={11} fill="currentColor" aria-hidden="true" /> : <Pause size={12} aria-hidden="true" />}{RECORDING_WORDS[call.recording]}
            </span>
          )}
          {talking && <Meter label="Level of the other side" read={remoteLevel} testId="remote-level" />}
          {!talking && !notice && <span className="dots" aria-hidden="true"><i /><i /><i /></span>}
        </div>
      )}
      {!brief && <div className="stage-notice">{notice}</div>}
      {below}
    </div>
  );
}
