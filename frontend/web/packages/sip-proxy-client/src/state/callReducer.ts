// How one call changes. A press shows at once what we expect; what the server then says corrects it. Pure.

import { connect, end, type Call, type CallEvent, type CallSeen, type LiveCall } from "./model.js";
import { fromServer, furthest, sounding } from "./serverMessages.js";
import { fulfilled, wish } from "./pendingRequest.js";

/** The live call after what happened: it may have ended. The same object where nothing changed. */
export function stepCall(call: LiveCall, event: CallEvent): Call {
  switch (event.type) {
    case "accept-pressed":
      return call.phase === "incoming" ? { ...call, phase: "connecting", problem: null, ownSound: event.ownSound ?? false } : call;
    case "accept-failed":
      return call.direction === "inbound" && call.acceptedAt === null ? { ...call, phase: "incoming", problem: event.problem } : call;
    case "decline-pressed":
      return call.phase === "incoming" ? end(call, event.at, { outcome: "rejected" }) : call;
    case "hangup-pressed":
      return end(call, event.at, { outcome: call.acceptedAt === null ? "cancelled" : "completed" });
    case "leave-pressed":
      return end(call, event.at, { outcome: call.transferring ? "transferred" : "completed" });
    case "muted":
      return call.muted === event.muted ? call : { ...call, muted: event.muted };
    case "digits-sent":
      return { ...call, digits: (call.digits + event.digits).slice(-32) };
    case "asked":
      return call.phase === "accepted" ? wish(call, event.ask) : call;
    case "media":
      return call.media === event.state ? call : { ...call, media: event.state };
    case "far-heard":
      return call.farHeard ? call : sounding({ ...call, farHeard: true });
    case "no-sound":
      return end(call, event.at, { outcome: "failed_media" });
    case "unheard":
      return call.problem === event.problem ? call : { ...call, problem: event.problem };
    case "seen":
      return seenAgain(call, event.seen, event.first);
    case "ended-meanwhile":
      return { ...end(call, event.at, event.ending), acceptedAt: call.acceptedAt ?? event.acceptedAt };
    case "failed":
      return end(call, event.at, { problem: event.problem });
    case "told":
      return fromServer(call, event.message, event.at);
  }
}

/** What the server's list has. What is known stays: a call that was accepted is, and what was just asked for is shown. */
function seenAgain(call: LiveCall, seen: CallSeen, first: boolean): Call {
  const answered = seen.acceptedAt !== null;
  const known = call.acceptedAt !== null || (call.direction === "inbound" && !answered);
  const phase = answered ? "accepted" : known ? call.phase : furthest(call, seen.phase);
  const acceptedAt = call.acceptedAt ?? seen.acceptedAt;
  const next: Call = { ...connect(fulfilled(call, seen, first), seen.connected), phase, acceptedAt, heldByFar: seen.heldByFar };
  return JSON.stringify(next) === JSON.stringify(call) ? call : next;
}
