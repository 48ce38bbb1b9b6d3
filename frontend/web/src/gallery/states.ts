// Fixed data: one snapshot for each state of the phone.

import { IDLE, type Call } from "../phone/call";
import type { HistoryEntry } from "../phone/history";
import type { Snapshot } from "../phone/softphone";
import type { PhoneBookEntry } from "../signalling/http";

export const NOW = Date.UTC(2026, 0, 15, 14, 30);
const MINUTE = 60_000;

export const PHONE_BOOK: PhoneBookEntry[] = [
  { number: "600", name: "Echo" },
  { number: "601", name: "Milliwatt tone" },
  { number: "602", name: "Music" },
  { number: "1002", name: "Browser user 1002" },
];

const call = (values: Partial<Call>): Call => ({
  id: "3f9c01ab77e2d4c85a10", direction: "outbound", number: "7012", name: "Warehouse", phase: "connecting", startedAt: NOW - 90_000,
  acceptedAt: null, endedAt: null, outcome: null, problem: null, reason: "", q850: 0, sip: 0, media: "new", held: false, muted: false,
  digits: "", ...values,
});

const entry = (number: string, name: string, ago: number, values: Partial<HistoryEntry> = {}): HistoryEntry => ({
  number, name, at: NOW - ago, direction: "outbound", seconds: 74, outcome: "completed", ...values,
});

const HISTORY: HistoryEntry[] = [
  entry("7012", "Warehouse", 4 * MINUTE, { direction: "inbound", seconds: null, outcome: "cancelled" }),
  entry("600", "Echo", 26 * MINUTE, { seconds: 12 }),
  entry("7012", "Warehouse", 70 * MINUTE),
  entry("+4930123456", "", 3 * 60 * MINUTE, { direction: "inbound", seconds: 341 }),
  entry("1002", "Browser user 1002", 26 * 60 * MINUTE, { seconds: null, outcome: "busy" }),
];

const base: Snapshot = {
  ...IDLE, link: "open", linkLostAt: null, registered: true, aloud: true, soundBlocked: false, quality: null, history: HISTORY, microphoneOpen: true,
  devices: {
    microphones: [{ id: "a", name: "USB headset" }, { id: "b", name: "Built-in microphone" }],
    speakers: [{ id: "c", name: "USB headset" }, { id: "d", name: "Built-in loudspeaker" }],
  },
  chosen: { microphone: "a", speaker: "", ring: "" },
};

const talking = call({ phase: "accepted", acceptedAt: NOW - 75_000, media: "connected" });
const good: Snapshot["quality"] = { roundTripMs: 24, jitterMs: 3, lossPercent: 0, codec: "opus 48 kHz", packets: 3750, mos: 4.4, bars: 4 };
const poor: Snapshot["quality"] = { roundTripMs: 180, jitterMs: 24, lossPercent: 6, codec: "opus 48 kHz", packets: 3750, mos: 3.3, bars: 2 };
const elsewhere: Snapshot["elsewhere"] = {
  id: "3f9c01ab77e2d4c85a10", direction: "outbound", number: "7012", name: "Warehouse", phase: "accepted", startedAt: NOW - 90_000,
  acceptedAt: NOW - 75_000, held: false, here: false, attached: true,
};
const over = (values: Partial<Call>): Snapshot => ({ ...base, call: call({ phase: "ended", endedAt: NOW, ...values }) });

export const STATES: Record<string, Snapshot> = {
  idle: base,
  typed: base,
  empty: { ...base, history: [], microphoneOpen: false, devices: { microphones: [], speakers: [] }, chosen: { microphone: "", speaker: "", ring: "" } },
  connecting: { ...base, call: call({}) },
  trying: { ...base, call: call({ phase: "trying", name: "", number: "+4930123456" }) },
  ringing: { ...base, call: call({ phase: "ringing" }) },
  accepted: { ...base, call: talking, quality: good },
  muted: { ...base, call: { ...talking, muted: true, digits: "4711#" }, quality: good },
  poor: { ...base, call: { ...talking, media: "interrupted" }, quality: poor },
  held: { ...base, call: { ...talking, held: true }, quality: good },
  waiting: { ...base, call: talking, quality: good, waiting: { id: "w", number: "1002", name: "" } },
  lostInCall: { ...base, call: talking, quality: good, link: "lost", linkLostAt: NOW - 4000, registered: false },
  lostWithoutSound: { ...base, call: { ...talking, media: "interrupted" }, quality: poor, link: "lost", linkLostAt: NOW - 12_000, registered: false },
  lostWhileRinging: { ...base, call: call({ phase: "ringing" }), link: "lost", linkLostAt: NOW - 2000, registered: false },
  bringingBack: { ...base, call: { ...talking, media: "returning", muted: true } },
  soundBlocked: { ...base, call: talking, quality: good, soundBlocked: true },
  unheard: { ...base, call: { ...talking, problem: "microphone_blocked" }, quality: good },
  elsewhere: { ...base, elsewhere },
  takenOver: { ...base, elsewhere: { ...elsewhere, name: "", number: "+4930123456" } },
  takenWhileRinging: { ...over({ direction: "inbound", problem: "accepted_elsewhere" }), elsewhere: { ...elsewhere, acceptedAt: NOW - 3000 } },
  lost: { ...base, link: "lost", registered: false },
  lostAfterCall: { ...over({ problem: "not_connected" }), link: "lost", registered: false },
  incoming: { ...base, call: call({ phase: "incoming", direction: "inbound" }) },
  incomingBlocked: { ...base, call: call({ phase: "incoming", direction: "inbound", problem: "microphone_blocked" }) },
  pageAway: over({ outcome: "lost", acceptedAt: NOW - 75_000 }),
  completed: over({ outcome: "completed", acceptedAt: NOW - 75_000, q850: 16 }),
  busy: over({ outcome: "busy", q850: 17, sip: 486 }),
  noAnswer: over({ outcome: "no_answer", q850: 19, sip: 480 }),
  unreachable: over({ outcome: "unreachable", name: "", number: "0999", q850: 1, sip: 404 }),
  failedMedia: over({ outcome: "failed_media", acceptedAt: NOW - 10_000, q850: 16 }),
  failedPbx: over({ outcome: "failed_pbx" }),
  blocked: over({ problem: "microphone_blocked" }),
  missed: over({ direction: "inbound", outcome: "cancelled" }),
};
