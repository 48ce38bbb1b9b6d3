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

/** A sign-in during a call, which has room for a password only. */
export const MORE_IS_REQUIRED = "You have to choose a new password first. Sign in again after the call.";

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
