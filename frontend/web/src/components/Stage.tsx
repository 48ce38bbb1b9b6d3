// The upper half: who, what state, how long. Colour, word and icon say the state from across the room.

import { AppWindow, Check, CircleAlert, MicOff, Pause, Phone, PhoneCall, PhoneIncoming, PhoneOff, PhoneOutgoing, type LucideIcon } from "lucide-react";
import type { Quality } from "../media/quality";
import type { Call, Phase } from "../phone/call";
import type { CallSeen } from "../phone/calls";
import { BRING_HERE, ELSEWHERE, SOUND_BLOCKED, STATE_WORDS, TAKEN_ELSEWHERE, messageOf } from "../texts";
import { Meter } from "./Meter";
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
  call: Call; // live
  quality: Quality | null;
  soundBlocked: boolean;
  covered: boolean; // a banner says what matters more than the message
  remoteLevel(): number;
  now?: number; // fixed, for pictures
}

export function Stage({ call, quality, soundBlocked, covered, remoteLevel, now }: StageProps) {
  const ticking = useNow(500, call.phase === "accepted" && now === undefined);
  const Icon = ICONS[call.phase];
  const message = covered ? null : soundBlocked ? SOUND_BLOCKED : messageOf(call);
  const talking = call.phase === "accepted";
  const word = call.phase === "connecting" && call.direction === "inbound" ? "Answering" : STATE_WORDS[call.phase];
  return (
    <div className="stage-call">
      <div className="stage-line">
        <span className="state-word"><Icon size={18} aria-hidden="true" />{word}</span>
        <span className="stage-marks">
          {call.muted && <span className="mark"><MicOff size={14} aria-hidden="true" />Muted</span>}
          {call.held && <span className="mark"><Pause size={14} aria-hidden="true" />On hold</span>}
          {talking && <QualityBars quality={quality} />}
        </span>
      </div>
      <p className="party">{call.name || call.number || "Unknown number"}</p>
      <p className="party-more">
        <span>{call.name ? call.number : " "}</span>
        {call.digits && <span className="sent" aria-label={`Sent: ${call.digits}`}>{call.digits}</span>}
      </p>
      <div className={talking || !message ? "stage-line stage-foot" : "hidden"}>
        <span className="timer" data-testid="timer" role="timer" aria-label="Length of the call">
          {talking ? clock((now ?? ticking) - (call.acceptedAt ?? 0)) : ""}
        </span>
        {talking && <Meter label="Level of the other side" read={remoteLevel} testId="remote-level" />}
        {!talking && !message && <span className="dots" aria-hidden="true"><i /><i /><i /></span>}
      </div>
      <p className="stage-message" data-testid="message">
        {message && <><strong>{message.text}</strong> {message.advice}</>}
      </p>
    </div>
  );
}

/** A call of this user that another page holds. */
export function Elsewhere({ seen, taken, now, onBring }: { seen: CallSeen; taken: boolean; now?: number; onBring(): void }) {
  const ticking = useNow(500, now === undefined);
  return (
    <div className="ending ending-calm" data-testid="elsewhere">
      <AppWindow size={20} aria-hidden="true" />
      <p className="ending-text" data-testid="message"><strong>{taken ? TAKEN_ELSEWHERE : ELSEWHERE}</strong> {seen.name || seen.number}</p>
      <div className="ending-foot">
        <button type="button" className="link" data-testid="bring" onClick={onBring}>{BRING_HERE}</button>
        <span className="timer" data-testid="timer" aria-label="Length of the call">{seen.acceptedAt === null ? "" : clock((now ?? ticking) - seen.acceptedAt)}</span>
      </div>
    </div>
  );
}

/** How the last call ended: a sentence, what to do, and the code for support. */
export function Ending({ call, onAgain, onDismiss }: { call: Call; onAgain(): void; onDismiss(): void }) {
  const message = messageOf(call);
  if (!message) return null;
  const talked = call.acceptedAt === null || call.endedAt === null ? "" : clock(call.endedAt - call.acceptedAt);
  const code = [call.outcome ?? call.problem, call.q850 ? `cause ${call.q850}` : "", call.sip ? `SIP ${call.sip}` : "", call.id]
    .filter(Boolean)
    .join(" · ");
  const Icon = message.tone === "bad" ? CircleAlert : Check;
  return (
    <div className={`ending ending-${message.tone}`}>
      <Icon size={20} aria-hidden="true" />
      <p className="ending-text" data-testid="message"><strong>{message.text}</strong> {message.advice}</p>
      <div className="ending-foot">
        {call.number && <button type="button" className="link" onClick={onAgain}>Call {call.direction === "inbound" ? "back" : "again"}</button>}
        <button type="button" className="link" onClick={onDismiss}>Close</button>
        {talked && <span className="timer" data-testid="timer"><span className="hidden">Length of the call: </span>{talked}</span>}
        <span className="code" title={`For support: ${code}`}>{code}</span>
      </div>
    </div>
  );
}
