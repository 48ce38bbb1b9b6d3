// From two states of a call to the events between them. Pure.
//
// As events are derived from states, none is emitted twice, and none is missed, whatever changed the state: a request, a message
// of the server, or the list that it sends after a lost connection.
//
// For each call `ringing`, `accepted` with `connected`, and `ended` or `failed` are emitted at most once; `disconnected` follows
// the end at once, and only the last `stateChanged` follows that. `hold` (of each side), `mute`, and
// `reconnecting` with `reconnected` alternate. A `resumed` call is interrupted without an event, until `reconnected`.

import { endingError, errorCodeOf, SIPProxyError } from "./errors.js";
import type { Detail, Outcome, PartySummary, RecordingState } from "./protocol/messages.js";
import type { LinkStatus } from "./signaling/SignalingClient.js";
import type { Call } from "./state/model.js";

export interface CallEnd {
  outcome: Outcome | null; // null if only the error says why
  error: SIPProxyError | null; // null if the call ended normally
  seconds: number; // talked
  q850: number; // ITU-T Q.850 cause; 0 if unknown
  sip: number; // SIP status; 0 if unknown
  detail?: Detail; // who refused, if `outcome` does not say it
  forward?: string; // with `moved`: the number that the other side names in its place
}

/** In the order in which the events of one change are emitted. */
export interface CallStateEvents {
  ringing: []; // outbound: the other side rings, or sends early media
  accepted: [];
  connected: []; // the same as `accepted`
  hold: [{ held: boolean; by: "us" | "far" }];
  mute: [muted: boolean];
  party: [parties: readonly PartySummary[]]; // a party joined, left, or is called
  recording: [state: RecordingState];
  transferring: [{ target: string }]; // the target of a transfer is called
  transferred: [{ target: string }]; // `ended` follows
  transferFailed: [error: SIPProxyError]; // the call continues
  reconnecting: []; // the sound or the server is lost for now
  reconnected: [];
  error: [error: SIPProxyError]; // a request has failed; the call continues, unless fatal
  ended: [end: CallEnd]; // once; or `failed`
  failed: [error: SIPProxyError]; // it was never accepted, or broke
  disconnected: [end: CallEnd]; // after either
  stateChanged: [call: Call]; // always the last
}

export type CallEventTuple = {
  [Name in keyof CallStateEvents]: [name: Name, ...told: CallStateEvents[Name]];
}[keyof CallStateEvents];

/** A call, and whether its page can reach the server. */
export interface ObservedCall {
  call: Call;
  link: LinkStatus;
}

/** `before`: null for a call that is new here: its state emits no events. */
export function diffToEvents(before: ObservedCall | null, { call, link }: ObservedCall): CallEventTuple[] {
  if (before?.call === call && before.link === link) return [];
  const events: CallEventTuple[] = [];
  const was = before?.call ?? null;
  if (was && was.phase !== "ended") {
    if (isRinging(call) && !isRinging(was) && was.acceptedAt === null) events.push(["ringing"]);
    if (call.acceptedAt !== null && was.acceptedAt === null) events.push(["accepted"], ["connected"]);
    if (call.phase !== "ended") events.push(...changeEvents(was, call));
    if (was.transferring === null && call.transferring !== null)
      events.push(["transferring", { target: call.transferring.number }]);
    if (call.failedRequest && call.failedRequest !== was.failedRequest) events.push(...failureEvents(call));
    if (call.phase !== "ended") events.push(...connectionEvents(isInterrupted(before!), isInterrupted({ call, link })));
    const problem = call.phase !== "ended" && call.problem !== was.problem ? call.problem : null;
    if (problem) events.push(["error", new SIPProxyError(problem)]);
    if (call.phase === "ended") events.push(...endEvents(call));
  }
  if (was !== call) events.push(["stateChanged", call]);
  return events;
}

const isRinging = ({ direction, phase }: Call): boolean =>
  direction === "outbound" && (phase === "ringing" || phase === "early");

const isInterrupted = ({ call, link }: ObservedCall): boolean =>
  call.phase === "accepted" &&
  (link === "lost" || call.media === "returning" || call.media === "interrupted" || call.media === "failed");

const connectionEvents = (before: boolean, now: boolean): CallEventTuple[] =>
  before === now ? [] : [[now ? "reconnecting" : "reconnected"]];

function changeEvents(was: Call, call: Call): CallEventTuple[] {
  const told: CallEventTuple[] = [];
  if (call.held !== was.held) told.push(["hold", { held: call.held, by: "us" }]);
  if (call.heldByFar !== was.heldByFar) told.push(["hold", { held: call.heldByFar, by: "far" }]);
  if (call.muted !== was.muted) told.push(["mute", call.muted]);
  if (call.parties !== was.parties && JSON.stringify(call.parties) !== JSON.stringify(was.parties))
    told.push(["party", call.parties]);
  if (call.recording !== was.recording) told.push(["recording", call.recording]);
  return told;
}

function failureEvents({ failedRequest }: Call): CallEventTuple[] {
  if (!failedRequest) return [];
  const error = new SIPProxyError(
    errorCodeOf(failedRequest.problem ?? failedRequest.outcome),
    failedRequest.problem === "refused" || failedRequest.detail ? failedRequest.reason : "",
  );
  return [[failedRequest.kind === "transfer" || failedRequest.kind === "connect" ? "transferFailed" : "error", error]];
}

function endEvents(call: Call): CallEventTuple[] {
  const error = endingError(call);
  const { outcome, acceptedAt, endedAt, q850, sip, detail, forward, transferring } = call;
  const seconds = acceptedAt === null ? 0 : Math.max(0, ((endedAt ?? acceptedAt) - acceptedAt) / 1000);
  const callEnd: CallEnd = {
    outcome,
    error,
    seconds,
    q850,
    sip,
    ...(detail && { detail }),
    ...(forward && { forward }),
  };
  const broke = error && call.problem !== "accepted_elsewhere" && call.problem !== "owned_elsewhere";
  return [
    ...(outcome === "transferred"
      ? ([["transferred", { target: transferring?.number ?? "" }]] satisfies CallEventTuple[])
      : []),
    ...(broke
      ? ([
          ["error", error],
          ["failed", error],
        ] satisfies CallEventTuple[])
      : ([["ended", callEnd]] satisfies CallEventTuple[])),
    ["disconnected", callEnd],
  ];
}
