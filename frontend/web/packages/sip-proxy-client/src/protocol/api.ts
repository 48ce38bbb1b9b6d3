// Generated from the endpoints of frontend/ by `python -m frontend.codegen`. Do not edit.

import type { ClientState, Detail, Direction, Outcome, PersonSummary } from "./messages.js";

export interface SessionData {
  token: string; // for `Authorization: Bearer TOKEN`
  user: string;
  expiresAt: number; // Unix seconds
  refreshToken: string | null; // for `POST /session/refresh`, once; null: a cookie has it, or there is none
  recoveryCodes: string[] | null; // shown once, when an app is set up
}

/** One of the two. */
export interface RefreshBody {
  refreshToken?: string | null;
  session?: string | null; // for pages of this server: the `sid` of the token, whose cookie the browser has
}

export interface Credentials {
  user: string;
  password: string;
  cookie?: boolean; // for pages of this server: a cookie has the refresh token, and the response has not
}

export interface PasswordChange {
  oldPassword: string;
  newPassword: string; // 12 characters or more, and none of the common ones
  cookie?: boolean; // as in `POST /session`
}

/** What a page needs to know before sign-in. */
export interface ConfigData {
  version: string;
  authentication: boolean; // calls require a token
  recording: boolean; // calls can be recorded
  preflightNumber: string; // an echo number for testing the connection; "" if there is none
  feedback: boolean; // calls can be rated
  phoneBook: PhoneBookEntry[];
  minPasswordLength: number; // characters that a new password needs
  singleSignOn: string; // the name of a provider, if `/auth/oidc/login` signs in there; ""
}

export interface PhoneBookEntry {
  number: string;
  name: string;
}

/** A call that was started. The far side has not answered yet. */
export interface Placed {
  callId: string;
  sdp: string; // the SDP answer, for `setRemoteDescription`
  state: ClientState; // A call's state as clients see it; `ended` is the last and comes once.
}

/** The number to call, and the browser's offer. */
export interface Invite {
  target: string; // a phone number, with or without separators
  sdp: string; // the offer that `createOffer` returned; ICE candidates need not be gathered first
  caller?: string | null; // shown to the far side; if sign-in is on, the user
  callId?: string | null; // 1 to 128 printable characters; default: chosen by the server
  prefer?: "opus" | "pcmu" | null; // the codec of your side; default: the server's setting
}

/** A call as it is now. Times are Unix seconds; null: it has not happened. */
export interface CallData {
  callId: string;
  direction: Direction;
  state: "trying" | "ringing" | "early" | "accepting" | "accepted" | "ending" | "ended"; // `accepting`: incoming, accepted, media is being set up. `ending`: being released
  target: string; // the number that was dialled or called
  caller: string; // the caller id shown to the far side; incoming: the caller's number
  callerName: string;
  connectedNumber: string; // the connected line, as Asterisk reports it; "": unchanged since the call was placed
  connectedName: string;
  user: string | null; // whose call it is (a guest's: `guest-<id of the key>`); null: no user's, or not accepted yet
  users: string[]; // incoming: those whose pages ring
  held: boolean; // by our side
  heldByFar: boolean;
  parties: PartyData[]; // added to the call, or joined from another, including those that have left
  transferring: string | null; // the number that the call is being transferred to
  left: Outcome | null; // set when our side has left and the others continue: the outcome for its user
  leftAt: number | null;
  recordings: CallRecording[];
  outcome: Outcome | null; // set when the call is decided to end
  cause: CauseData | null; // once the call has ended
  createdAt: number;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number | null;
  ownerless: boolean; // it was found active without a record of whose it is: only an operator can end it
  near: "page" | "sip"; // by what the user takes part: `page`: a media leg, as browsers have it; `sip`: a SIP client
  metadata: Record<string, string>; // of the client token that it was placed or accepted with
}

/** A participant besides the user and the far side. Times are Unix seconds; null: it has not happened. */
export interface PartyData {
  party: number; // its number in the call, from 2 on: the far side is 1
  number: string; // as dialled, or the caller's
  name: string;
  state: "trying" | "ringing" | "accepted" | "ended";
  outcome: Outcome | null; // with `ended`
  answeredAt: number | null;
  endedAt: number | null;
}

