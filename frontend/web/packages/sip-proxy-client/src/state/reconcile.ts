// The server's list of calls, against what the page believes: who is right, and what is to be done. Pure.

import type { CallSummary } from "../protocol/messages.js";
import type { ServerClock } from "../signaling/serverClock.js";
import type { ListTime } from "../signaling/SignalingClient.js";
import { connectedOf, type CallSeen, type LiveCall, type PhoneEvent, type PhoneState, type Release } from "./model.js";

type NameOf = (number: string) => string;

export function seenOf(summary: CallSummary, clock: Pick<ServerClock, "toPage">, nameOf: NameOf): CallSeen {
  const { callId: id, direction, state, target, caller, callerName, createdAt, answeredAt, heldByFar, here, attached } = summary;
  const { held = false, parties = [], transferring = "", recording = "off" } = summary;
  const inbound = direction === "inbound";
  const number = inbound ? caller : target;
  const connected = connectedOf(summary);
  return {
    id, direction, number, held, heldByFar, here, attached, recording,
    name: (inbound && callerName) || nameOf(number),
    connected: connected && named(connected, nameOf),
    phase: state === "accepted" ? "accepted" : inbound || state === "ended" ? "connecting" : state,
    startedAt: clock.toPage(createdAt),
    acceptedAt: answeredAt ? clock.toPage(answeredAt) : null,
    parties: parties.map((party) => named(party, nameOf)),
    transferring: transferring ? { number: transferring, name: nameOf(transferring) } : null,
  };
}

/** With the phone book's name where there is no other. */
export const named = <T extends { number: string; name: string }>(party: T, nameOf: NameOf): T => ({ ...party, name: party.name || nameOf(party.number) });

/** What the page knows beside its calls. */
export interface PageKnows {
  at: number;
  when: ListTime;
  new: boolean; // the page: it has seen no list yet, and may take what nobody holds
  offering(id: string): boolean; // its offer is on its way on this connection: the list may be older
  released: ReadonlyMap<string, Release>; // calls that are over for this page by a press
}

export interface Settled {
  events: PhoneEvent[]; // in this order
  take: CallSeen[]; // ours, or nobody's: to be given sound by this page
  renew: string[]; // our calls, but the server has lost whose they were: a new offer claims each
  missing: string[]; // our calls, but not the server's any more: how did they end?
  release: { id: string; how: Release }[]; // over here, and nobody has heard it
  hold: { id: string; held: boolean }[]; // asked for, and nobody has heard it
}

export function settle(state: PhoneState, list: readonly CallSeen[], page: PageKnows): Settled {
  const settled: Settled = { events: [], take: [], renew: [], missing: [], release: [], hold: [] };
  const standing = list.filter((seen) => !page.released.has(seen.id));
  settled.release = list.flatMap(({ id }) => (page.released.has(id) ? [{ id, how: page.released.get(id)! }] : []));
  for (const call of state.calls) settleOne(call, standing.find((seen) => seen.id === call.id) ?? null, page, settled);

  const known = new Set(state.calls.map(({ id }) => id));
  const unknown = standing.filter((seen) => !known.has(seen.id));
  settled.take = unknown.filter((seen) => seen.here || (page.new && !seen.attached));
  const gone = settled.events.flatMap((event) => (event.type === "lost-to" ? [event.seen] : []));
  const rungElsewhere = standing.filter((seen) => !seen.here && state.calls.some((call) => call.id === seen.id && call.phase === "incoming"));
  settled.events.push({ type: "elsewhere", seen: [...unknown.filter((seen) => !settled.take.includes(seen)), ...gone, ...rungElsewhere] });
  return settled;
}

function settleOne(call: LiveCall, seen: CallSeen | null, page: PageKnows, settled: Settled): void {
  const { id } = call;
  const first = page.when === "first";
  const offering = page.offering(id);
  if (!seen) {
    if (call.phase !== "incoming" && first && !offering) settled.missing.push(id);
  } else if (call.phase === "incoming") {
    // Those that only ring are not listed: somebody has taken it.
    const told = { type: "incoming-ended", callId: id, reason: "accepted_elsewhere" } as const;
    if (!seen.here) settled.events.push({ type: "told", id, message: told, at: page.at });
  } else if (!seen.here && !offering && first && seen.attached) {
    settled.events.push({ type: "lost-to", seen });
  } else {
    settled.events.push({ type: "seen", id, seen, first: first && !offering });
    if (!seen.here && !offering && first) settled.renew.push(id);
    if (first && call.asked?.what === "hold" && call.asked.held !== seen.held) settled.hold.push({ id, held: call.asked.held });
  }
}
