// Sentences about calls: their states, how they ended, what went wrong, and what can be done.

import {
  type CallInfo as Call,
  type CallProblem,
  connectedParty,
  type Detail,
  isConference,
  type NumberFault,
  type Outcome,
  otherParties,
  type PartyState,
  type Person,
  type Phase,
  type RequestFailure,
} from "sip-proxy-client";

export interface Message {
  text: string;
  advice?: string;
  tone: "calm" | "bad";
}

export const STATE_LABELS: Record<Phase, string> = {
  idle: "Ready",
  connecting: "Connecting",
  trying: "Calling",
  ringing: "Ringing",
  early: "Not answered yet",
  accepted: "In call",
  incoming: "Incoming call",
  ended: "Call ended",
};

/** The number that was called first, if another party is connected: "dialled 7001", "called by 7001"; "" otherwise. */
export function dialledAsOf({
  direction,
  number,
  connected,
}: Pick<Call, "direction" | "number" | "connected">): string {
  if (!connected || connected.number === number || !number) return "";
  return direction === "outbound" ? `dialled ${number}` : `called by ${number}`;
}

/** The state in two or three words. */
export function stateLabelOf(call: Call): string {
  if (call.phase === "connecting" && call.direction === "inbound") return "Answering";
  if (call.phase !== "accepted") return STATE_LABELS[call.phase];
  if (call.transferring) return "Transferring";
  if (call.held) return "On hold";
  if (call.heldByFar) return "Held by them";
  return isConference(call) ? `Conference of ${otherParties(call).length + 1}` : STATE_LABELS.accepted;
}

export const PARTY_LABELS: Record<PartyState, string> = { trying: "calling", ringing: "ringing", accepted: "" };
export const RECORDING_LABELS = { off: "", on: "Recording", paused: "Recording paused" } as const;

export const BUTTONS = {
  answer: "Answer",
  holdAndAnswer: "Hold and answer",
  endAndAnswer: "End and answer",
  decline: "Decline",
  hangUp: "Hang up",
  endForAll: "End for all",
  leave: "Leave",
  mute: "Mute",
  unmute: "Unmute",
  hold: "Hold",
  unhold: "Unhold",
  takeBack: "Take back",
  talk: "Talk",
  swap: "Swap",
  transfer: "Transfer",
  transferNow: "Transfer",
  askFirst: "Ask first",
  connectThem: "Connect",
  add: "Add",
  addNow: "Add",
  newCall: "New call",
  record: "Record",
  recording: "Recording",
  pauseRecording: "Pause recording",
  resumeRecording: "Go on recording",
  stopRecording: "Stop recording",
  cancel: "Cancel",
  close: "Close",
  tryAgain: "Try again",
  call: "Call",
  callAgain: "Call again",
  callBack: "Call back",
  recent: "Recent",
  keypad: "Keypad",
} as const;

export const TYPE_A_NUMBER = "Type a number, or choose one from the list.";
export const WAITING = "is calling too";
export const FORM_LABELS = { transfer: "Transfer to", add: "Add to this call" } as const;
export const connectWith = (one: string, other: string): string => `Connect ${one} with ${other}`;
export const mergeWith = (other: string): string => `Bring ${other} in`;

/** States of a call's media in which nothing is heard. */
export const SOUNDLESS_MEDIA: ReadonlySet<Call["media"]> = new Set(["returning", "interrupted", "failed"] as const);

const partyOf = (who: Person): string => who.name || who.number || "The caller";

const UNREACHABLE = "This number cannot be reached.";
const FORBIDDEN = "You may not call this number.";
const bad = (text: string, advice: string): Message => ({ text, advice, tone: "bad" });

const OUTCOMES: Record<Outcome, (who: Person) => Message> = {
  completed: () => ({ text: "The call has ended.", tone: "calm" }),
  busy: (call) => ({ text: `${partyOf(call)} is on another call.`, tone: "bad" }),
  no_answer: (call) => ({ text: `${partyOf(call)} did not answer.`, tone: "bad" }),
  rejected: (call) => ({ text: `${partyOf(call)} declined the call.`, tone: "bad" }),
  cancelled: () => ({ text: "You cancelled the call.", tone: "calm" }),
  unreachable: () => ({ text: UNREACHABLE, advice: "Check the number and try again.", tone: "bad" }),
  forbidden: () => ({ text: FORBIDDEN, advice: "Ask whoever runs your phone system.", tone: "bad" }),
  failed_media: () => ({
    text: "The call connected, but no sound came through.",
    advice: "Try again. A firewall may block it.",
    tone: "bad",
  }),
  failed_pbx: () => ({ text: "The phone system is not answering.", advice: "Try again in a moment.", tone: "bad" }),
  transferred: () => ({ text: "Transferred.", tone: "calm" }),
  lost: () => ({ text: "This page was away for too long.", advice: "The call has ended.", tone: "bad" }),
  answered_elsewhere: (call) => ({
    text: "Answered by somebody else.",
    advice: `${partyOf(call)} called.`,
    tone: "calm",
  }),
};

