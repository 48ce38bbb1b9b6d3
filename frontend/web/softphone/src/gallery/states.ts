// Fixed data: one snapshot for each state of the phone.

import {
  type CallInfo as Call,
  IDLE_PHONE,
  INITIAL_USER_STATE,
  type ListedCall,
  type LiveCall,
  type PhoneBookEntry,
  type Preflight,
  type UserPreferences,
} from "sip-proxy-client";
import type { HistoryEntry } from "../phone/history";
import type { Snapshot } from "../phone/snapshot";
import type { Recordings } from "../phone/useRecordings";

export const NOW = Date.UTC(2026, 0, 15, 14, 30);
const MINUTE = 60_000;

export const PHONE_BOOK: PhoneBookEntry[] = [
  { number: "600", name: "Echo" },
  { number: "601", name: "Milliwatt tone" },
  { number: "602", name: "Music" },
  { number: "1002", name: "Browser user 1002" },
];

const call = (values: Partial<Call>): LiveCall =>
  ({
    id: "3f9c01ab77e2d4c85a10",
    direction: "outbound",
    number: "7012",
    name: "Warehouse",
    phase: "connecting",
    startedAt: NOW - 90_000,
    acceptedAt: null,
    endedAt: null,
    outcome: null,
    problem: null,
    reason: "",
    q850: 0,
    sip: 0,
    detail: null,
    forward: "",
    media: "new",
    held: false,
    heldByFar: false,
    muted: false,
    customAudio: false,
    digits: "",
    parties: [],
    transferring: null,
    recording: "off",
    consultsId: null,
    pending: null,
    failedRequest: null,
    ...values,
  }) as LiveCall;

const entry = (number: string, name: string, ago: number, values: Partial<HistoryEntry> = {}): HistoryEntry => ({
  number,
  name,
  at: NOW - ago,
  direction: "outbound",
  seconds: 74,
  outcome: "completed",
  ...values,
});

const HISTORY: HistoryEntry[] = [
  entry("7012", "Warehouse", 4 * MINUTE, { direction: "inbound", seconds: null, outcome: "cancelled" }),
  entry("600", "Echo", 26 * MINUTE, { seconds: 12 }),
  entry("7012", "Warehouse", 70 * MINUTE, { id: "recorded" }),
  entry("+4930123456", "", 3 * 60 * MINUTE, { direction: "inbound", seconds: 341 }),
  entry("1002", "Browser user 1002", 26 * 60 * MINUTE, { seconds: null, outcome: "busy" }),
];

const settings: UserPreferences = {
  doNotDisturb: false,
  callWaiting: false,
  forwardAlways: "",
  forwardBusy: "voicemail",
  forwardNoAnswer: "+493012345678",
  forwardUnreachable: "voicemail",
  ringSeconds: 20,
};
const userState: Snapshot["userState"] = {
  ...INITIAL_USER_STATE,
  savedPreferences: settings,
  voicemail: { type: "voicemail", new: 0, old: 3, number: "*97" },
  people: [
    { number: "1002", name: "Browser user 1002", state: "in_call", user: "1002" },
    { number: "1003", name: "Ada Lovelace", state: "do_not_disturb", user: "1003" },
    { number: "7020", name: "Reception", state: "ringing" },
    { number: "7012", name: "Warehouse", state: "available" },
    { number: "7021", name: "Night porter", state: "offline" },
  ],
};

/** Of two of the calls with the warehouse. */
export const RECORDINGS: Recordings = {
  of: (ids) =>
    ids.includes("recorded")
      ? [3600, 60].map((ago, index) => ({
          name: `recorded-rec${index + 1}`,
          callId: "recorded",
          startedAt: NOW / 1000 - ago,
          seconds: 74,
        }))
      : [],
  sound: () => Promise.resolve(new Blob()),
};

const base: Snapshot = {
  userState,
  ...IDLE_PHONE,
  link: "open",
  linkLostAt: null,
  registered: true,
  signedOut: null,
  ringsHere: true,
  notifications: "allowed",
  soundBlocked: false,
  quality: null,
  warnings: [],
  history: HISTORY,
  missedCount: 0,
  hasOlderCalls: false,
  microphoneOpen: true,
  devices: {
    microphones: [
      { id: "a", name: "USB headset" },
      { id: "b", name: "Built-in microphone" },
    ],
    speakers: [
      { id: "c", name: "USB headset" },
      { id: "d", name: "Built-in loudspeaker" },
    ],
  },
  chosen: { microphone: "a", speaker: "", ring: "" },
  missing: {},
};

