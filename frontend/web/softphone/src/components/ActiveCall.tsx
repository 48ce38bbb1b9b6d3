// The upper half during a call: who, in which state, how long. Colour, word and icon show the state from across the room.

import {
  ArrowRightLeft,
  Circle,
  type LucideIcon,
  MicOff,
  Pause,
  Phone,
  PhoneCall,
  PhoneIncoming,
  PhoneOff,
  PhoneOutgoing,
  Users,
} from "lucide-react";
import type { ReactNode } from "react";
import { callTime, connectedParty, isConference, type LiveCall, type Phase, type Quality } from "sip-proxy-client";
import { dialledAsOf, RECORDING_LABELS, stateLabelOf } from "../texts";
import { LevelMeter } from "./LevelMeter";
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

export interface ActiveCallProps {
  call: LiveCall;
  quality: Quality | null;
  outputLevel(): number;
  now?: number; // fixed, for pictures
  notice: ReactNode; // one sentence that matters now; null: none
  below: ReactNode; // other calls and tools, or a number that is asked for
  isCompact: boolean; // what is below needs the room
  isTight: boolean; // it needs part of the room
  onDrop(party: number): void;
}

export function ActiveCall({
  call,
  quality,
  outputLevel,
  now,
  notice,
  below,
  isCompact,
  isTight,
  onDrop,
}: ActiveCallProps) {
  const talking = call.phase === "accepted";
  const ticking = useNow(500, talking && now === undefined, callTime);
  const Icon = call.transferring
    ? ArrowRightLeft
    : call.held || (talking && call.heldByFar)
      ? Pause
      : isConference(call)
        ? Users
        : ICONS[call.phase];
  const { number, name } = connectedParty(call);
  const timer = (
    <span className="timer" data-testid="timer" role="timer" aria-label="Length of the call">
      {talking ? clock((now ?? ticking) - (call.acceptedAt ?? 0)) : ""}
    </span>
  );
  return (
    <div className={`stage-call ${isCompact ? "brief" : isTight && notice ? "tight" : ""}`}>
      <div className="stage-line">
        <span className="state-word">
          <Icon size={18} aria-hidden="true" />
          {stateLabelOf(call)}
        </span>
        <span className="stage-marks">
          {call.muted && (
            <span className="mark">
              <MicOff size={14} aria-hidden="true" />
              Muted
            </span>
          )}
          {isCompact ? timer : talking && <QualityBars quality={quality} />}
        </span>
      </div>
      {isConference(call) && !isCompact ? (
        <Parties call={call} onDrop={onDrop} />
      ) : (
        <div>
          <p className="party">{isConference(call) ? stateLabelOf(call) : name || number || "Unknown number"}</p>
          {!isCompact && (
            <p className="party-more">
              <span>{[name && number, dialledAsOf(call)].filter(Boolean).join(" · ") || " "}</span>
              {call.digits && (
                <span className="sent" aria-label={`Sent: ${call.digits}`}>
                  {call.digits}
                </span>
              )}
            </p>
          )}
        </div>
      )}
      {!isCompact && (
        <div className={talking || !notice ? "stage-line stage-foot" : "hidden"}>
          {timer}
          {call.recording !== "off" && (
            <span className={`mark recording-${call.recording}`} data-testid="recording">
              {call.recording === "on" ? (
                <Circle size={11} fill="currentColor" aria-hidden="true" />
              ) : (
                <Pause size={12} aria-hidden="true" />
              )}
              {RECORDING_LABELS[call.recording]}
            </span>
          )}
          {talking && <LevelMeter label="Level of the other side" read={outputLevel} testId="remote-level" />}
          {!talking && !notice && (
            <span className="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
          )}
        </div>
      )}
      {!isCompact && <div className="stage-notice">{notice}</div>}
      {below}
    </div>
  );
}
