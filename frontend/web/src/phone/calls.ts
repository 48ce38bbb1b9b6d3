// The server's list of calls, against what the page believes: who is right, and what is to be done. Pure.

import type { CallSummary, Direction } from "../messages";
import type { ServerClock } from "../signalling/clock";
import type { ListTime } from "../signalling/link";
import { isLive, type LiveCall, type PhoneEvent, type PhoneState } from "./call";

/** A call that stands, in the page's words and times (Unix milliseconds). */
export interface CallSeen {
  id: string;
  direction: Direction;
  number: string; // the other side
  name: string; // "" where unknown
  phase: Exclude<LiveCall["phase"], "incoming">;
  startedAt: number;
  acceptedAt: number | null;
  held: boolean; // by the far side
  here: boolean; // it belongs to this page's session
  attached: boolean; // to a page that is open
}

export function seenOf(summary: CallSummary, clock: Pick<ServerClock, "toPage">, nameOf: (number: string) => string): CallSeen {
  const { callId: id, direction, state, target, caller, callerName, createdAt, answeredAt, heldByFar: held, here, attached } = summary;
  const inbound = direction === "inbound";
  const number = inbound ? caller : target;
  return {
    id, direction, number, held, here, attached,
    name: (inbound && callerName) || nameOf(number),
    phase: state === "accepted" ? "accepted" : inbound || state === "ended" ? "connecting" : state,
    startedAt: clock.toPage(createdAt),
    acceptedAt: answeredAt ? clock.toPage(answeredAt) : null,
  };
}

/** What the page knows beside its calls. */
export interface PageKnows {
  at: number;
  when: ListTime;
  new: boolean; // the page: it has seen no list yet, and holds what nobody else does
  offering: boolean; // an offer for our call is on its way on this connection: the list may be older
  released: ReadonlySet<string>; // calls that a person ended here
}

export interface Settled {
  events: PhoneEvent[]; // in this order
  take: CallSeen | null; // ours, or nobody's: to be given sound by this page
  renew: boolean; // our call, but the server has lost whose it was: a new offer claims it
  missing: string | null; // our call, but not the server's any more: how did it end?
  release: string[]; // ended here while nobody heard it
}

export function settle(state: PhoneState, list: readonly CallSeen[], page: PageKnows): Settled {
  const { call } = state;
  const settled: Settled = { events: [], take: null, renew: false, missing: null, release: [] };
  const standing = list.filter((seen) => !page.released.has(seen.id));
  settled.release = list.filter((seen) => page.released.has(seen.id)).map((seen) => seen.id);
  const ours = isLive(call) ? standing.find((seen) => seen.id === call.id) : undefined;

  if (ours && isLive(call)) {
    if (call.phase === "incoming") {
      // Those that only ring are not listed: somebody has taken it.
      if (!ours.here) settled.events.push({ type: "server", message: { type: "incoming-ended", callId: call.id, reason: "accepted_elsewhere" }, at: page.at });
    } else if (ours.here || page.offering || page.when === "later") {
      settled.events.push({ type: "seen", seen: ours });
    } else if (ours.attached) {
      settled.events.push({ type: "lost-to", seen: ours });
    } else {
      settled.events.push({ type: "seen", seen: ours });
      settled.renew = true;
    }
  } else if (isLive(call)) {
    if (call.phase !== "incoming" && page.when === "first" && !page.offering) settled.missing = call.id;
  } else {
    settled.take = standing.find((seen) => seen.here) ?? (page.new ? standing.find((seen) => !seen.attached) : undefined) ?? null;
  }

  const mine = settled.take?.id ?? (isLive(call) && call.phase !== "incoming" ? call.id : null);
  const leaves = settled.events.some((event) => event.type === "lost-to");
  if (!leaves) settled.events.push({ type: "elsewhere", seen: standing.find((seen) => seen.id !== mine) ?? null });
  return settled;
}