const talking = call({ phase: "accepted", acceptedAt: NOW - 75_000, media: "connected" });
const second: LiveCall = {
  ...talking,
  id: "2",
  number: "1002",
  name: "Browser user 1002",
  direction: "inbound",
  acceptedAt: NOW - 312_000,
  held: true,
};
const third: LiveCall = { ...talking, id: "3", number: "600", name: "Echo", acceptedAt: NOW - 41_000, held: true };
const rings = call({ id: "w", number: "7020", name: "Reception", phase: "incoming", direction: "inbound" });
const good: Snapshot["quality"] = {
  roundTripMs: 24,
  jitterMs: 3,
  lossPercent: 0,
  codec: "opus 48 kHz",
  packets: 3750,
  mos: 4.4,
  bars: 4,
};
const poor: Snapshot["quality"] = {
  roundTripMs: 180,
  jitterMs: 24,
  lossPercent: 6,
  codec: "opus 48 kHz",
  packets: 3750,
  mos: 3.3,
  bars: 2,
};
const elsewhere: ListedCall = {
  id: "3f9c01ab77e2d4c85a10",
  direction: "outbound",
  number: "7012",
  name: "Warehouse",
  connected: null,
  phase: "accepted",
  startedAt: NOW - 90_000,
  acceptedAt: NOW - 75_000,
  held: false,
  heldByFar: false,
  parties: [],
  transferring: null,
  recording: "off",
  here: false,
  attached: true,
};
const party = (party: number, number: string, name: string, state: "trying" | "ringing" | "accepted" = "accepted") => ({
  party,
  number,
  name,
  state,
});
const three = [party(1, "7012", "Warehouse"), party(2, "1002", "Browser user 1002")];

/** A connection that carries calls badly. */
export const TESTED: Preflight = {
  microphone: null,
  signallingMs: 38,
  media: "ok",
  quality: poor,
  mos: 2.8,
  warnings: ["rtt", "loss", "mos"],
};

/** The first of them is on the stage. */
const on = (...calls: LiveCall[]): Snapshot => ({
  ...base,
  calls,
  activeId: calls[0]?.id ?? null,
  quality: calls[0]?.phase === "accepted" ? good : null,
});
const over = (values: Partial<Call>): Snapshot => ({
  ...base,
  lastEndedCall: call({ phase: "ended", endedAt: NOW, ...values }),
});
const trouble = {
  kind: "transfer",
  number: "1002",
  name: "Browser user 1002",
  outcome: "no_answer",
  problem: null,
  reason: "",
  detail: null,
} as const;

/** What is written there; what is none, once it was to be called. */
export const WRITTEN: Record<string, string> = {
  typed: "602",
  askTransfer: "602",
  askTransferOfTwo: "602",
  askAdd: "602",
  askAddOfTwo: "602",
  refusedNumber: "+1 (555) 123-4567 ext. 12",
  refusedAddress: "sip:ada.lovelace@analytical-engines.example",
  askTransferRefused: "030 1234567, 0171 7654321",
};

