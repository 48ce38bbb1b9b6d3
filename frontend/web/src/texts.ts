// Every sentence that people read, in one place: ready for translation.

import type { Outcome } from "./messages";
import type { Call, Phase, Problem } from "./phone/call";

export interface Message {
  text: string;
  advice?: string;
  tone: "calm" | "bad";
}

export const STATE_WORDS: Record<Phase, string> = {
  idle: "Ready",
  connecting: "Connecting",
  trying: "Calling",
  ringing: "Ringing",
  early: "Ringing",
  accepted: "In call",
  incoming: "Incoming call",
  ended: "Call ended",
};

/** How the media stands while nothing is heard that was heard before. */
export const SOUNDLESS: ReadonlySet<Call["media"]> = new Set(["returning", "interrupted", "failed"] as const);

const partyOf = (call: Call): string => call.name || call.number || "The caller";

const OUTCOMES: Record<Outcome, (call: Call) => Message> = {
  completed: () => ({ text: "The call has ended.", tone: "calm" }),
  busy: (call) => ({ text: `${partyOf(call)} is on another call.`, tone: "bad" }),
  no_answer: (call) => ({ text: `${partyOf(call)} did not answer.`, tone: "bad" }),
  rejected: (call) => ({ text: `${partyOf(call)} declined the call.`, tone: "bad" }),
  cancelled: () => ({ text: "You cancelled the call.", tone: "calm" }),
  unreachable: () => ({ text: "This number cannot be reached.", advice: "Check the number and try again.", tone: "bad" }),
  forbidden: () => ({ text: "You may not call this number.", advice: "Ask whoever runs your phone system.", tone: "bad" }),
  failed_media: () => ({
    text: "The call connected, but no sound came through.",
    advice: "Try again. A firewall may block it.",
    tone: "bad",
  }),
  failed_pbx: () => ({ text: "The phone system is not answering.", advice: "Try again in a moment.", tone: "bad" }),
  lost: () => ({ text: "This page was away for too long.", advice: "The call has ended.", tone: "bad" }),
};

const INBOUND: Partial<Record<Outcome, (call: Call) => Message>> = {
  rejected: () => ({ text: "You declined the call.", tone: "calm" }),
  cancelled: (call) => ({ text: `You missed a call from ${partyOf(call)}.`, tone: "bad" }),
  no_answer: (call) => ({ text: `You missed a call from ${partyOf(call)}.`, tone: "bad" }),
};

export const ELSEWHERE = "This call goes on in another window.";
export const TAKEN_ELSEWHERE = "This call was taken in another window.";
export const BRING_HERE = "Bring it here";

export const PROBLEMS: Record<Problem, Message> = {
  microphone_blocked: {
    text: "The browser may not use your microphone.",
    advice: "Allow it by the icon left of the address.",
    tone: "bad",
  },
  no_microphone: { text: "No microphone was found.", advice: "Plug one in: it is listed by itself.", tone: "bad" },
  microphone_in_use: {
    text: "Another program is using your microphone.",
    advice: "Close it there, or choose another microphone below.",
    tone: "bad",
  },
  microphone_failed: { text: "The microphone could not be opened.", advice: "Choose another one below.", tone: "bad" },
  insecure_page: {
    text: "Browsers allow calls on secure pages only.",
    advice: "Open this page by https, or on the machine itself as localhost.",
    tone: "bad",
  },
  invalid_target: { text: "This number cannot be dialled as written.", advice: "Use digits, +, * and #.", tone: "bad" },
  too_many: { text: "Too many calls at once.", advice: "Try again in a moment.", tone: "bad" },
  not_connected: { text: "There is no connection to the phone system.", advice: "We keep trying. Call again then.", tone: "bad" },
  connection_lost: { text: "The connection to the phone system was lost, and the call with it.", tone: "bad" },
  accepted_elsewhere: { text: TAKEN_ELSEWHERE, tone: "calm" },
  held_elsewhere: { text: ELSEWHERE, tone: "calm" },
  refused: { text: "The phone system did not take the call.", tone: "bad" },
};

/** In a call that goes on without a microphone, in two short lines. */
const UNHEARD: Partial<Record<Problem, string>> = {
  microphone_blocked: "You are not heard: allow the microphone, left of the address.",
  no_microphone: "You are not heard: plug a microphone in.",
  microphone_in_use: "You are not heard: another program uses the microphone.",
  microphone_failed: "You are not heard: choose another microphone below.",
};

/** What the person is told about how the call stands; null where the state's word says it all. */
export function messageOf(call: Call): Message | null {
  if (call.problem && call.phase === "accepted") return { text: UNHEARD[call.problem] ?? PROBLEMS[call.problem].text, tone: "bad" };
  if (call.problem) return PROBLEMS[call.problem];
  if (call.phase === "ended") {
    const outcome = call.outcome ?? "completed";
    return ((call.direction === "inbound" && INBOUND[outcome]) || OUTCOMES[outcome])(call);
  }
  if (SOUNDLESS.has(call.media)) return { text: "Bringing the sound back…", tone: "bad" };
  return call.held ? { text: "The other side put you on hold.", tone: "calm" } : null;
}

export const LINK_WORDS = { connecting: "Connecting…", open: "Online", lost: "Offline" } as const;
export const LINK_LOST = "No phone system. Reconnecting…";

/** In a call: whether the other side is still heard, and if not, what it hears. */
export function linkLostInCall(call: Call): string {
  if (call.acceptedAt === null) return "Reconnecting… the call goes on.";
  return SOUNDLESS.has(call.media) ? "Reconnecting… the other side hears music." : "Reconnecting… the sound goes on.";
}

export const seconds = (milliseconds: number): string => `${Math.max(0, Math.floor(milliseconds / 1000))} s`;

export const SOUND_BLOCKED: Message = { text: "Press any key to hear the call.", tone: "bad" };

export const QUALITY_WORDS = ["Unusable", "Poor", "Fair", "Good", "Excellent"] as const;

/** What to do about a bad line, in one sentence; null where it is good enough. */
export function qualityAdvice(lossPercent: number, roundTripMs: number | null): string | null {
  if (lossPercent >= 3) {
    return `Your connection loses ${Math.round(lossPercent)} % of the sound. Move closer to the router or use a cable.`;
  }
  if ((roundTripMs ?? 0) > 400) return "The sound takes long. A VPN or a download may slow the connection.";
  return null;
}

export const SHORTCUTS: readonly (readonly [keys: string, what: string])[] = [
  ["0–9 + * #", "Dial, or send tones in a call"],
  ["Enter", "Call, or answer"],
  ["Esc", "Hang up, or decline"],
  ["M", "Mute"],
  ["/", "Search calls and phone book"],
  ["?", "Show this list"],
];
