// Asks whether the system may show calls while the page is hidden, if there is nothing more important to say.

import { BellRing } from "lucide-react";
import type { NotificationState } from "../phone/notifications";
import { NOTIFICATIONS } from "../texts";
import type { PhoneActions } from "./actions";

type Actions = Pick<PhoneActions, "allowNotifications" | "declineNotifications">;

/** On the stage while it is free. */
export function NotificationHint({ actions }: { actions: Actions }) {
  return (
    <p className="hint hint-voicemail" data-testid="notifications">
      <BellRing size={18} aria-hidden="true" />
      <span>{NOTIFICATIONS.question}</span>
      <span>
        <button type="button" className="link" onClick={actions.allowNotifications}>
          {NOTIFICATIONS.allow}
        </button>
        <button type="button" className="link" onClick={actions.declineNotifications}>
          {NOTIFICATIONS.decline}
        </button>
      </span>
    </p>
  );
}

/** In *Sound and connection*, for users who have declined, here or in the browser. */
export function NotificationChoice({ state, actions }: { state: NotificationState; actions: Actions }) {
  if (state === "allowed" || state === "none") return null;
  return (
    <p className="connection-test">
      {state === "blocked" ? (
        NOTIFICATIONS.blocked
      ) : (
        <button type="button" className="link" onClick={actions.allowNotifications}>
          {NOTIFICATIONS.title}
        </button>
      )}
    </p>
  );
}
