// The one sentence on the stage that matters now, with what can be done about it.

import { X } from "lucide-react";
import { displayedCall, type LiveCall } from "sip-proxy-client";
import type { Snapshot } from "../phone/snapshot";
import { BUTTONS, failureMessageOf, type Message, messageOf, SOUND_BLOCKED, warningOf } from "../texts";
import type { PhoneActions } from "./actions";
import { ConnectionLostInCall } from "./ConnectionLost";
import { SignInAgain } from "./SignInAgain";

export interface CallNoticeProps {
  user: string;
  snapshot: Snapshot;
  actions: PhoneActions;
  now?: number; // fixed, for pictures
  missingDevices: Message | null; // chosen devices that are not there, until that was read
  onDismissDevices(): void;
}

/** Null if the state's label says everything. */
export function callNotice({ user, snapshot, actions, now, missingDevices, onDismissDevices }: CallNoticeProps) {
  const call = displayedCall(snapshot);
  if (!call || call.phase === "ended") return null;
  // First: a sign-in that the server has ended takes the connection along, which comes back with another one only.
  if (snapshot.signedOut !== null && actions.signInAgain)
    return <SignInAgain user={user} actions={actions.signInAgain} provider={actions.provider} />;
  if (snapshot.link === "lost")
    return <ConnectionLostInCall call={call} since={snapshot.linkLostAt} now={now} onRetry={actions.reconnect} />;
  if (snapshot.soundBlocked) return <NoticeText message={SOUND_BLOCKED} />;
  if (call.failedRequest) return <FailedRequest call={call as LiveCall} actions={actions} />;
  const message = messageOf(call);
  if (message?.tone === "bad") return <NoticeText message={message} />;
  const ended = snapshot.lastEndedCall && messageOf(snapshot.lastEndedCall);
  if (ended?.tone === "bad") return <NoticeText message={ended} onClose={actions.clearLastCall} />;
  if (message) return <NoticeText message={message} />;
  if (missingDevices) return <NoticeText message={missingDevices} onClose={onDismissDevices} />;
  const warning = warningOf(snapshot.warnings ?? [], snapshot.quality);
  return warning && <NoticeText message={warning} />;
}

function NoticeText({ message, onClose }: { message: Message; onClose?(): void }) {
  return (
    <p className={onClose ? "stage-message closable" : "stage-message"} data-testid="message">
      <span>
        <strong>{message.text}</strong> {message.advice}
      </span>
      {onClose && <Close onClose={onClose} />}
    </p>
  );
}

/** A request that has failed; the call continues. */
function FailedRequest({ call, actions }: { call: LiveCall; actions: PhoneActions }) {
  const { failedRequest } = call;
  if (!failedRequest) return null;
  const again = { transfer: actions.transfer, add: actions.addParty }[failedRequest.kind as "transfer" | "add"];
  return (
    <p className="stage-message" data-testid="message">
      <strong>{failureMessageOf(failedRequest).text}</strong>
      <span className="stage-choices">
        {again && failedRequest.number && (
          <button type="button" className="link" onClick={() => again(failedRequest.number)}>
            {BUTTONS.tryAgain}
          </button>
        )}
        <Close onClose={actions.clearLastCall} />
      </span>
    </p>
  );
}

function Close({ onClose }: { onClose(): void }) {
  return (
    <button type="button" className="close" onClick={onClose} aria-label={BUTTONS.close} title={BUTTONS.close}>
      <X size={16} aria-hidden="true" />
    </button>
  );
}
