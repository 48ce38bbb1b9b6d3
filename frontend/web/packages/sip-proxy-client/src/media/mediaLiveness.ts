// Whether sound comes in, and whether the path to the media server still answers: from getStats, one sample at a time. Pure.
// Everything is judged as of the last sample: on a busy machine that may be a while ago, and what came since is not known.
//
// A pause in the stream alone proves nothing: some far sides send no packets during silence, and none arrive on
// hold. But the browser checks its path every few seconds by STUN (RFC 7675), and a live peer responds. Chromium reports
// each check and each response; Firefox, which checks every 4 to 6 seconds, reports responses alone, and counts the RTCP
// that the media server sends as often. A single lost check does not mean that the path is lost.

export interface MediaLiveness {
  sampledAt: number; // of the sample; Unix milliseconds, as all times here
  candidatePair?: string; // the candidate pair in use
  pairChangedAt?: number; // the sample in which it was another one than before
  packets: number; // received until now
  lastPacketAt: number | null; // when the last one came; null before the first
  responses: number; // signs of life of the media server
  lastResponseAt: number | null; // when the last one was seen; null if the browser does not report them
  checksAtResponse: number | null; // checks sent when the last response was seen; null if the browser does not count them
  unansweredChecks: number; // checks sent since
  unansweredSince: number | null; // the first of them
}

export const NO_MEDIA_YET: MediaLiveness = {
  sampledAt: 0,
  packets: 0,
  lastPacketAt: null,
  responses: 0,
  lastResponseAt: null,
  checksAtResponse: null,
  unansweredChecks: 0,
  unansweredSince: null,
};

/** For a connection that replaces one with packets: they are expected from its start. */
export const expectMedia = (now: number): MediaLiveness => ({ ...NO_MEDIA_YET, sampledAt: now, lastPacketAt: now });

/** Of an `RTCStatsReport`. */
export interface StatsEntry {
  type: string;
  id: string;
  [key: string]: unknown;
}

export function update(before: MediaLiveness, entries: Iterable<StatsEntry>, now: number): MediaLiveness {
  const all = [...entries];
  const inbound = all.find((entry) => entry.type === "inbound-rtp" && entry["kind"] === "audio");
  const packets = number(inbound?.["packetsReceived"]);
  const selected = all.find((entry) => entry.type === "transport")?.["selectedCandidatePairId"];
  const pair =
    all.find((entry) => entry.type === "candidate-pair" && entry.id === selected) ??
    all.find((entry) => entry.type === "candidate-pair" && entry["nominated"] === true);
  if (pair && before.candidatePair !== undefined && pair.id !== before.candidatePair) {
    before = { ...before, pairChangedAt: now, lastResponseAt: null, unansweredSince: null }; // its checks are counted from zero
  }
  const next: MediaLiveness = { ...before, sampledAt: now, packets, ...(pair && { candidatePair: pair.id }) };
  if (packets > before.packets) {
    // If the browser reports when the packet came: the sample may be a second younger.
    const at = number(inbound?.["lastPacketReceivedTimestamp"]);
    next.lastPacketAt = at > (before.lastPacketAt ?? 0) && at <= now ? at : now;
  }
  if (typeof pair?.["responsesReceived"] === "number") {
    const checksAtResponse = typeof pair["requestsSent"] === "number" ? pair["requestsSent"] : null;
    const responses = pair["responsesReceived"] + (checksAtResponse === null ? number(pair["bytesReceived"]) : 0);
    if (responses > before.responses || before.lastResponseAt === null)
      return { ...next, responses, checksAtResponse, lastResponseAt: now, unansweredChecks: 0, unansweredSince: null };
    next.unansweredChecks = (checksAtResponse ?? 0) - (before.checksAtResponse ?? 0);
    if (next.unansweredChecks > 0) next.unansweredSince ??= now;
  }
  return next;
}

/** For how long no packet has come; 0 before the first: the far side may not have sent any yet. */
export const silenceMs = (liveness: MediaLiveness): number =>
  liveness.lastPacketAt === null ? 0 : Math.max(0, liveness.sampledAt - liveness.lastPacketAt);

/**
 * No packets for two seconds, and no sign of the media server either; for one second, if signaling was lost at
 * `signalingLostAt` together with the media, and neither has come since: then the path is lost. If the media server has
 * responded after the last packet, or no packets are expected (`silent`), it takes more than one check without a response.
 */
export function isDead(liveness: MediaLiveness, signalingLostAt: number | null = null, silent = false): boolean {
  const { sampledAt, lastPacketAt, lastResponseAt, checksAtResponse, unansweredChecks, unansweredSince } = liveness;
  const quiet = silenceMs(liveness);
  const stoppedTogether = signalingLostAt !== null && signalingLostAt - (lastPacketAt ?? 0) < SAME_CAUSE_WITHIN_MS;
  if (
    stoppedTogether &&
    quiet >= DEAD_WITH_SIGNALING_MS &&
    Math.max(lastPacketAt ?? 0, lastResponseAt ?? 0) < signalingLostAt
  )
    return true;
  if (quiet < DEAD_AFTER_SILENCE_MS || lastPacketAt === null || lastResponseAt === null) return false;
  const silence = silent || lastResponseAt - lastPacketAt > RESPONSE_AFTER_SILENCE_MS;
  if (unansweredSince !== null)
    return (
      sampledAt - unansweredSince >= CHECK_RESPONSE_TIMEOUT_MS &&
      unansweredChecks >= (silence ? MAX_UNANSWERED_CHECKS_IN_SILENCE : 1)
    );
  // No check was made, or they are not counted: a live media server shows a sign within this time.
  const patience = RESPONSE_TIMEOUT_MS[checksAtResponse === null ? "uncounted" : "counted"][silence ? 1 : 0];
  return sampledAt - lastResponseAt >= patience && quiet >= patience;
}

/**
 * No packets for so long that it should be looked into, although the media server responds. Sooner if the browser has
 * changed its path and none has come since: the media server may still send to the old one.
 */
export const isStalled = (liveness: MediaLiveness): boolean =>
  silenceMs(liveness) >= (isPairNew(liveness) ? STALLED_ON_NEW_PAIR_AFTER_MS : STALLED_AFTER_MS);

const isPairNew = ({ pairChangedAt, lastPacketAt }: MediaLiveness): boolean =>
  pairChangedAt !== undefined && (lastPacketAt ?? 0) <= pairChangedAt;

const DEAD_AFTER_SILENCE_MS = 2000;
const DEAD_WITH_SIGNALING_MS = 1000;
/** One cause stops both within this time; a far side that was silent before says nothing about the path. */
const SAME_CAUSE_WITHIN_MS = 3000;
const CHECK_RESPONSE_TIMEOUT_MS = 400; // more than a round trip on a line that one can talk on
/** A response that much later than the last packet is not just a late sample: the path is alive, and the far side is silent. */
const RESPONSE_AFTER_SILENCE_MS = 1500;
/** Without a response Chromium checks again within a second. */
const MAX_UNANSWERED_CHECKS_IN_SILENCE = 3;
/** After a talk, and in a silence: Chromium checks every 2.5 s at the longest, Firefox every 6 s. */
const RESPONSE_TIMEOUT_MS = { counted: [3500, 6000], uncounted: [7000, 13_000] } as const;
const STALLED_AFTER_MS = 10_000;
const STALLED_ON_NEW_PAIR_AFTER_MS = 500; // packets come each 20 ms

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
