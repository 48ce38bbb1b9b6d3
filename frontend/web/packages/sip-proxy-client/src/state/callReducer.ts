// How one call changes. A request shows its expected result at once; the server's messages then correct it. Pure.

import { type Call, type CallAction, endCall, type ListedCall, type LiveCall, withConnected } from "./model.js";
import { applyOptimistic, confirm } from "./pendingRequest.js";
import { laterPhase, onCallMessage, withFarAudio } from "./serverMessages.js";

/** The call after the action: it may have ended. The same object if nothing changed. */
export function callReducer(call: LiveCall, action: CallAction): Call {
  switch (action.type) {
    case "accept-pressed":
      return call.phase === "incoming"
        ? { ...call, phase: "connecting", problem: null, customAudio: action.customAudio ?? false }
        : call;
    case "accept-failed":
      return call.direction === "inbound" && call.acceptedAt === null
        ? { ...call, phase: "incoming", problem: action.problem }
        : call;
    case "decline-pressed":
      return call.phase === "incoming" ? endCall(call, action.at, { outcome: "rejected" }) : call;
    case "hangup-pressed":
      return endCall(call, action.at, { outcome: call.acceptedAt === null ? "cancelled" : "completed" });
    case "leave-pressed":
      return endCall(call, action.at, { outcome: call.transferring ? "transferred" : "completed" });
    case "muted":
      return call.muted === action.muted ? call : { ...call, muted: action.muted };
    case "digits-sent":
      return { ...call, digits: (call.digits + action.digits).slice(-32) };
    case "requested":
      return call.phase === "accepted" ? applyOptimistic(call, action.request) : call;
    case "media":
      return call.media === action.state ? call : { ...call, media: action.state };
    case "far-audio":
      return call.farAudioReceived ? call : withFarAudio({ ...call, farAudioReceived: true });
    case "media-failed":
      return endCall(call, action.at, { outcome: "failed_media" });
    case "microphone":
      return call.problem === action.problem ? call : { ...call, problem: action.problem };
    case "listed":
      return onListed(call, action.listed, action.first);
    case "ended":
      return { ...endCall(call, action.at, action.reason), acceptedAt: call.acceptedAt ?? action.acceptedAt };
    case "failed":
      return endCall(call, action.at, { problem: action.problem });
    case "call-message":
      return onCallMessage(call, action.message, action.at);
  }
}

/** What the server's list has. What is known stays: a call that was accepted is, and what was just asked for is shown. */
function onListed(call: LiveCall, listed: ListedCall, first: boolean): Call {
  const answered = listed.acceptedAt !== null;
  const known = call.acceptedAt !== null || (call.direction === "inbound" && !answered);
  const phase = answered ? "accepted" : known ? call.phase : laterPhase(call, listed.phase);
  const acceptedAt = call.acceptedAt ?? listed.acceptedAt;
  const next: Call = {
    ...withConnected(confirm(call, listed, first), listed.connected),
    phase,
    acceptedAt,
    heldByFar: listed.heldByFar,
  };
  return JSON.stringify(next) === JSON.stringify(call) ? call : next;
}
