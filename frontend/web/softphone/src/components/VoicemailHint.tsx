// New messages in the user's voicemail box, and how to hear them.

import { Voicemail as Tape } from "lucide-react";
import type { Voicemail } from "sip-proxy-client";
import { newMessages, VOICEMAIL } from "../texts";

export interface VoicemailProps {
  voicemail: Voicemail | null;
  onCall(number: string): void;
}

/** In the bar, where it is always visible. */
export function VoicemailBadge({ voicemail, disabled, onCall }: VoicemailProps & { disabled: boolean }) {
  if (!voicemail?.new) return null;
  const { number = "" } = voicemail;
  const words = newMessages(voicemail.new);
  return (
    <button
      type="button"
      className="icon-button badged"
      disabled={disabled || !number}
      onClick={() => onCall(number)}
      aria-label={`${words}. ${VOICEMAIL.listen}`}
      title={words}
    >
      <Tape size={18} aria-hidden="true" />
      <b data-testid="voicemail">{voicemail.new > 99 ? "99+" : voicemail.new}</b>
    </button>
  );
}

/** On the stage while it is free. */
export function VoicemailHint({ voicemail, onCall }: VoicemailProps) {
  if (!voicemail?.new) return null;
  const { number = "" } = voicemail;
  return (
    <p className="hint hint-voicemail">
      <Tape size={18} aria-hidden="true" />
      <strong>{newMessages(voicemail.new)}</strong>
      {number && (
        <button type="button" className="link" onClick={() => onCall(number)}>
          {VOICEMAIL.listen}
        </button>
      )}
    </p>
  );
}
