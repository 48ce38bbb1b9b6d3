// Whether sound comes in, and whether the path to the media server still answers: from getStats, one sample at a time. Pure.
// All is judged as of the last sample: on a busy machine that may be a while ago, and what came since is not known.
//
// A pause in the stream alone proves nothing: some far sides send no packets while nobody speaks there. But the browser
// checks its path every few seconds by STUN (RFC 7675), and whoever is there answers.

export interface Pulse {
  at: number; // of the sample; Unix milliseconds, as all times here
  packets: number; // received until now
  lastAt: number | null; // when the last one came; null before the first
  answers: number; // to STUN checks
  answeredAt: number | null; // when the last was seen; null where the browser does not tell
  asked: number; // checks sent when the last answer was seen
  unansweredSince: number | null; // the first check after that
}

export const NO_PULSE: Pulse = { at: 0, packets: 0, lastAt: null, answers: 0, answeredAt: null, asked: 0, unansweredSince: null };

/** Of a connection in place of one that packets came through: they are expected from its first moment. */
export const expecting = (now: number): Pulse => ({ ...NO_PULSE, at: now, lastAt: now });

type Entry = { type: string; id: string; [key: string]: unknown };

export function feel(before: Pulse, entries: Iterable<Entry>, now: number): Pulse {
  const all = [...entries];
  const inbound = all.find((entry) => entry.type === "inbound-rtp" && entry["kind"] === "audio");
  const packets = number(inbound?.["packetsReceived"]);
  const selected = all.find((entry) => entry.type === "transport")?.["selectedCandidatePairId"];
  const pair =
    all.find((entry) => entry.type === "candidate-pair" && entry.id === selected) ??
    all.find((entry) => entry.type === "candidate-pair" && entry["nominated"] === true);
  const next = { ...before, at: now, packets };
  if (packets > before.packets) {
    // The sample may be a second younger than the packet, where the browser says when it came.
    const at = number(inbound?.["lastPacketReceivedTimestamp"]);
    next.lastAt = at > (before.lastAt ?? 0) && at <= now ? at : now;
  }
  if (typeof pair?.["responsesReceived"] === "number") {
    const answers = number(pair["responsesReceived"]);
    const asked = number(pair["requestsSent"]);
    if (answers > before.answers || before.answeredAt === null) return { ...next, answers, asked, answeredAt: now, unansweredSince: null };
    if (asked > before.asked) next.unansweredSince ??= now;
  }
  return next;
}

/** For how long no packet has come; 0 before the first: there may be nothing to hear yet. */
export const quietMs = (pulse: Pulse): number => (pulse.lastAt === null ? 0 : Math.max(0, pulse.at - pulse.lastAt));

/**
 * No packets for two seconds, and no sign from the media server either; for one, where signalling was lost at
 * `linkLostAt` and neither has come since: then it is the path.
 */
export function isDead(pulse: Pulse, linkLostAt: number | null = null): boolean {
  const quiet = quietMs(pulse);
  if (linkLostAt !== null && quiet >= QUIET_WITH_LINK_MS && Math.max(pulse.lastAt ?? 0, pulse.answeredAt ?? 0) < linkLostAt) return true;
  if (quiet < QUIET_MS) return false;
  if (pulse.answeredAt === null) return quiet >= QUIET_UNKNOWN_MS;
  if (pulse.unansweredSince !== null) return pulse.at - pulse.unansweredSince >= ANSWER_MS;
  // The browser checks every 2.5 s at the longest: without a sign for so long, there was none to come.
  return pulse.at - pulse.answeredAt >= QUIET_UNKNOWN_MS && quiet >= QUIET_UNKNOWN_MS;
}

/** Packets have stopped for so long that somebody should look, though the media server answers. */
export const isStill = (pulse: Pulse): boolean => quietMs(pulse) >= STILL_MS;

const QUIET_MS = 2000;
const QUIET_WITH_LINK_MS = 1000;
const ANSWER_MS = 400; // more than a round trip on a line that one can talk on
const QUIET_UNKNOWN_MS = 3500;
const STILL_MS = 10_000;

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