/** A recording of the call. */
export interface CallRecording {
  name: string; // its name in `/recordings` once the call has ended
  state: "on" | "paused" | "over";
}

/** Why a call ended, for support. */
export interface CauseData {
  q850: number; // ITU-T Q.850 cause; 0 if unknown
  sip: number; // the closest SIP status; 0 if there is none
  text: string; // in words
  detail: Detail | null; // the reason in more detail than `outcome`
  forward: string; // the number that the far side redirects to
}

export interface HoldBody {
  held?: boolean; // false: resume
}

/** Either `target` or `toCallId`. */
export interface TransferBody {
  target?: string | null; // blind: this number is called, and takes your place when it answers
  toCallId?: string | null; // attended: the other parties of both calls are connected, and both calls end here
}

/** Either `target` or `fromCallId`. */
export interface PartyBody {
  target?: string | null; // this number is called, and joins when it answers
  fromCallId?: string | null; // the party of another call of yours joins at once, and that call ends
}

export interface RecordBody {
  action: "start" | "pause" | "resume" | "stop";
}

export interface DtmfBody {
  digits: string;
}

export interface FeedbackBody {
  score: number; // 5 is best
  issue?: "echo" | "choppy" | "one_way" | "delay" | "noise" | "dropped" | null;
  comment?: string;
}

export interface ChosenPassword {
  challenge: string; // of the problem that said what is required
  newPassword: string; // `minPasswordLength` characters or more, and no common one
  cookie?: boolean; // as in `POST /session`
}

export interface GivenCode {
  challenge: string; // of the problem that said what is required
  code: string; // 6 digits of the app, or a recovery code
  cookie?: boolean; // as in `POST /session`
}

/** An authenticator app that is to be set up: scan the QR code, or type the secret. */
export interface EnrolmentData {
  challenge: string; // for the request that completes it
  secret: string; // base32; codes of 6 digits, SHA-1, each for 30 s
  uri: string; // the same for an app, `otpauth://`
  qrCode: string[]; // of the `uri`: a row each, 1 is dark; without its margin of 4
}

export interface ChallengeBody {
  challenge: string; // of the problem that said what is required
}

export interface ProviderLogout {
  url: string | null; // none if the sign-in was not there, or the provider has no such page
}

export interface SecondFactorData {
  enabled: boolean; // an app or a security key is set up
  required: boolean; // a role of yours needs it: without one you set it up at the next sign-in
  app: boolean; // an authenticator app is set up
  createdAt: number | null; // of the app, Unix seconds; null without one
  lastUsedAt: number | null; // the same
  recoveryCodes: number; // how many are left
  securityKeys: SecurityKeyData[];
  securityKeysAvailable: boolean; // they can be set up on this server
}

/** Times are Unix seconds. */
export interface SecurityKeyData {
  id: string;
  name: string;
  createdAt: number;
  lastUsedAt: number;
}

/** Who has a second factor proves to have it: either `code` or `key`. */
export interface PasswordBody {
  password: string;
  code?: string; // 6 digits of the app, or a recovery code
  key?: KeyProofBody | null;
}

/** What a security key has signed, in place of a code. */
export interface KeyProofBody {
  challenge: string; // of `POST /me/second-factor/proof`
  credential: Assertion;
}

/** What `navigator.credentials.get()` gives (`AuthenticationResponseJSON`). */
export interface Assertion {
  id: string; // base64url
  response: AssertionResponse;
}

/** `AuthenticatorAssertionResponse` */
export interface AssertionResponse {
  clientDataJSON: string; // base64url
  authenticatorData: string; // base64url
  signature: string; // base64url
}

/** They are shown once. None if there are some already, from another second factor. */
export interface RecoveryCodes {
  recoveryCodes: string[];
}

/** What is asked of a security key, within two minutes; each is good for one answer. */
export interface KeyRequestData {
  challenge: string; // for the request that has the answer
  options: Record<string, unknown>; // `PublicKeyCredentialRequestOptionsJSON` or `PublicKeyCredentialCreationOptionsJSON`, for `navigator.credentials`
}

export interface GivenKey {
  challenge: string; // of the problem that said what is required
  credential: Assertion;
  cookie?: boolean; // as in `POST /session`
}