/** Who refused, and what helps: more precise than the outcome. */
const DETAILS: Record<Detail, (call: Person & { forward?: string }) => Message> = {
  moved: ({ forward }) =>
    bad(UNREACHABLE, forward ? `Calls to it go to ${forward}: call that number.` : "Calls to it go to another number."),
  no_such_number: () => bad(UNREACHABLE, "Check the number and try again."),
  number_changed: () => bad(UNREACHABLE, "It has changed: ask for the new one."),
  incomplete_number: () => bad(UNREACHABLE, "It is not complete."),
  offline: () => bad(UNREACHABLE, "No phone is signed in there now."),
  not_responding: () => bad(UNREACHABLE, "Nothing responds: nobody was rung."),
  congestion: () => bad(UNREACHABLE, "No line is free: try again in a moment."),
  not_connected: () => bad(UNREACHABLE, "The call failed on the way."),
  refused: (call) => bad(`The call to ${partyOf(call)} was refused before it rang.`, "Ask whoever runs your phones."),
  line_forbids: () => bad(FORBIDDEN, "The line refuses it. Ask whoever runs your phones."),
  line_sign_in: () => bad("The line refuses your phone system's sign-in.", "Tell whoever runs your phones."),
  incompatible_media: () => bad("No kind of sound suits both sides.", "Tell whoever runs your phones."),
  media_setup: () => bad("The call was not connected: its sound could not be set up.", "Try again in a moment."),
  no_route: () => bad("Your phone system has no way to this number.", "Tell whoever runs it."),
  pbx_refuses: () => bad("The phone system does not do its work.", "Tell whoever runs it. We keep trying."),
  still_connected: () => bad("The other side may still be on the line.", "We keep trying to end the call."),
  used_up: () => bad("Your calls for today are used up.", "Ask whoever runs your phones, or wait until tomorrow."),
  outgoing_stopped: () =>
    bad("Outgoing calls are stopped for now.", "Ask whoever runs your phones. Emergency calls work."),
  pbx_restarts: () => bad("The phone system is about to restart.", "Try again in a few minutes."),
};

const missedCall = (call: Call): Message => ({ text: `You missed a call from ${partyOf(call)}.`, tone: "bad" });

const INBOUND_OUTCOMES: Partial<Record<Outcome, (call: Call) => Message>> = {
  rejected: () => ({ text: "You declined the call.", tone: "calm" }),
  cancelled: missedCall,
  no_answer: missedCall,
};

const ON_OTHER_DEVICE = "This call goes on in another window.";
export const onOtherDeviceOf = (calls: number): string =>
  calls === 1 ? ON_OTHER_DEVICE : "These calls go on in another window.";
export const TAKEN_BY_OTHER_DEVICE = "This call was taken in another window.";
export const takeOverOf = (calls: number): string => (calls === 1 ? "Bring it here" : "Bring them here");

export const PROBLEMS: Record<CallProblem, Message> = {
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
  no_webrtc: {
    text: "WebRTC is switched off in this browser.",
    advice: "Switch it on, or take another browser.",
    tone: "bad",
  },
  invalid_target: { text: "This number cannot be dialled as written.", advice: "Use digits, +, * and #.", tone: "bad" },
  too_many: { text: "Too many calls at once.", advice: "Try again in a moment.", tone: "bad" },
  not_connected: {
    text: "There is no connection to the phone system.",
    advice: "We keep trying. Call again then.",
    tone: "bad",
  },
  connection_lost: { text: "The connection to the phone system was lost, and the call with it.", tone: "bad" },
  accepted_elsewhere: { text: TAKEN_BY_OTHER_DEVICE, tone: "calm" },
  owned_elsewhere: { text: ON_OTHER_DEVICE, tone: "calm" },
  unauthorized: { text: "You are not signed in any more.", advice: "Sign out, and in again.", tone: "bad" },
  refused: { text: "The phone system did not take the call.", tone: "bad" },
};

