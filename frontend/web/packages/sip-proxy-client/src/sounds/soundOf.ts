// What is heard in a state beside voices. Pure.

import type { Sound } from "./tones.js";
import type { Call, PhoneState } from "../state/model.js";
import { activeOf, waitingOf } from "../state/phoneReducer.js";

/** `rings`: callers are heard at all; `aloud`: on this page, not on another one. Our own ringback is heard only until the far side sends audio itself. */
export function soundOf(state: PhoneState, rings: boolean, aloud: boolean): Sound | null {
  const active = activeOf(state);
  if (active?.phase === "incoming") return rings && aloud ? "ringtone" : null;
  if (active?.phase === "ringing") return "ringback";
  if (active && waitingOf(state)) return rings ? "knock" : null;
  return state.over && refusalOf(state.over);
}

function refusalOf(call: Call): Sound | null {
  if (call.acceptedAt !== null || call.direction === "inbound") return null;
  if (call.outcome === "busy" || call.outcome === "rejected") return "busy";
  return call.outcome === "unreachable" || call.outcome === "failed_pbx" ? "congestion" : null;
}