export interface RegisteredKey {
  challenge: string; // of the problem that said what is required
  credential: Registration;
  name: string; // by which you know the key
  cookie?: boolean; // as in `POST /session`
}

/** What `navigator.credentials.create()` gives (`RegistrationResponseJSON`). */
export interface Registration {
  id: string; // base64url
  response: AttestationResponse;
}

/** `AuthenticatorAttestationResponse` */
export interface AttestationResponse {
  clientDataJSON: string; // base64url
  attestationObject: string; // base64url
  transports: string[];
}

export interface NewSecurityKeyBody {
  challenge: string; // of the problem that said what is required
  credential: Registration;
  name: string; // by which you know the key
}

/** A SIP password, which is shown this once. */
export interface SipPasswordData {
  user: string; // the SIP user, and the user name for authentication
  realm: string;
  password: string; // it cannot be shown again
}

export interface MeData {
  user: string | null; // your name; null if sign-in is off
  userId: string; // never changes; empty if sign-in is off
  roles: string[];
  grants: string[]; // what you may do; docs/USERS.md lists them
  sipPassword: boolean; // whether you have a SIP password for phones
}

export interface CallPage {
  calls: CallData[]; // newest first; a page may be short, or empty, without being the last
  nextCursor: string | null; // `cursor` of the next page; null on the last one
}

export interface EndedCalls {
  calls: string[]; // ids of the calls that are being ended
  forwards: number; // how many forwarded calls are being ended
}

/** Exactly one of `callId`, `user` and `tenant`. */
export interface EndCallsBody {
  callId?: string | null;
  user?: string | null;
  tenant?: string | null;
}

export interface OutgoingData {
  allowed: boolean;
  by: string; // who has stopped them; empty if that is not known, or they are allowed
  at: number | null; // since when they are stopped, Unix seconds
  reason: string;
  ended: EndedCalls | null; // the calls that are being ended for it
}

export interface OutgoingBody {
  allowed: boolean;
  endCalls?: boolean; // with `allowed` false: end the calls too that have gone outside already
  reason?: string; // shown to other operators
}

export interface KeyList {
  keys: KeyData[]; // the newest first, revoked ones too
}

/** A key, without its secret. */
export interface KeyData {
  id: string;
  label: string;
  scopes: string[];
  addresses: string[];
  origins: string[];
  users: string[];
  maxCalls: number; // 0: as the server's limits
  classOfService: string;
  createdAt: number;
  createdBy: string; // a user's name or a key's id; empty: the command line
  expiresAt: number | null;
  lastUsedAt: number | null; // to the minute; null: never
  previousSecretUntil: number | null; // until when the secret before the last rotation is valid; null: it is not
  revokedAt: number | null;
}

export interface KeyWithSecret {
  id: string;
  label: string;
  scopes: string[];
  addresses: string[];
  origins: string[];
  users: string[];
  maxCalls: number; // 0: as the server's limits
  classOfService: string;
  createdAt: number;
  createdBy: string; // a user's name or a key's id; empty: the command line
  expiresAt: number | null;
  lastUsedAt: number | null; // to the minute; null: never
  previousSecretUntil: number | null; // until when the secret before the last rotation is valid; null: it is not
  revokedAt: number | null;
  secret: string; // shown now and never again
  token: string; // both in one, for `Authorization: Bearer`
}

export interface NewKey {
  label: string; // what the key is for
  scopes: ("dial" | "receive" | "record" | "monitor:read" | "events:read" | "events:raw" | "calls:read" | "calls:control" | "calls:stop" | "records:read" | "recordings:read" | "recordings:delete" | "users:manage" | "keys:manage" | "tokens:create" | "audit:read")[]; // what it may do: no more than you may
  addresses?: string[]; // addresses or networks (CIDR) of its servers; none: all
  origins?: string[]; // origins of pages that may use it; none: it is for servers only
  users?: string[]; // for whom it may make client tokens; none: for everybody or, in a page, for guests only
  maxCalls?: number | null; // concurrent calls, its guests' included; default: as the server's limits, in a page 10
  classOfService?: string; // of the dial permissions; empty: the default class
  expiresAt?: number | null;
}

