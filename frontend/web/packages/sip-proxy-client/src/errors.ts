// What can go wrong, in plain words and with a stable code.

import type { Outcome } from "./protocol/messages.js";
import type { Call, CallProblem } from "./state/model.js";

type OwnErrorCode =
  | Exclude<Outcome, "completed" | "transferred">
  | CallProblem
  | "unauthorized"
  | "server_unreachable"
  | "wrong_state"
  | "invalid_address"
  | "invalid_digits"
  | "invalid_request"
  | "unsupported"
  | "closed";

/** Further codes of the server, which sends its own sentences: docs/API.md. */
const SERVER_CODES = [
  "password_change_required",
  "second_factor_required",
  "second_factor_enrolment_required",
  "invalid_sdp",
  "not_found",
  "unknown_call",
  "unknown_recording",
  "method_not_allowed",
  "in_progress",
  "in_doubt",
  "too_large",
  "range_not_satisfiable",
  "idempotency_key_reused",
  "error",
  "call_failed",
  "unavailable",
  "malformed",
  "unknown_type",
] as const;

/** All there are. Codes stay; messages may be reworded. `docs/SDK.md` lists them. */
export type ErrorCode = OwnErrorCode | (typeof SERVER_CODES)[number];

export const MESSAGES: Record<OwnErrorCode, string> = {
  busy: "The other side is busy.",
  no_answer: "Nobody answered.",
  rejected: "The call was declined.",
  cancelled: "The call was cancelled.",
  unreachable: "The number cannot be reached.",
  forbidden: "The number may not be called.",
  failed_media: "No media came through.",
  failed_pbx: "The phone system does not respond.",
  lost: "The page was disconnected for too long.",
  answered_elsewhere: "Somebody else answered the call.",
  microphone_blocked: "The browser may not use the microphone.",
  no_microphone: "No microphone was found.",
  microphone_in_use: "Another program uses the microphone.",
  microphone_failed: "The microphone cannot be opened.",
  insecure_page: "Browsers allow the microphone on https pages only.",
  no_webrtc: "WebRTC is disabled in the browser.",
  invalid_target: "The number is invalid.",
  too_many: "There are too many calls.",
  not_connected: "The server cannot be reached now.",
  connection_lost: "The connection to the server was lost.",
  accepted_elsewhere: "Another page answered the call.",
  owned_elsewhere: "Another page has the call.",
  refused: "The server refused the request.",
  unauthorized: "The sign-in is invalid or has expired.",
  server_unreachable: "The server cannot be reached.",
  wrong_state: "The call is not in a state for this.",
  invalid_address: "The address is invalid.",
  invalid_digits: "Digits are 0-9, *, # and A-D, at most 32 at a time.",
  invalid_request: "The request is invalid.",
  unsupported: "This is not supported.",
  closed: "The client has been closed.",
};

/** `fatal`: there is no recovery: the call has ended, or the client cannot sign in. */
export class SIPProxyError extends Error {
  override readonly name = "SIPProxyError";

  constructor(
    readonly code: ErrorCode,
    message = "",
    readonly fatal = false,
    options?: ErrorOptions,
  ) {
    super(message || (isOwnCode(code) ? MESSAGES[code] : MESSAGES.refused), options);
  }
}

const isOwnCode = (code: string): code is OwnErrorCode => Object.hasOwn(MESSAGES, code);

/** The error of a server's response. A code that is unknown here (of a newer server, or of a proxy) becomes `refused`. */
export function errorFromServer(code: string, message: string, fatal = false, cause?: Error): SIPProxyError {
  const known =
    isOwnCode(code) || (SERVER_CODES as readonly string[]).includes(code)
      ? (code as ErrorCode)
      : /^http_5/.test(code)
        ? "unavailable"
        : "refused";
  return new SIPProxyError(known, message, fatal, { cause: cause ?? code });
}

/** Calls that somebody ended, or did not want. */
const NORMAL_OUTCOMES: ReadonlySet<string> = new Set<Outcome>([
  "completed",
  "transferred",
  "cancelled",
  "answered_elsewhere",
]);

/** The code of a failure. */
export const errorCodeOf = (code: Outcome | CallProblem | null): OwnErrorCode =>
  code === null || code === "completed" || code === "transferred" ? "refused" : code;

/** Why a call failed; null if somebody ended it, or did not want it. */
export function endingError({ direction, outcome, problem, reason, detail }: Call): SIPProxyError | null {
  if (problem === null && (outcome === null || NORMAL_OUTCOMES.has(outcome))) return null;
  const code = errorCodeOf(problem ?? outcome);
  if (code === "rejected" && direction === "inbound") return null;
  // The server's sentence says what is wrong with the number, or who refused the call.
  const words = code === "invalid_target" || detail ? undefined : MESSAGES[code];
  return new SIPProxyError(code, words ?? reason, true, reason && words !== reason ? { cause: reason } : undefined);
}
