// The public names of the package. Everything else may change without notice.

export type { ClientEvents } from "./ClientEvents.js";
/** The clock of call times: Unix milliseconds, never adjusted during a call. */
export { callTime } from "./clock.js";
export { type Credentials, userOf } from "./credentials.js";
export type { DeviceUse } from "./devices/DeviceManager.js";
export type { Device, Devices, MicrophoneProblem } from "./devices/Microphone.js";
export { canChooseSpeaker } from "./devices/RemoteAudio.js";
export { type ErrorCode, SIPProxyError } from "./errors.js";
export { HttpApi, HttpError, type PhoneBookEntry, type ServerConfig, type Session } from "./http/HttpApi.js";
export type { PastCall, PastCalls, PastCallsQuery } from "./http/pastCalls.js";
export type { CallRecording } from "./http/recordings.js";
export { type FollowOptions, followEvents } from "./http/serverEvents.js";
export type { ServerEvent } from "./http/sse.js";
export { InvalidNumber, type NumberFault, normalizeNumber } from "./number.js";
export type { PlacedCall } from "./placeCall.js";
/** Requests and responses of the HTTP API: for `client.http.request`. */
export type * as Api from "./protocol/api.js";
export type {
  Detail,
  Direction,
  Outcome,
  PartyState,
  PartySummary,
  PersonState,
  PersonSummary,
  QualityReport,
  QualityWarning,
  RecordingState,
  Voicemail,
} from "./protocol/messages.js";
export { QUALITY_LIMITS } from "./quality/limits.js";
export type { Preflight } from "./quality/preflight.js";
export { type CallAudio, type CallEvents, type CallFeedback, type CallStats, SIPProxyCall } from "./SIPProxyCall.js";
export { type CallOptions, SIPProxyClient, type SIPProxyClientOptions } from "./SIPProxyClient.js";
export type { LinkStatus } from "./signaling/SignalingClient.js";
// Besides calls: ringing and tones. Only apps that import them carry them.
export { PhoneSounds } from "./sounds/PhoneSounds.js";
export { keyTones } from "./sounds/tones.js";
export type { Codec } from "./state/codec.js";
export {
  type Call as CallInfo,
  type CallProblem,
  canLeave,
  connectedParty,
  isConference,
  type ListedCall,
  type LiveCall,
  otherParties,
  type Person,
  type Phase,
  type PhoneState,
  type Quality,
  type RequestFailure,
} from "./state/model.js";
export {
  activeCall,
  canDial,
  displayedCall,
  displayedPhase,
  findCall,
  IDLE_PHONE,
  otherCalls,
  waitingCall,
} from "./state/phoneReducer.js";
// A client's state, and functions that read it.
export type { Snapshot as ClientState } from "./state/snapshot.js";
export { INITIAL_STATE } from "./state/snapshot.js";
export {
  availabilityOf,
  FORWARD_KINDS,
  FORWARD_TO_VOICEMAIL,
  type ForwardKind,
  INITIAL_USER_STATE,
  type PreferencesError,
  preferencesOf,
  type UserPreferences,
  type UserState,
} from "./state/userState.js";
export type { CallEnd } from "./stateEvents.js";