export interface Rotation {
  overlapSeconds?: number; // how long the secret before stays valid
}

export interface ClientTokenData {
  token: string; // for the client
  user: string;
  grants: ("dial" | "receive" | "record" | "monitor")[];
  expiresAt: number; // Unix seconds
}

export interface TokenRequest {
  user?: string | null; // a user, or a name that no user has; default: the key itself
  grants?: ("dial" | "receive" | "record" | "monitor")[] | null; // no more than the key has; default: all but `monitor` that it has
  lifetimeSeconds?: number;
  numbers?: string[]; // all that may be dialled, as it is dialled; `*` at the end: all that begins so; default: all
  metadata?: Record<string, string>; // for your programs: in the token, which whoever has it can read, and in the events, webhooks and records of the calls that are placed or accepted with it
}

export interface Directory {
  people: PersonSummary[]; // sorted by number
}

/**
 * A user's call-handling preferences. A forward is a number, `voicemail`, or "" for none.
 *
 * Omitted fields are reset to their defaults.
 */
export interface CallPreferences {
  doNotDisturb?: boolean; // no page rings
  callWaiting?: boolean; // also ring while this user is in a call
  forwardAlways?: string;
  forwardBusy?: string; // while in a call without call waiting
  forwardNoAnswer?: string;
  forwardUnreachable?: string; // while no page is registered
  ringSeconds?: number; // 5 to 120; 0: the server's setting
}

/** Newest first. */
export interface RecordingPage {
  recordings: RecordingData[];
  nextCursor: string | null; // `cursor` of the next page; null on the last one
}

/** A recording. Times are Unix seconds. */
export interface RecordingData {
  name: string;
  callId: string;
  user: string | null; // the user of the call; null if it had none
  caller: string;
  target: string;
  startedAt: number;
  seconds: number; // of audio, without pauses
  size: number; // bytes of the audio file
  sha256: string; // of the audio file, in hexadecimal
}

/** Newest first. */
export interface CdrPage {
  cdrs: Cdr[];
  nextCursor: string | null; // `cursor` of the next page; null on the last one
}

/**
 * One ended call. Times are Unix seconds; None means that it did not happen.
 *
 * Its names in JSON are in camelCase, its columns in the table as here.
 */
export interface Cdr {
  callId: string;
  direction: Direction;
  caller: string;
  callerName: string;
  target: string; // the number as dialled, or the called number
  user: string; // the user of the call, who may see it; "" if it has none
  tenant: string; // "": the only tenant
  createdAt: number;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number; // when it was decided to end
  talkSeconds: number; // from the answer until our user left or the call ended; 0 if it was not answered
  outcome: Outcome;
  q850: number; // ITU-T Q.850 cause; 0 if Asterisk reported none
  sip: number; // the closest SIP status; 0 if there is none
  cause: string; // the cause in words, for support
  codecs: string; // "": unknown
  parties: Record<string, unknown>[]; // parties besides the far side: party, number, name, outcome, answeredAt, endedAt
  transferredTo: string; // the number that took our user's place
  recording: string[]; // names of recordings
  quality: Record<string, unknown>; // {}: unknown
  feedback: Record<string, unknown>; // {}: not rated
  connectedNumber: string; // the last connected line, as Asterisk reported it; "": as dialled, or the caller
  connectedName: string;
  metadata: Record<string, string>; // of the client token that it was placed or accepted with; {}: of none
}

/** Newest first. */
export interface AuditPage {
  entries: Entry[];
  nextCursor: string | null; // `cursor` of the next page; null on the last one
}

export interface Entry {
  id: string; // of the entry
  at: number; // when, in Unix seconds
  actorKind: "user" | "key" | "token" | "system" | "cli";
  actorId: string; // id of the user or key, of a client token that of its key; empty if unknown
  actor: string; // name of the user, key or account of the operating system
  tenant: string; // of the actor
  address: string; // IP address of the client; empty if there is none
  action: string; // what was done: one of those in [AUDIT.md](AUDIT.md#actions)
  object: string; // what it was done to: a user, call, number, recording, …
  result: "ok" | "refused" | "failed";
  requestId: string; // `X-Request-Id` of the request, also in the server's log
  details: Record<string, unknown>; // depends on the action; docs/AUDIT.md
  number: number; // increases by one
  previousHash: string; // `hash` of the entry before it; empty in the first one
  hash: string; // SHA-256 of the other fields as canonical JSON, in hexadecimal
}

