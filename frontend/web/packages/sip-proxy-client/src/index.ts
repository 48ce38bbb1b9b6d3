// The public names of the package. What is not here may change without notice.

export { SIPProxyClient, type CallOptions, type SIPProxyClientOptions } from "./SIPProxyClient.js";
export type { ClientEvents } from "./ClientEvents.js";
export type { PlacedCall } from "./placeCall.js";
export { SIPProxyCall, type CallAudio, type CallEvents, type CallFeedback, type CallStats } from "./SIPProxyCall.js";
export { SIPProxyError, type ErrorCode } from "./errors.js";
export { InvalidNumber, normalizeNumber, type NumberFault } from "./number.js";
export type { CallEnd } from "./stateEvents.js";
export { userOf, type Credentials } from "./credentials.js";
export { HttpError, HttpApi, type PhoneBookEntry, type ServerConfig, type Session } from "./http/HttpApi.js";
export type { LinkStatus } from "./signaling/SignalingClient.js";

/** By which the times of calls are: Unix milliseconds that nobody sets while a call stands. */
export { callTime } from "./clock.js";

// A client's state, and what pages read out of it.
export type { Snapshot as ClientState } from "./state/snapshot.js";
export { INITIAL_STATE } from "./state/snapshot.js";
export { IDLE_PHONE, activeCall, otherCalls, canDial, findCall, displayedPhase, displayedCall, waitingCall } from "./state/phoneReducer.js";
export {
  canLeave, connectedParty, isConference, otherParties, type Call as CallInfo, type ListedCall, type LiveCall, type Person, type Phase, type PhoneState, type CallProblem, type Quality, type RequestFailure,
} from "./state/model.js";
export { FORWARD_KINDS, FORWARD_TO_VOICEMAIL, INITIAL_USER_STATE, preferencesOf, availabilityOf, type UserState, type PreferencesError, type ForwardKind, type UserPreferences } from "./state/userState.js";
export type { DeviceUse } from "./devices/DeviceManager.js";
export type { Codec } from "./state/codec.js";
export { QUALITY_LIMITS } from "./quality/limits.js";
export type { Preflight } from "./quality/preflight.js";
export type { CallRecording } from "./http/recordings.js";
export type { PastCall, PastCalls, PastCallsQuery } from "./http/pastCalls.js";
export type { Device, Devices, MicrophoneProblem } from "./devices/Microphone.js";
export { canChooseSpeaker } from "./devices/RemoteAudio.js";
export type {
  Detail, Direction, Outcome, PartyState, PartySummary, PersonState, PersonSummary, QualityReport, QualityWarning, RecordingState, Voicemail,
} from "./protocol/messages.js";

// Beside calls: what a phone sounds like. Only who imports it carries it.
export { PhoneSounds } from "./sounds/PhoneSounds.js";
export { keyTones } from "./sounds/tones.js";

export { followEvents, type FollowOptions } from "./http/serverEvents.js";
export type { ServerEvent } from "./http/sse.js";

/** What the HTTP API takes and gives: for `client.server.request`. */
export type * as Api from "./protocol/api.js";
