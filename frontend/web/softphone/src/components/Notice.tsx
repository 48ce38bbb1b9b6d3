// The one sentence on the stage that matters now, with what can be done about it.

import { X } from "lucide-react";
import { type LiveCall, shownOf } from "sip-proxy-client";
import type { Snapshot } from "../phone/snapshot";
import { BUTTONS, SOUND_BLOCKED, messageOf, troubleOf, warningOf, type Message } from "../texts";
import type { PhoneActions } from "./actions";
import { LinkAwayInCall } from "./LinkAway";
import { SignInAgain } from "./SignInAgain";

export interface NoticeProps {
  user: string;
  snapshot: Snapshot;
  actions: PhoneActions;
  now?: number; // fixed, for pictures
  gone: Message | null; // chosen devices that are not there, until that was read
  onRead(): void;
}

/** Null where the state's word says it all. */
export function noticeOf({ user, snapshot, actions, now, gone, onRead }: NoticeProps) {
  const call = shownOf(snapshot);
  if (!call || call.phase === "ended") return null;
  if (snapshot.link === "lost") return <LinkAwayInCall call={call} since={snapshot.linkLostAt} now={now} onTry={actions.tryNow} />;
  if (snapshot.signedOut !== null && actions.signIn) return <SignInAgain user={user} onSignIn={actions.signIn} />;
  if (snapshot.soundBlocked) return <Said message={SOUND_BLOCKED} />;
  if (call.trouble) return <Failed call={call as LiveCall} actions={actions} />;
  const message = messageOf(call);
  if (message?.tone === "bad") return <Said message={message} />;
  const ended = snapshot.over && messageOf(snapshot.over);
  if (ended?.tone === "bad") return <Said message={ended} onClose={actions.dismiss} />;
  if (message) return <Said message={message} />;
  if (gone) return <Said message={gone} onClose={onRead} />;
  const warning = warningOf(snapshot.warnings ?? [], snapshot.quality);
  return warning && <Said message={warning} />;
}

function Said({ message, onClose }: { message: Message; onClose?(): void }) {
  return (
    <p className={onClose ? "stage-message closable" : "stage-message"} data-testid="message">
      <span><strong>{message.text}</strong> {message.advice}</span>
      {onClose && <Close onClose={onClose} />}
    </p>
  );
}

/** What was asked for and came to nothing: the call is as before. */
function Failed({ call, actions }: { call: LiveCall; actions: PhoneActions }) {
  const { trouble } = call;
  if (!trouble) return null;
  const again = { transfer: actions.transfer, add: actions.addParty }[trouble.what as "transfer" | "add"];
  return (
    <p className="stage-message" data-testid="message">
      <strong>{troubleOf(trouble).text}</strong>
      <span className="stage-choices">
        {again && trouble.number && <button type="button" className="link" onClick={() => again(trouble.number)}>{BUTTONS.tryAgain}</button>}
        <Close onClose={actions.dismiss} />
      </span>
    </p>
  );
}

function Close({ onClose }: { onClose(): void }) {
  return <button type="button" className="close" onClick={onClose} aria-label={BUTTONS.close} title={BUTTONS.close}><X size={16} aria-hidden="true" /></button>;
}
