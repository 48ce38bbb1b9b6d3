// Sentences about the page itself.

export const callingNow = (who: string): string => `${who || "Somebody"} is calling`;

export const NOTIFICATIONS = {
  question: "Show who calls while this page is out of sight?",
  allow: "Show it",
  decline: "Not now",
  title: "Show who calls while this page is out of sight",
  blocked: "Calls are not shown while this page is out of sight: allow notifications by the icon left of the address.",
} as const;

export const PAGE_ERROR = {
  title: "Something on this page broke",
  inCall: "Your call goes on: it is not ended by a reload, and comes back with the page.",
  idle: "A reload puts it right. A call that stands is not ended by it, and comes back with the page.",
  reload: "Reload the page",
} as const;

export const OPERATING = {
  stop: "Stop outgoing calls",
  sure: "End all calls to outside, and allow no more?",
  stopNow: "Stop them",
  allow: "Allow outgoing calls",
  cancel: "Cancel",
  endCall: "End this call",
  endNow: "End it",
  stopped: (by: string, reason: string): string =>
    `Outgoing calls are stopped${by && ` by ${by}`}${reason && `: ${reason}`}.`,
} as const;
export const NO_DASHBOARD = "You may not see everybody's calls. An administrator can give you the role supervisor.";

export const SETTINGS = "Sound and connection";

export const CODEC = {
  title: "Codec of the next calls",
  automatic: "Automatic",
  opus: "Opus",
  pcmu: "PCMU (G.711)",
} as const;

export const SHORTCUTS: readonly (readonly [keys: string, what: string])[] = [
  ["0–9 + * #", "Dial, or send tones in a call"],
  ["Enter", "Call, or answer"],
  ["Esc", "Hang up, or decline"],
  ["M", "Mute"],
  ["H", "Hold, or take back"],
  ["T", "Transfer"],
  ["A", "Add somebody"],
  ["S", "Swap to the other call"],
  ["/", "Search calls and phone book"],
  ["?", "Show this list"],
];

/** The form that signs in. */
export const SIGN_IN = {
  unreachable: "The server does not answer. Trying again…",
  withPassword: "Sign in to make and take calls.",
  withoutPassword: "Choose the number that rings here.",
  user: "User",
  number: "Your number",
  password: "Password",
  busy: "Signing in…",
  enter: "Sign in",
  start: "Start",
} as const;

export const SIGN_OUT = "Sign out";
