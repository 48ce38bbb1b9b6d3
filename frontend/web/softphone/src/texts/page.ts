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

export const signInWith = (provider: string): string => `Sign in with ${provider}`;

export const SIGNED_IN_WINDOW = "You are signed in. Close this window.";

/** Why a sign-in at the provider failed, by what the server says (docs/HTTP.md); another one: SSO_FAILED. */
export const SSO_RESULTS: Readonly<Record<string, (provider: string) => string>> = Object.assign(Object.create(null), {
  unavailable: (provider: string) =>
    `${provider} cannot be reached. Try again in a moment, or sign in with a password.`,
  expired: (provider: string) => `The sign-in took too long, or was begun elsewhere. Sign in with ${provider} again.`,
  cancelled: (provider: string) => `You have not signed in at ${provider}.`,
  insecure: () => "Open this page by https to sign in that way.",
  not_allowed: () => "Your account may not use this phone. Ask an administrator.",
  unknown_user: () => "Your account belongs to no user here. Ask an administrator to link it.",
  name_taken: () => "There is a user of your name here already. Ask an administrator to link your account to it.",
  no_name: () => "Your account has no name that can be used here. Ask an administrator.",
  locked: () => "Your user is locked here. Ask an administrator.",
  no_role: () => "No group of yours may use this phone. Ask an administrator.",
});
export const SSO_FAILED = (provider: string): string =>
  `The sign-in at ${provider} failed. Try again; if it fails again, ask an administrator.`;

export const SIGN_OUT = "Sign out";
