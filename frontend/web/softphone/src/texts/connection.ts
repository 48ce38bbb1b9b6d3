// Sentences about the connection to the server, the sign-in, and the quality of calls.

import { type CallInfo as Call, type CallFeedback, QUALITY_LIMITS, type QualityWarning } from "sip-proxy-client";
import { type Message, SOUNDLESS_MEDIA } from "./calls";

export const LINK_LABELS = { connecting: "Connecting…", open: "Online", lost: "Offline" } as const;
/** In a call whose sign-in has ended. */
export const SIGN_IN_AGAIN = {
  ended: "Your sign-in has ended.",
  second: "Now the second step.",
  useKey: "Use your key",
  wrongCode: "Wrong code. Try again.",
  keyRefused: "This key was refused. Use a code.",
  goesOn: "The call goes on.",
  password: "Password",
  enter: "Sign in",
  busy: "Signing in…",
} as const;
export const WRONG_PASSWORD = "Wrong name or password.";
export const NO_ANSWER_TO_SIGN_IN = "The server does not answer. Try again in a moment.";

export const LINK_LOST = "No phone system. Reconnecting…";
export const TRY_NOW = "Try now";
export const connectionLostFor = (time: string): string => `It has been away for ${time}.`;

/** During a call: whether the other side is still heard, and if not, what it hears. */
export function linkLostInCall(call: Call): string {
  if (call.acceptedAt === null) return "Reconnecting… the call goes on.";
  return call.held || SOUNDLESS_MEDIA.has(call.media)
    ? "Reconnecting… the other side hears music."
    : "Reconnecting… the sound goes on.";
}

export const seconds = (milliseconds: number): string => `${Math.max(0, Math.floor(milliseconds / 1000))} s`;

export const SOUND_BLOCKED: Message = { text: "Press anywhere to hear the call.", tone: "bad" };
export const SILENT_PAGE: Message = {
  text: "Press anywhere on this page.",
  advice: "Until then the browser keeps it silent: no ringing is heard.",
  tone: "bad",
};

export const QUALITY_LABELS = ["Unusable", "Poor", "Fair", "Good", "Excellent"] as const;

const LOSS_ADVICE = "Move closer to the router or use a cable.";
const DELAY = "The sound takes long.";
const DELAY_ADVICE = "A VPN or a download may slow the connection.";
const JITTER = "The sound comes unevenly.";
const JITTER_ADVICE = "Stop downloads, or use a cable.";
const lossOf = (percent: number): string => `Your connection loses ${Math.round(percent)} % of the sound.`;

/** What to do about a bad connection, in one sentence; null if it is good enough. */
export function qualityAdvice(lossPercent: number, roundTripMs: number | null): string | null {
  if (lossPercent >= QUALITY_LIMITS.lossPercent) return `${lossOf(lossPercent)} ${LOSS_ADVICE}`;
  return (roundTripMs ?? 0) > QUALITY_LIMITS.roundTripMs ? `${DELAY} ${DELAY_ADVICE}` : null;
}

/** What to do about the most important warning; null without one. */
export function warningOf(
  warnings: readonly QualityWarning[],
  quality: { lossPercent: number } | null,
): Message | null {
  if (warnings.includes("loss"))
    return {
      text: lossOf(Math.max(QUALITY_LIMITS.lossPercent, quality?.lossPercent ?? 0)),
      advice: LOSS_ADVICE,
      tone: "bad",
    };
  if (warnings.includes("rtt")) return { text: DELAY, advice: DELAY_ADVICE, tone: "bad" };
  return warnings.length === 0 ? null : { text: JITTER, advice: JITTER_ADVICE, tone: "bad" };
}

export const CONNECTION_TEST = {
  start: "Test my connection",
  busy: "Testing…",
  media: {
    ok: "comes back",
    failed: "none came: a firewall may block it",
    "one-way": "comes, but yours does not arrive",
    skipped: "not tested: there is no echo number",
  },
  warnings: {
    loss: `The connection loses sound. ${LOSS_ADVICE}`,
    rtt: `${DELAY} ${DELAY_ADVICE}`,
    jitter: `${JITTER} ${JITTER_ADVICE}`,
    mos: "Calls will be hard to understand.",
  } satisfies Record<QualityWarning, string>,
} as const;

export const RATING = {
  question: "How was the sound?",
  thanks: "Thank you",
  score: (score: number): string => `${score} of 5`,
  more: "Thank you. Was anything wrong?",
  issue: "What was wrong",
  comment: "Anything else?",
  send: "Send",
} as const;

export const ISSUES: Record<NonNullable<CallFeedback["issue"]>, string> = {
  echo: "Echo",
  choppy: "Choppy",
  one_way: "One side silent",
  delay: "Delay",
  noise: "Noise",
  dropped: "Cut off",
};