export const STATES: Record<string, Snapshot> = {
  idle: base,
  typed: base,
  missedCalls: { ...base, missedCount: 3, hasOlderCalls: true },
  refusedNumber: base,
  refusedAddress: base,
  empty: {
    ...base,
    history: [],
    microphoneOpen: false,
    devices: { microphones: [], speakers: [] },
    chosen: { microphone: "", speaker: "", ring: "" },
  },
  asksForNotifications: { ...base, notifications: "ask" },
  undisturbed: { ...base, userState: { ...userState, savedPreferences: { ...settings, doNotDisturb: true } } },
  broken: base,
  brokenInCall: on(talking, rings),
  brokenRinging: on(call({ phase: "incoming", direction: "inbound" })),
  forwarded: { ...base, userState: { ...userState, savedPreferences: { ...settings, forwardAlways: "7012" } } },
  refusedForward: {
    ...base,
    userState: {
      ...userState,
      preferencesError: {
        field: "forwardNoAnswer",
        message: "The calls would go in a circle: 1001 → 1002 → 1001.",
        retryable: false,
      },
    },
  },
  voicemail: {
    ...base,
    userState: {
      ...userState,
      savedPreferences: { ...settings, doNotDisturb: true },
      voicemail: { type: "voicemail", new: 2, old: 3, number: "*97" },
    },
  },
  connecting: on(call({})),
  trying: on(call({ phase: "trying", name: "", number: "+4930123456" })),
  ringing: on(call({ phase: "ringing" })),
  accepted: on(talking),
  muted: on({ ...talking, muted: true, digits: "4711#" }),
  poor: { ...on({ ...talking, media: "interrupted" }), quality: poor },
  held: on({ ...talking, held: true }),
  heldByFar: on({ ...talking, heldByFar: true }),
  twoCalls: on(talking, second),
  twoHeld: on({ ...talking, held: true }, second),
  threeCalls: on({ ...talking, muted: true, heldByFar: true }, second, third),
  consulting: on({ ...third, held: false, consultsId: "2" }, second),
  consultationFailed: {
    ...on(second),
    lastEndedCall: call({ id: "4", phase: "ended", endedAt: NOW, outcome: "busy", number: "600", name: "Echo" }),
  },
  waiting: on(talking, rings),
  waitingWhileTransferring: on(
    { ...talking, transferring: { number: "1002", name: "" }, parties: three.slice(0, 1) },
    rings,
  ),
  waitingBesideTwo: on(talking, second, rings),
  ringingBesideHeld: on(rings, second),
  askTransfer: on(talking),
  askTransferOfTwo: on(talking, second),
  askTransferRefused: on(talking, second),
  askAdd: on(talking),
  askAddOfTwo: on(talking, second),
  transferring: on({
    ...talking,
    transferring: { number: "1002", name: "Browser user 1002" },
    parties: [...three.slice(0, 1), party(2, "1002", "Browser user 1002", "ringing")],
  }),
  transferFailed: on({ ...talking, failedRequest: trouble }),
  transferFailedOfTwo: on({ ...talking, failedRequest: { ...trouble, outcome: "unreachable" } }, third),
  adding: on({ ...talking, parties: [...three.slice(0, 1), party(0, "1002", "Browser user 1002", "trying")] }),
  addFailed: on({
    ...talking,
    parties: three,
    failedRequest: { ...trouble, kind: "add", number: "600", name: "Echo", outcome: "busy" },
  }),
  conference: on({ ...talking, parties: three }),
  conferenceOfMany: on(
    {
      ...talking,
      recording: "on",
      parties: [
        ...three,
        party(3, "600", "Echo"),
        party(4, "+4930123456", ""),
        party(5, "7020", "Reception", "ringing"),
        party(6, "7021", "Night porter"),
      ],
    },
    third,
  ),
  conferenceHeld: on({ ...talking, held: true, parties: three }),
  recording: on({ ...talking, recording: "on" }),
  recordingPaused: on({ ...talking, recording: "paused", digits: "4711#" }),
  signedOutInCall: { ...on(talking), signedOut: "", link: "lost", linkLostAt: NOW - 4000 },
  lostInCall: { ...on(talking), link: "lost", linkLostAt: NOW - 4000, registered: false },
  lostWithTwo: { ...on(talking, second), link: "lost", linkLostAt: NOW - 4000, registered: false },
  lostWithoutSound: {
    ...on({ ...talking, media: "interrupted" }),
    quality: poor,
    link: "lost",
    linkLostAt: NOW - 12_000,
    registered: false,
  },
  lostWhileRinging: { ...on(call({ phase: "ringing" })), link: "lost", linkLostAt: NOW - 2000, registered: false },
  bringingBack: { ...on({ ...talking, media: "returning", muted: true }), quality: null },
  soundBlocked: { ...on(talking), soundBlocked: true },
  silentPage: { ...base, soundBlocked: true },
  silentRinging: { ...on(call({ phase: "incoming", direction: "inbound" })), soundBlocked: true },
  missingDevice: {
    ...base,
    chosen: { microphone: "", speaker: "", ring: "" },
    missing: { microphone: "Jabra Evolve2 65 Mono", speaker: "Jabra Evolve2 65 Mono" },
  },
  missingInCall: {
    ...on(talking),
    chosen: { microphone: "", speaker: "", ring: "" },
    missing: { microphone: "Jabra Evolve2 65 Mono", speaker: "Jabra Evolve2 65 Mono", ring: "HDMI" },
  },
  microphoneInUse: on({ ...talking, problem: "microphone_in_use" }),
  microphoneInUseWithTwoCalls: on({ ...talking, problem: "microphone_in_use" }, second),
  elsewhere: { ...base, otherDeviceCalls: [elsewhere] },
  takenOver: {
    ...base,
    otherDeviceCalls: [
      { ...elsewhere, name: "", number: "+4930123456" },
      { ...elsewhere, id: "5", name: "Echo", held: true },
    ],
  },
  takenWhileRinging: {
    ...over({ direction: "inbound", problem: "accepted_elsewhere" }),
    otherDeviceCalls: [{ ...elsewhere, acceptedAt: NOW - 3000 }],
  },
  lost: { ...base, link: "lost", registered: false },
  lostForLong: { ...base, link: "lost", linkLostAt: NOW - 85_000, registered: false },
  lostForLongInCall: { ...on(talking), link: "lost", linkLostAt: NOW - 85_000, registered: false },
  lostAfterCall: { ...over({ problem: "not_connected" }), link: "lost", registered: false },
  incoming: on(call({ phase: "incoming", direction: "inbound" })),
  incomingBlocked: on(call({ phase: "incoming", direction: "inbound", problem: "microphone_blocked" })),
  pageAway: over({ outcome: "lost", acceptedAt: NOW - 75_000 }),
  completed: over({ outcome: "completed", acceptedAt: NOW - 75_000, q850: 16 }),
  transferred: over({
    outcome: "transferred",
    acceptedAt: NOW - 75_000,
    q850: 16,
    transferring: { number: "1002", name: "Browser user 1002" },
  }),
  busy: over({ outcome: "busy", q850: 17, sip: 486 }),
  noAnswer: over({ outcome: "no_answer", q850: 19, sip: 480 }),
  unreachable: over({ outcome: "unreachable", name: "", number: "0999", q850: 1, sip: 404 }),
  lineForbids: over({ outcome: "forbidden", detail: "line_forbids", q850: 21, sip: 403 }),
  lineSignIn: over({ outcome: "forbidden", detail: "line_sign_in", q850: 21, sip: 407 }),
  moved: over({ outcome: "unreachable", detail: "moved", forward: "7999", q850: 127, sip: 302 }),
  congestion: over({ outcome: "unreachable", detail: "congestion", q850: 34, sip: 503 }),
  mediaSetup: over({ outcome: "failed_media", detail: "media_setup" }),
  stillConnected: over({ outcome: "completed", acceptedAt: NOW - 75_000, detail: "still_connected", q850: 16 }),
  pbxRefuses: over({ outcome: "failed_pbx", detail: "pbx_refuses" }),
  usedUp: over({ problem: "too_many", detail: "used_up" }),
  outgoingStopped: over({ outcome: "forbidden", detail: "outgoing_stopped" }),
  pbxRestarts: over({ outcome: "failed_pbx", detail: "pbx_restarts" }),
  refusedOnTheWay: over({ outcome: "rejected", detail: "refused", q850: 21, sip: 603 }),
  noRoute: over({ outcome: "unreachable", detail: "no_route" }),
  failedMedia: over({ outcome: "failed_media", acceptedAt: NOW - 10_000, q850: 16 }),
  failedPbx: over({ outcome: "failed_pbx" }),
  noWebrtc: over({ problem: "no_webrtc" }),
  blocked: over({ problem: "microphone_blocked" }),
  missed: over({ direction: "inbound", outcome: "cancelled" }),
  connectedToAnother: on({ ...talking, connected: { number: "7002", name: "Workshop" } }),
  answeredElsewhere: over({ direction: "inbound", outcome: "answered_elsewhere", q850: 26, sip: 487 }),
};
