// Sentences about the password and the sign-in.

/** The form for a password of one's own. `length`: characters that it needs. */
export const NEW_PASSWORD = {
  title: "Choose your own password",
  why: "Somebody else knows the one that you were given.",
  rule: (length: number): string =>
    `At least ${length} characters. Not a common password, and not your name: a few unrelated words are good.`,
  first: "New password",
  again: "New password, again",
  tooShort: (length: number): string => `The password needs at least ${length} characters.`,
  differ: "The two are not the same.",
  save: "Save and sign in",
  busy: "Saving…",
  back: "Sign in as somebody else",
} as const;

/** A sign-in during a call, which has room for a password and a second factor only. */
export const MORE_IS_REQUIRED = "This needs another step: sign in again after the call.";

export const ACCOUNT = {
  title: "Password and sign-in",
  password: "Change the password",
  old: "Old password",
  save: "Change the password",
  saved: "The password is changed. Other pages that you had signed in to are signed out.",
  wrongOld: "The old password is wrong.",
  close: "Close",
} as const;

/** What the server says of a password, as a sentence: it begins with a small letter, and has no full stop. */
export const asSentence = (text: string): string =>
  text ? `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "";

/** The second step of a sign-in. */
export const SECOND_FACTOR = {
  title: "Enter the code",
  why: "Your authenticator app shows six digits for ari-bridge.",
  code: "Code",
  useRecovery: "Use a recovery code",
  recoveryTitle: "Enter a recovery code",
  recoveryWhy: "One of the ten that you were given. Each is good once.",
  recoveryCode: "Recovery code",
  useApp: "Use the app",
  useKey: "Use your security key",
  keyTitle: "Use your security key",
  keyWhy: "Have it at hand. The browser says what to do.",
  keyCannot: "This browser cannot use your security key.",
  askingKey: "Waiting for the key…",
  enter: "Sign in",
  busy: "Signing in…",
} as const;

/** Setting up an app. */
export const ENROLMENT = {
  title: "Set up an authenticator app",
  required: "Your role needs it to sign in.",
  scan: "Scan this with an authenticator app on your phone.",
  picture: "QR code for the authenticator app",
  orType: "Or type this into the app:",
  code: "The code that the app shows then",
  confirm: "Turn on",
  busy: "Checking…",
  useKey: "Use a security key instead",
  useApp: "Use an app instead",
} as const;

/** Keys at USB or NFC, and what the computer or the phone has for it. */
export const SECURITY_KEYS = {
  title: "Set up a security key",
  why: "A key at USB or NFC, a fingerprint, or your phone.",
  name: "Name of the key",
  example: "Blue key",
  add: "Set up the key",
  busy: "Waiting for the key…",
  list: "Your security keys",
  remove: "Remove",
  removeKey: (name: string): string => `Remove ${name}`,
  setUp: (when: string): string => `set up on ${when}`,
  lastUsed: (when: string): string => `used ${when}`,
  notUsed: "No key was used. Try again.",
  setUpAlready: "This security key is set up already.",
  wrongAddress: "Security keys do not work at this address. Open the page by the address that you were given.",
  failed: "The security key has failed. Try again, or use another one.",
} as const;

export const RECOVERY_CODES = {
  title: "Keep these recovery codes",
  why: "Each signs you in once if you lose the app or the key. They are not shown again.",
  copy: "Copy",
  copied: "Copied",
  done: "I have kept them",
} as const;

/** In the sheet of the account. */
export const TWO_STEPS = {
  title: "Two steps to sign in",
  off: "Off. With an app or a security key, the password alone opens nothing.",
  on: (left: number): string => `On. ${left === 1 ? "1 recovery code is" : `${left} recovery codes are`} left.`,
  loading: "Loading…",
  setUp: "Set up an app",
  newCodes: "New recovery codes",
  addKey: "Add a security key",
  remove: "Turn off",
  removeApp: "Turn the app off",
  password: "Your password",
  code: "Code of the app, or a recovery code",
  recoveryCode: "Recovery code",
  go: "Continue",
  goWithKey: "Continue with a security key",
  useCode: "Use a code",
  useKey: "Use a key",
  cancel: "Cancel",
} as const;
