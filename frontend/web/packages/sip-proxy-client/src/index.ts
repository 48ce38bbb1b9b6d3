// The public names of the package. What is not here may change without notice.

export { SIPProxyClient, type CallOptions, type ClientEvents, type SIPProxyClientOptions } from "./client.js";
export { SIPProxyCall, type CallAudio, type CallEvents, type CallFeedback, type CallStats } from "./call.js";
export { SIPProxyError, type ErrorCode } from "./errors.js";
export { InvalidNumber, normalizeNumber, type NumberFault } from "./number.js";
export type { CallEnd } from "./tell.js";
export { userOf, type Credentials } from "./credentials.js";
export { Refused, Server, type PhoneBookEntry, type ServerConfig, type Session } from "./signalling/server.js";
export type { LinkStatus } from "./signalling/link.js";

// A client's state, and what pages read out of it.
export type { Snapshot as ClientState } from "./calls/snapshot.js";
export { NOTHING_YET } from "./calls/snapshot.js";
export { IDLE, activeOf, asideOf, canDial, findCall, phaseOf, shownOf, waitingOf, type PhoneState } from "./calls/state.js";
export { canLeave, facing, isConference, partiesOf, type Call as CallInfo, type LiveCall, type Phase, type Problem } from "./calls/call.js";
export type { CallSeen } from "./calls/settle.js";
export type { Person, Trouble } from "./calls/wishes.js";
export { FORWARDS, TO_VOICEMAIL, UNATTENDED, settingsOf, standOf, type Attended, type Fault, type Forward, type Settings } from "./calls/attended.js";
export type { DeviceUse } from "./calls/devices.js";
export type { Codec } from "./calls/codec.js";
export type { Preflight } from "./calls/preflight.js";
export type { CallRecording } from "./recordings.js";
export type { Device, Devices, MicrophoneProblem } from "./media/microphone.js";
export type { Quality } from "./media/quality.js";
export { canChooseSpeaker } from "./media/voice.js";
export type {
  Direction, Outcome, PartyState, PartySummary, PersonState, PersonSummary, QualityReport, QualityWarning, RecordingState, Voicemail,
} from "./messages.js";

// Beside calls: what a phone sounds like. Only who imports it carries it.
export { PhoneSounds } from "./sounds/phoneSounds.js";
export { keyTones } from "./sounds/sounds.js";

export { followEvents, type FollowOptions } from "./events/events.js";
export type { ServerEvent } from "./events/sse.js";

/** What the HTTP API takes and gives: for `client.server.request`. */
export type * as Api from "./api.js";
