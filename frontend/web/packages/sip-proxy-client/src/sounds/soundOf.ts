// Which sound a state plays besides voices. Pure.

import type { Call, PhoneState } from "../state/model.js";
import { activeCall, waitingCall } from "../state/phoneReducer.js";
import type { Sound } from "./tones.js";

/** `rings`: whether calls ring at all; `ringsHere`: on this page and not on another one. Our ringback ends when the far side sends media itself. */
export function soundOf(state: PhoneState, rings: boolean, ringsHere: boolean): Sound | null {
  const active = activeCall(state);
  if (active?.phase === "incoming") return rings && ringsHere ? "ringtone" : null;
  if (active?.phase === "ringing") return "ringback";
  if (active && waitingCall(state)) return rings ? "knock" : null;
  return state.lastEndedCall && endToneOf(state.lastEndedCall);
}

function endToneOf(call: Call): Sound | null {
  if (call.acceptedAt !== null || call.direction === "inbound") return null;
  if (call.outcome === "busy" || call.outcome === "rejected") return "busy";
  return call.outcome === "unreachable" || call.outcome === "failed_pbx" ? "congestion" : null;
}