export interface UserList {
  users: UserData[]; // sorted by name
  total: number; // how many there are on all pages
  nextCursor: string | null; // `cursor` of the next page; null on the last one
}

/** A user, as those see it who manage users. */
export interface UserData {
  id: string; // never changes, and no other user ever has it
  name: string;
  displayName: string;
  roles: ("user" | "agent" | "supervisor" | "operator" | "auditor" | "admin")[];
  classOfService: string; // the user's own; empty: that of the roles
  effectiveClass: string; // the class of service that counts now
  locked: boolean;
  mustChangePassword: boolean; // at the next sign-in
  secondFactor: boolean; // whether an authenticator app or a security key is set up
  sipPassword: boolean; // whether the user has a SIP password for phones
  createdAt: number; // Unix seconds; 0: unknown
  revision: number; // higher after each change; the ETag
  connections: number; // open pages and programs of the user
  calls: number; // calls in progress
}

/** A user with a new password, which is shown this once. */
export interface NewPasswordData {
  user: UserData;
  password: string; // to be changed at the first sign-in; it cannot be shown again
}

export interface NewUser {
  name: string; // 1 to 64 letters, digits, dots, dashes, underscores
  roles: ("user" | "agent" | "supervisor" | "operator" | "auditor" | "admin")[]; // what the user may do
  displayName?: string; // who the user is, for people; one line
  classOfService?: string; // a class of service; empty: that of the roles
}

/** All of them: what is left out is not kept. */
export interface UserSettings {
  roles: ("user" | "agent" | "supervisor" | "operator" | "auditor" | "admin")[]; // what the user may do
  displayName?: string; // who the user is, for people; one line
  classOfService?: string; // a class of service; empty: that of the roles
}

export interface NewName {
  name: string; // 1 to 64 letters, digits, dots, dashes, underscores
}

export interface Lock {
  locked: boolean;
}

export interface UserWithSipPassword {
  user: UserData;
  sip: SipPasswordData;
}

export interface UserConnections {
  connections: UserConnection[]; // the newest first
  eventStreams: number; // open streams of `GET /events`
}

/** An open page or program of a user. */
export interface UserConnection {
  address: string; // IP address of the client
  connectedAt: number; // Unix seconds
  takesCalls: boolean; // whether calls ring there
  calls: string[]; // ids of the calls that it has
}

export interface UserLimits {
  limits: LimitUsageData[];
}

/** A limit of a user, and how much of it is used. */
export interface LimitUsageData {
  what: "legs" | "forwards" | "legs_per_minute" | "legs_per_day" | "minutes_per_day"; // `legs` and `forwards`: at once
  numberClass: string | null; // of `minutes_per_day`: of which numbers
  used: number;
  limit: number;
  rule: string; // the setting, or the line of the dial permissions, that sets the limit
}

/** docs/DIAL_PERMISSIONS.md explains them. */
export interface DialPermissionsData {
  file: string | null; // where they are written, on the server; null: built-in classes only
  country: string; // ISO 3166 code of `COUNTRY`; empty: not set
  default: string; // the class of whoever has no other
  internal: string[]; // patterns of further internal numbers
  classes: ClassOfServiceData[];
  users: Record<string, string>; // user name → class, from the file
  roles: Record<string, string>; // role → class
  tenants: Record<string, string>; // tenant → class
}

export interface ClassOfServiceData {
  name: string;
  builtIn: boolean; // not from the file
  rules: string[]; // the first that fits decides; those of included classes in place
}

/** What the dial permissions say of a user and a number. Nothing is dialled. */
export interface DialCheckData {
  allowed: boolean;
  rule: string; // the rule that decides, with its class
  user: string;
  classOfService: string; // the user's, that counts now
  dialled: string; // the number as the PBX gets it
  e164: string; // in international form; empty if it is none of a public numbering plan
  country: string; // ISO 3166 code; 001: of no country; empty: unknown or internal
  numberClass: string; // what kind of number it is
  why: string; // why it is of that kind
}