/** Why what was written is no number. `detail`: the character, the letters, the extension, or the host. */
const NUMBER_FAULTS: Record<NumberFault, (detail: string, number: string) => [text: string, advice: string]> = {
  empty: () => ["There is no digit in this.", "Write the number to call."],
  too_long: () => ["This is too long for a number.", ""],
  character: (detail) => [
    detail.startsWith("U+") ? `This has a character that is not seen (${detail}).` : `A number has no “${detail}”.`,
    "Take it out, and call again.",
  ],
  line_break: () => ["This has more than one line.", "Leave only the number."],
  letters: (detail) => [`“${detail}” is no part of a number.`, "Take it out; a name is written without spaces."],
  several: () => ["This is more than one number.", "Leave the one to call."],
  extension: (detail, number) => [
    "A number is called without its extension.",
    `Call ${number}, and press ${detail} when somebody answers.`,
  ],
  address: (detail) => [`This is an address at ${detail}.`, "Only numbers of this phone system can be called."],
};

export function numberFaultMessage({
  fault,
  detail,
  number,
}: {
  fault: NumberFault;
  detail: string;
  number: string;
}): Message {
  const [text, advice] = NUMBER_FAULTS[fault](detail, number);
  return { text, advice, tone: "bad" };
}

/** During a call that continues without a microphone, in two short lines. */
const NOT_HEARD: Partial<Record<CallProblem, string>> = {
  microphone_blocked: "You are not heard: allow the microphone, left of the address.",
  no_microphone: "You are not heard: plug a microphone in.",
  microphone_in_use: "You are not heard: another program uses the microphone.",
  microphone_failed: "You are not heard: choose another microphone below.",
};

/** The message about a call; null if the state's label says everything. */
export function messageOf(call: Call): Message | null {
  if (call.problem && call.phase === "accepted")
    return { text: NOT_HEARD[call.problem] ?? PROBLEMS[call.problem].text, tone: "bad" };
  if (call.problem === "invalid_target" && call.reason) return { ...PROBLEMS.invalid_target, advice: call.reason };
  if (call.problem === "too_many" && call.detail) return DETAILS[call.detail](call);
  if (call.problem) return PROBLEMS[call.problem];
  if (call.phase === "ended") {
    const outcome = call.outcome ?? "completed";
    if (outcome === "transferred" && call.transferring)
      return { text: `Transferred to ${partyOf(call.transferring)}.`, tone: "calm" };
    if (call.direction === "inbound" && INBOUND_OUTCOMES[outcome]) return INBOUND_OUTCOMES[outcome](call);
    if (call.detail) return DETAILS[call.detail](call);
    if (outcome === "failed_media" && call.acceptedAt === null) return DETAILS.media_setup(call);
    return OUTCOMES[outcome](call);
  }
  if (SOUNDLESS_MEDIA.has(call.media)) return { text: "Bringing the sound back…", tone: "bad" };
  if (call.transferring) return { text: `Transferring to ${partyOf(call.transferring)}…`, tone: "calm" };
  if (call.held && call.phase === "accepted") return { text: "They hear music.", tone: "calm" };
  return call.heldByFar ? { text: "The other side put you on hold.", tone: "calm" } : null;
}

const REFUSED_REQUESTS: Record<RequestFailure["kind"], string> = {
  hold: "Hold could not be changed.",
  digits: "The tones were not sent.",
  transfer: "The call could not be transferred.",
  connect: "The calls could not be connected.",
  add: "Nobody could be added.",
  merge: "The calls could not be joined.",
  record: "The call is not recorded.",
};

/** A request that has failed while the call continues. */
export function failureMessageOf(failure: RequestFailure): Message {
  if (failure.detail) return DETAILS[failure.detail](failure);
  if (failure.outcome) return OUTCOMES[failure.outcome](failure);
  if (failure.problem && failure.problem !== "refused") return PROBLEMS[failure.problem];
  return { text: REFUSED_REQUESTS[failure.kind], tone: "bad" };
}

/** What a screen reader announces when the state changes. */
export function announcementOf(call: Call | null, elsewhere: number): string {
  if (elsewhere > 0) return onOtherDeviceOf(elsewhere);
  if (!call) return "";
  const said = [
    call.phase === "ended" ? STATE_LABELS.ended : stateLabelOf(call),
    (call.failedRequest ? failureMessageOf(call.failedRequest) : messageOf(call))?.text,
  ];
  if (call.phase === "incoming" || call.connected) said.push(partyOf(connectedParty(call)));
  if (call.recording !== "off") said.push(RECORDING_LABELS[call.recording]);
  return said.filter(Boolean).join(". ");
}
