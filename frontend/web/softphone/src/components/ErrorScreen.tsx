// Drawn if the phone itself cannot be: the call continues, and can be answered and ended.

import { TriangleAlert } from "lucide-react";
import { activeCall, connectedParty, waitingCall } from "sip-proxy-client";
import { reloadPage } from "../phone/reload";
import type { Snapshot } from "../phone/snapshot";
import { BUTTONS, PAGE_ERROR, stateLabelOf, WAITING } from "../texts";
import type { PhoneActions } from "./actions";

export interface ErrorScreenProps {
  snapshot: Pick<Snapshot, "calls" | "activeId" | "lastEndedCall" | "otherDeviceCalls">;
  actions: Pick<PhoneActions, "accept" | "decline" | "hangup">;
  onRetry(): void;
}

export function ErrorScreen({ snapshot, actions, onRetry }: ErrorScreenProps) {
  const active = activeCall(snapshot);
  const rings = active?.phase === "incoming" ? active : waitingCall(snapshot);
  const { name, number } = active ? connectedParty(active) : { name: "", number: "" };
  return (
    <main className="sign-in" data-testid="phone" data-state={active?.phase ?? "idle"}>
      <div className="sign-in-card broken">
        <TriangleAlert size={28} aria-hidden="true" />
        <h1>{PAGE_ERROR.title}</h1>
        {active && (
          <p className="broken-call" role="status">
            <b>{stateLabelOf(active)}</b> {name || number}
          </p>
        )}
        <p className="quiet" data-testid="message">
          {active ? PAGE_ERROR.inCall : PAGE_ERROR.idle}
        </p>
        {rings && rings !== active && (
          <p className="broken-call" role="status">
            <b>{rings.name || rings.number}</b> {WAITING}
          </p>
        )}
        {active && (
          <p className="broken-choices">
            {rings && (
              <button type="button" className="primary" onClick={() => actions.accept(rings.id)}>
                {BUTTONS.answer}
              </button>
            )}
            {rings && (
              <button type="button" onClick={() => actions.decline(rings.id)}>
                {BUTTONS.decline}
              </button>
            )}
            {active !== rings && (
              <button type="button" onClick={actions.hangup}>
                {BUTTONS.hangUp}
              </button>
            )}
          </p>
        )}
        <p className="broken-choices">
          <button type="button" className="primary" onClick={reloadPage}>
            {PAGE_ERROR.reload}
          </button>
          <button type="button" onClick={onRetry}>
            {BUTTONS.tryAgain}
          </button>
        </p>
      </div>
    </main>
  );
}

/** The same, if even that throws. */
export function PageErrorScreen() {
  return (
    <main className="sign-in">
      <div className="sign-in-card broken">
        <h1>{PAGE_ERROR.title}</h1>
        <p className="quiet" data-testid="message">
          {PAGE_ERROR.idle}
        </p>
        <p className="broken-choices">
          <button type="button" className="primary" onClick={reloadPage}>
            {PAGE_ERROR.reload}
          </button>
        </p>
      </div>
    </main>
  );
}
