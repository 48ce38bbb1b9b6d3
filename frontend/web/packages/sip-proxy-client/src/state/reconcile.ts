// The server's list of calls against the page's state: which of them is right, and what to do. Pure.

import type { CallSummary } from "../protocol/messages.js";
import type { ListKind } from "../signaling/SignalingClient.js";
import type { ServerClock } from "../signaling/serverClock.js";
import {
  connectedPerson,
  type ListedCall,
  type LiveCall,
  type PhoneAction,
  type PhoneState,
  type ReleaseMode,
} from "./model.js";

type NameOf = (number: string) => string;

export function listedCall(summary: CallSummary, clock: Pick<ServerClock, "toPage">, nameOf: NameOf): ListedCall {
  const {
    callId: id,
    direction,
    state,
    target,
    caller,
    callerName,
    createdAt,
    answeredAt,
    heldByFar,
    here,
    attached,
  } = summary;
  const { held = false, parties = [], transferring = "", recording = "off" } = summary;
  const inbound = direction === "inbound";
  const number = inbound ? caller : target;
  const connected = connectedPerson(summary);
  return {
    id,
    direction,
    number,
    held,
    heldByFar,
    here,
    attached,
    recording,
    name: (inbound && callerName) || nameOf(number),
    connected: connected && withName(connected, nameOf),
    phase: state === "accepted" ? "accepted" : inbound || state === "ended" ? "connecting" : state,
    startedAt: clock.toPage(createdAt),
    acceptedAt: answeredAt ? clock.toPage(answeredAt) : null,
    parties: parties.map((party) => withName(party, nameOf)),
    transferring: transferring ? { number: transferring, name: nameOf(transferring) } : null,
  };
}

/** With the phone book's name if there is no other. */
export const withName = <T extends { number: string; name: string }>(party: T, nameOf: NameOf): T => ({
  ...party,
  name: party.name || nameOf(party.number),
});

/** What the page knows besides its calls. */
export interface PageContext {
  at: number;
  list: ListKind;
  isNew: boolean; // the page has not received a list yet, and may take over calls without a page
  isOffering(id: string): boolean; // its offer is on its way on this connection: the list may be older
  released: ReadonlyMap<string, ReleaseMode>; // calls that are over for this page by a press
}

export interface Reconciliation {
  actions: PhoneAction[]; // in this order
  adopt: ListedCall[]; // our calls, or calls without a page: this page connects their media
  renew: string[]; // our calls, but the server has lost whose they were: a new offer claims each
  missing: string[]; // our calls, but not the server's any more: how did they end?
  release: { id: string; how: ReleaseMode }[]; // ended here, and the server does not know it
  hold: { id: string; held: boolean }[]; // requested, and the server does not know it
}

export function reconcile(state: PhoneState, list: readonly ListedCall[], page: PageContext): Reconciliation {
  const result: Reconciliation = { actions: [], adopt: [], renew: [], missing: [], release: [], hold: [] };
  const remaining = list.filter((listed) => !page.released.has(listed.id));
  result.release = list.flatMap(({ id }) => (page.released.has(id) ? [{ id, how: page.released.get(id)! }] : []));
  for (const call of state.calls)
    reconcileCall(call, remaining.find((listed) => listed.id === call.id) ?? null, page, result);

  const known = new Set(state.calls.map(({ id }) => id));
  const unknown = remaining.filter((listed) => !known.has(listed.id));
  result.adopt = unknown.filter((listed) => listed.here || (page.isNew && !listed.attached));
  const taken = result.actions.flatMap((event) => (event.type === "taken-over" ? [event.call] : []));
  const rungElsewhere = remaining.filter(
    (listed) => !listed.here && state.calls.some((call) => call.id === listed.id && call.phase === "incoming"),
  );
  result.actions.push({
    type: "other-device-calls",
    calls: [...unknown.filter((listed) => !result.adopt.includes(listed)), ...taken, ...rungElsewhere],
  });
  return result;
}

function reconcileCall(call: LiveCall, listed: ListedCall | null, page: PageContext, result: Reconciliation): void {
  const { id } = call;
  const first = page.list === "first";
  const offering = page.isOffering(id);
  if (!listed) {
    if (call.phase !== "incoming" && first && !offering) result.missing.push(id);
  } else if (call.phase === "incoming") {
    // Ringing calls are not listed: another page has accepted it.
    const ended = { type: "incoming-ended", callId: id, reason: "accepted_elsewhere" } as const;
    if (!listed.here) result.actions.push({ type: "call-message", id, message: ended, at: page.at });
  } else if (!listed.here && !offering && first && listed.attached) {
    result.actions.push({ type: "taken-over", call: listed });
  } else {
    result.actions.push({ type: "listed", id, listed, first: first && !offering });
    if (!listed.here && !offering && first) result.renew.push(id);
    if (first && call.pending?.kind === "hold" && call.pending.held !== listed.held)
      result.hold.push({ id, held: call.pending.held });
  }
}
