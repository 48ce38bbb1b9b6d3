// Whether sound comes in, and whether the path to the media server still answers: from getStats, one sample at a time. Pure.
// All is judged as of the last sample: on a busy machine that may be a while ago, and what came since is not known.
//
// A pause in the stream alone proves nothing: some far sides send no packets while nobody speaks there, and none comes on
// hold. But the browser checks its path every few seconds by STUN (RFC 7675), and whoever is there answers. Chromium tells
// of each check and each answer; Firefox, which checks every 4 to 6 seconds, tells of answers alone, and counts the RTCP
// that the media server sends as often. One check that is lost on the way is no loss of the path.

export interface Pulse {
  at: number; // of the sample; Unix milliseconds, as all times here
  path?: string; // the candidate pair in use
  movedAt?: number; // the sample in which it was another one than before
  packets: number; // received until now
  lastAt: number | null; // when the last one came; null before the first
  answers: number; // signs of the media server
  answeredAt: number | null; // when the last was seen; null where the browser does not tell
  asked: number | null; // checks sent when the last answer was seen; null where the browser does not count them
  unanswered: number; // checks sent since
  unansweredSince: number | null; // the first of them
}

export const NO_PULSE: Pulse = { at: 0, packets: 0, lastAt: null, answers: 0, answeredAt: null, asked: null, unanswered: 0, unansweredSince: null };

/** Of a connection in place of one that packets came through: they are expected from its first moment. */
export const expecting = (now: number): Pulse => ({ ...NO_PULSE, at: now, lastAt: now });

/** Of an `RTCStatsReport`. */
export interface StatsEntry {
  type: string;
  id: string;
  [key: string]: unknown;
}

export function feel(before: Pulse, entries: Iterable<StatsEntry>, now: number): Pulse {
  const all = [...entries];
  const inbound = all.find((entry) => entry.type === "inbound-rtp" && entry["kind"] === "audio");
  const packets = number(inbound?.["packetsReceived"]);
  const selected = all.find((entry) => entry.type === "transport")?.["selectedCandidatePairId"];
  const pair =
    all.find((entry) => entry.type === "candidate-pair" && entry.id === selected) ??
    all.find((entry) => entry.type === "candidate-pair" && entry["nominated"] === true);
  if (pair && before.path !== undefined && pair.id !== before.path) {
    before = { ...before, movedAt: now, answeredAt: null, unansweredSince: null }; // its checks are counted anew
  }
  const next = { ...before, at: now, packets, ...(pair && { path: pair.id }) };
  if (packets > before.packets) {
    // The sample may be a second younger than the packet, where the browser says when it came.
    const at = number(inbound?.["lastPacketReceivedTimestamp"]);
    next.lastAt = at > (before.lastAt ?? 0) && at <= now ? at : now;
  }
  if (typeof pair?.["responsesReceived"] === "number") {
    const asked = typeof pair["requestsSent"] === "number" ? pair["requestsSent"] : null;
    const answers = pair["responsesReceived"] + (asked === null ? number(pair["bytesReceived"]) : 0);
    if (answers > before.answers || before.answeredAt === null) return { ...next, answers, asked, answeredAt: now, unanswered: 0, unansweredSince: null };
    next.unanswered = (asked ?? 0) - (before.asked ?? 0);
    if (next.unanswered > 0) next.unansweredSince ??= now;
  }
  return next;
}

/** For how long no packet has come; 0 before the first: there may be nothing to hear yet. */
export const quietMs = (pulse: Pulse): number => (pulse.lastAt === null ? 0 : Math.max(0, pulse.at - pulse.lastAt));

/**
 * No packets for two seconds, and no sign from the media server either; for one, where signalling was lost at
 * `linkLostAt`, the sound with it, and neither has come since: then it is the path. Where packets have stopped and the
 * media server has answered since, or nothing is to come anyway (`silent`), it takes more than one check without an answer.
 */
export function isDead(pulse: Pulse, linkLostAt: number | null = null, silent = false): boolean {
  const { at, lastAt, answeredAt, asked, unanswered, unansweredSince } = pulse;
  const quiet = quietMs(pulse);
  const stoppedTogether = linkLostAt !== null && linkLostAt - (lastAt ?? 0) < TOGETHER_MS;
  if (stoppedTogether && quiet >= QUIET_WITH_LINK_MS && Math.max(lastAt ?? 0, answeredAt ?? 0) < linkLostAt) return true;
  if (quiet < QUIET_MS || lastAt === null || answeredAt === null) return false;
  const silence = silent || answeredAt - lastAt > ANSWERED_SINCE_MS;
  if (unansweredSince !== null) return at - unansweredSince >= ANSWER_MS && unanswered >= (silence ? CHECKS_IN_SILENCE : 1);
  // No check was made, or they are not counted: for so long at the longest there is a sign where there is somebody.
  const patience = UNSIGNED_MS[asked === null ? "uncounted" : "counted"][silence ? 1 : 0];
  return at - answeredAt >= patience && quiet >= patience;
}

/**
 * Packets have stopped for so long that somebody should look, though the media server answers. Soon, where the browser has
 * gone over to another path and none has come since: a media server may go on sending to where the browser was before.
 */
export const isStill = (pulse: Pulse): boolean => quietMs(pulse) >= (isMoved(pulse) ? MOVED_MS : STILL_MS);

const isMoved = ({ movedAt, lastAt }: Pulse): boolean => movedAt !== undefined && (lastAt ?? 0) <= movedAt;

const QUIET_MS = 2000;
const QUIET_WITH_LINK_MS = 1000;
/** What breaks the path stops both within so long; a far side that was silent before says nothing of the path. */
const TOGETHER_MS = 3000;
const ANSWER_MS = 400; // more than a round trip on a line that one can talk on
/** A sign that comes so long after the last packet is not seen late: the path stands, and the far side is silent. */
const ANSWERED_SINCE_MS = 1500;
/** Chromium asks again within a second where it has no answer. */
const CHECKS_IN_SILENCE = 3;
/** After a talk, and in a silence: Chromium checks every 2.5 s at the longest, Firefox every 6 s. */
const UNSIGNED_MS = { counted: [3500, 6000], uncounted: [7000, 13_000] } as const;
const STILL_MS = 10_000;
const MOVED_MS = 500; // packets come each 20 ms

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
