// What is heard in a state beside voices. Pure.

import type { Sound } from "../media/sounds";
import type { Call } from "./call";

/** `aloud`: this page rings, not another one. Our own ringback is heard only until the far side sends audio itself. */
export function soundOf(call: Call | null, before: Call | null, aloud: boolean): Sound | null {
  if (!call) return null;
  if (call.phase === "incoming") return aloud ? "ringtone" : null;
  if (call.phase === "ringing") return "ringback";
  if (call.phase !== "ended" || before?.phase === "accepted" || call.direction === "inbound") return null;
  if (call.outcome === "busy" || call.outcome === "rejected") return "busy";
  return call.outcome === "unreachable" || call.outcome === "failed_pbx" ? "congestion" : null;
}
