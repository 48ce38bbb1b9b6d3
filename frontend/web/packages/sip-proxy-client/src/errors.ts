// What can go wrong, in plain words and with a stable code.

import type { Call, Problem } from "./state/model.js";
import type { Outcome } from "./protocol/messages.js";

type Own =
  | Exclude<Outcome, "completed" | "transferred">
  | Problem
  | "unauthorized"
  | "server_unreachable"
  | "wrong_state"
  | "invalid_address"
  | "invalid_digits"
  | "invalid_request"
  | "unsupported"
  | "closed";

/** What the server has beside these, with words of its own: docs/API.md. */
const OF_THE_SERVER = [
  "invalid_sdp", "not_found", "unknown_call", "unknown_recording", "method_not_allowed", "in_progress", "in_doubt", "too_large",
  "range_not_satisfiable", "idempotency_key_reused", "error", "call_failed", "unavailable", "malformed", "unknown_type",
] as const;

/** All there are. Codes stay; messages may be reworded. `docs/SDK.md` lists them. */
export type ErrorCode = Own | (typeof OF_THE_SERVER)[number];

export const MESSAGES: Record<Own, string> = {
  busy: "The other side is on another call.",
  no_answer: "Nobody answered.",
  rejected: "The call was declined.",
  cancelled: "The call was given up before it was answered.",
  unreachable: "This number cannot be reached.",
  forbidden: "You may not call this number.",
  failed_media: "The call connected, but no sound came through.",
  failed_pbx: "The phone system is not answering.",
  lost: "The connection to this page was lost for too long.",
  answered_elsewhere: "Somebody else answered the call.",
  microphone_blocked: "The browser may not use your microphone.",
  no_microphone: "No microphone was found.",
  microphone_in_use: "Another program uses the microphone.",
  microphone_failed: "The microphone cannot be opened.",
  insecure_page: "Browsers give the microphone only to https pages.",
  no_webrtc: "WebRTC is switched off in this browser.",
  invalid_target: "This is not a number that can be called.",
  too_many: "There are too many calls. End one first.",
  not_connected: "The server cannot be reached just now.",
  connection_lost: "The connection to the server was lost.",
  accepted_elsewhere: "The call was answered elsewhere.",
  owned_elsewhere: "This call goes on in another window.",
  refused: "The server refused this.",
  unauthorized: "The name or password is wrong, or the sign-in has run out.",
  server_unreachable: "The server cannot be reached.",
  wrong_state: "This cannot be done in this state of the call.",
  invalid_address: "This is not an address of a server.",
  invalid_digits: "Digits are 0-9, *, # and A-D, at most 32 at a time.",
  invalid_request: "This makes no sense.",
  unsupported: "This is not supported.",
  closed: "The client has been closed.",
};

/** `fatal`: nothing goes on by itself: the call is over, or the client will not be let in. */
export class SIPProxyError extends Error {
  override readonly name = "SIPProxyError";

  constructor(
    readonly code: ErrorCode,
    message = "",
    readonly fatal = false,
    options?: ErrorOptions,
  ) {
    super(message || (isOwn(code) ? MESSAGES[code] : MESSAGES.refused), options);
  }
}

const isOwn = (code: string): code is Own => Object.hasOwn(MESSAGES, code);

/** Of the server's answer. A code that is not known here (of a newer server, or of something between) is `refused`. */
export function told(code: string, message: string, fatal = false, cause?: Error): SIPProxyError {
  const known = isOwn(code) || (OF_THE_SERVER as readonly string[]).includes(code) ? (code as ErrorCode) : /^http_5/.test(code) ? "unavailable" : "refused";
  return new SIPProxyError(known, message, fatal, { cause: cause ?? code });
}

/** Somebody ended it, or did not want it. */
const WELL: ReadonlySet<string> = new Set<Outcome>(["completed", "transferred", "cancelled", "answered_elsewhere"]);

/** Of what came to nothing. */
export const failureOf = (code: Outcome | Problem | null): Own => (code === null || code === "completed" || code === "transferred" ? "refused" : code);

/** Why a call has ended otherwise than it should; null where somebody ended it, or did not want it. */
export function endingError({ direction, outcome, problem, reason, detail }: Call): SIPProxyError | null {
  if (problem === null && (outcome === null || WELL.has(outcome))) return null;
  const code = failureOf(problem ?? outcome);
  if (code === "rejected" && direction === "inbound") return null;
  // The server says what is wrong with the number, and who refused it.
  const words = code === "invalid_target" || detail ? undefined : MESSAGES[code];
  return new SIPProxyError(code, words ?? reason, true, reason && words !== reason ? { cause: reason } : undefined);
}