export interface SipCredentialData {
  user: string;
  ha1: string; // MD5 of `user:realm:password`, hexadecimal
  ha1Sha256: string; // the same by SHA-256 (RFC 8760)
}

export interface SipRegistrations {
  known: boolean; // whether this is so now
  reason: string | null; // why it is not known
  readAt: number | null; // when it was known last, Unix seconds; null: never
  registrations: SipRegistrationData[]; // sorted by user
}

export interface SipRegistrationData {
  user: string;
  contact: string; // the SIP URI at which the phone is called
  address: string; // IP address that it has registered from; empty: unknown
  transport: string; // `udp`, `tcp`, `tls`, `ws` or `wss`
  userAgent: string; // what the phone says that it is
  expiresAt: number; // Unix seconds
}

export interface LiveData {
  calls: CallData[];
  channels: ChannelData[];
  bridges: BridgeData[];
  lastEventId: number; // follow `/events` from this id to miss no change
  reason: string | null; // why Asterisk could not be asked; null if it was
}

/** A channel of Asterisk. */
export interface ChannelData {
  id: string;
  name: string;
  state: string;
  caller: string;
  connected: string;
  createdAt: string; // in Asterisk's format
  callId: string | null; // the call that it belongs to; null if none
}

/** A bridge of Asterisk. */
export interface BridgeData {
  id: string;
  technology: string;
  type: string;
  channels: string[]; // ids
  callId: string | null; // the call that it belongs to; null if none
}

export interface StatsData {
  since: number; // Unix seconds: start of the server
  activeCalls: number;
  activeByState: Record<string, number>;
  started: Started;
  outcomes: Record<string, number>;
  connections: number; // open WebSockets
  usersOnline: number;
}

export interface Started {
  inbound: number;
  outbound: number;
}

/** One event, in `data:`. */
export interface EventData {
  id: number; // the event's number: increases, also over restarts; Unix milliseconds is where numbers begin
  at: number; // Unix seconds
  name: string;
  callId: string | null; // the call that it is about; null if none
  data: Record<string, unknown>; // see docs/HOOKS.md for each `name`
  version: number; // of the form of events
}

export interface HealthData {
  status: "ok" | "degraded" | "draining" | "unavailable";
  version?: string | null; // for those who may see the details
  checks?: Checks | null; // for those who may see the details
}

export interface Checks {
  ari: PartCheck;
  pbx: PartCheck; // creates channels and media legs, and has the dialplan context in which calls start
  rtpengine: MediaCheck;
  store: PartCheck; // the call store
  recordings: PartCheck;
  records: PartCheck;
  audit: PartCheck; // the audit log
  outgoing: PartCheck; // not ok while an operator has stopped all outgoing calls
}

export interface PartCheck {
  ok: boolean;
  reason?: string | null; // why it is not ok; with `ok`: what is wrong although calls can be made
  version?: string | null;
}

export interface MediaCheck {
  ok: boolean; // at least one accepts calls
  nodes: NodeCheck[];
  reason?: string | null;
}

/** One rtpengine. */
export interface NodeCheck {
  ok: boolean; // accepts calls
  address: string;
  state: string;
  sessions: number;
  reason?: string | null; // why it does not accept calls
  seconds?: number | null; // duration of its last response
}

/** Problem details (RFC 9457). */
export interface Problem {
  type: string; // where the code is explained, relative to this server
  title: string; // the same for every problem with this code
  status: number; // the status of the response
  detail: string; // what went wrong in this case, in one or two sentences for developers
  code: string; // for programs
  field?: string | null; // the invalid value of the request
  rule?: string | null; // the rule that refuses the number (`forbidden`), or the limit (`too_many`)
  challenge?: string | null; // of a sign-in that is not complete: for the next step only, once, within ten minutes
  methods?: ("totp" | "security_key" | "recovery_code")[] | null; // second factors that the user has, or may set up (`second_factor_enrolment_required`)
  callId?: string | null;
  outcome?: Outcome | null; // how the call ended
  cause?: CauseData | null;
  retryAfter?: number | null; // seconds; also, rounded, in the header Retry-After
  requestId?: string | null; // identifies the request in the server's log
}
