// What stands in place of the phone where that cannot be drawn: the call goes on, and can be answered and ended.

import { TriangleAlert } from "lucide-react";
import { activeOf, facing, waitingOf } from "sip-proxy-client";
import { reloadPage } from "../phone/reload";
import type { Snapshot } from "../phone/snapshot";
import { BROKEN, BUTTONS, WAITING, stateWordOf } from "../texts";
import type { PhoneActions } from "./actions";

export interface BrokenProps {
  snapshot: Pick<Snapshot, "calls" | "activeId" | "over" | "elsewhere">;
  actions: Pick<PhoneActions, "accept" | "decline" | "hangup">;
  onRetry(): void;
}

export function Broken({ snapshot, actions, onRetry }: BrokenProps) {
  const active = activeOf(snapshot);
  const rings = active?.phase === "incoming" ? active : waitingOf(snapshot);
  const { name, number } = active ? facing(active) : { name: "", number: "" };
  return (
    <main className="sign-in" data-testid="phone" data-state={active?.phase ?? "idle"}>
      <div className="sign-in-card broken">
        <TriangleAlert size={28} aria-hidden="true" />
        <h1>{BROKEN.title}</h1>
        {active && <p className="broken-call" role="status"><b>{stateWordOf(active)}</b> {name || number}</p>}
        <p className="quiet" data-testid="message">{active ? BROKEN.inCall : BROKEN.idle}</p>
        {rings && rings !== active && <p className="broken-call" role="status"><b>{rings.name || rings.number}</b> {WAITING}</p>}
        {active && (
          <p className="broken-choices">
            {rings && <button type="button" className="primary" onClick={() => actions.accept(rings.id)}>{BUTTONS.answer}</button>}
            {rings && <button type="button" onClick={() => actions.decline(rings.id)}>{BUTTONS.decline}</button>}
            {active !== rings && <button type="button" onClick={actions.hangup}>{BUTTONS.hangUp}</button>}
          </p>
        )}
        <p className="broken-choices">
          <button type="button" className="primary" onClick={reloadPage}>{BROKEN.reload}</button>
          <button type="button" onClick={onRetry}>{BUTTONS.tryAgain}</button>
        </p>
      </div>
    </main>
  );
}

/** The same, where nothing is known any more. */
export function PageBroken() {
  return (
    <main className="sign-in">
      <div className="sign-in-card broken">
        <h1>{BROKEN.title}</h1>
        <p className="quiet" data-testid="message">{BROKEN.idle}</p>
        <p className="broken-choices"><button type="button" className="primary" onClick={reloadPage}>{BROKEN.reload}</button></p>
      </div>
    </main>
  );
}
