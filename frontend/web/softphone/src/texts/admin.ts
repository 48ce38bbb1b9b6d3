// Sentences of the admin page.

import type { Api } from "sip-proxy-client";

export const ADMIN = {
  title: "Administration",
  nothing: "You may not administer this phone system. An administrator can give you the role admin.",
  signInOff:
    "Sign-in is off on this server (ENABLE_AUTHENTICATION=false), so there are no users and no keys: whoever reaches it may do everything.",
  oneTenant: "This server has one tenant, with all users.",
  loading: "Loading…",
  retry: "Try again",
} as const;

export const NO_ANSWER = "The server does not answer. Try again in a moment.";

export const TAB_NAMES = {
  users: "Users",
  dial: "Dial permissions",
  keys: "API keys",
  audit: "Audit",
} as const;

/** What each role is for; the order is the one of the list. */
export const ROLES = {
  user: "Makes and takes calls.",
  agent: "Makes and takes calls.",
  supervisor: "Also sees everybody's calls, records and recordings, and the dashboard.",
  operator: "Also controls everybody's calls, and sees what the phone system tells.",
  auditor: "Sees everybody's calls, records and recordings. Cannot call.",
  admin: "May do everything, this page included.",
} as const;

export const USERS = {
  search: "Search users",
  add: "Add user",
  anyRole: "All roles",
  lockedOnly: "Locked only",
  none: "No user fits. Change the search.",
  choose: "Choose a user to see and change what they may do.",
  more: "Show more",
  name: "Name",
  nameHint: "What the user signs in with and is called by. Letters, digits, dots, dashes, underscores.",
  displayName: "Display name",
  displayNameHint: "Who it is, for people: the directory shows it.",
  roles: "Roles",
  class: "Class of service",
  classHint: "Which numbers the user may dial.",
  byRoles: "That of the roles",
  save: "Save",
  cancel: "Cancel",
  create: "Add",
  back: "All users",
  close: "Close",
  open: "Open now",
  limits: "Limits",
  nothingOpen: "Nothing: the user has no page open.",
  takesCalls: "calls ring here",
  noCalls: "no calls ring here",
  you: "This is you. Another admin can lock, demote or remove you; your password is changed where you sign in.",
  signOut: "Sign out everywhere",
  password: "New password",
  secondFactor: "Reset second factor",
  sipPassword: "New SIP password",
  noSipPassword: "Remove SIP password",
  phones: "SIP phones",
  noPhones: "None is registered.",
  phonesUnknown: "Which are registered now is not known:",
  rename: "Rename",
  lock: "Lock",
  unlock: "Unlock",
  remove: "Remove",
  locked: "Locked",
  mustChange: "First password",
  mustChangeTitle: "Has a password that somebody else has chosen, and changes it at the next sign-in",
  inCall: "In a call",
  online: "Online",
  saved: "Saved. It is in force already.",
  newName: "New name",
} as const;

export const SECRET = {
  copy: "Copy",
  copied: "Copied",
  once: "It is shown this once: pass it on now, over a way that only the user reads.",
  mustChange: "The user has to choose another one at the first sign-in.",
  done: "Done",
} as const;

export const DIAL = {
  tryTitle: "May this user dial this number?",
  tryHint: "Nothing is dialled.",
  user: "User",
  number: "Number",
  check: "Check",
  allowed: "Allowed",
  refused: "Refused",
  rule: "Rule",
  class: "Class of service",
  kind: "Kind of number",
  dialled: "Dialled",
  classes: "Classes of service",
  builtIn: "built in",
  firstRule: "The first rule that fits decides. What none allows is refused; emergency numbers are always allowed.",
  whoHas: "Who has which",
  everybodyElse: "Everybody else",
  role: "Role",
  tenant: "Tenant",
  noFile:
    "No file of dial permissions is set (DIAL_PERMISSIONS_FILE), so there are only the built-in classes. A user gets one on the tab Users.",
  noCountry: "COUNTRY is not set: numbers without + are internal or refused.",
} as const;

export const writtenIn = (file: string): string =>
  `They are written in ${file} on the server, and changes there are in force at once. A class that a user has on the tab Users goes before.`;

const calls = (count: number): string => (count === 1 ? "one call" : `${count} calls`);
const pages = (count: number): string => (count === 1 ? "one page open" : `${count} pages open`);

/** What the user has open, as a sentence; "" for nothing. */
export function openNow({ name, connections, calls: inProgress }: Api.UserData): string {
  if (inProgress && connections) return `${name} has ${calls(inProgress)} in progress and ${pages(connections)}.`;
  if (inProgress) return `${name} has ${calls(inProgress)} in progress.`;
  return connections ? `${name} has ${pages(connections)}.` : "";
}

const LIMITS: Record<Api.LimitUsageData["what"], string> = {
  legs: "Numbers on the line at once",
  forwards: "Forwarded calls at once",
  legs_per_minute: "Numbers called within a minute",
  legs_per_day: "Numbers called today",
  minutes_per_day: "Minutes talked today",
};

export const limitName = ({ what, numberClass }: Api.LimitUsageData): string =>
  numberClass ? `${LIMITS[what]}, ${numberClass.replace(/_/g, " ")}` : LIMITS[what];

export const limitText = ({ used, limit }: Api.LimitUsageData): string => `${Math.floor(used)} of ${limit}`;

export interface Question {
  title: string;
  sentences: readonly string[];
  confirm: string;
}

const goOn = (user: Api.UserData): string =>
  user.calls
    ? `${user.calls === 1 ? "The call goes on" : "The calls go on"} as long as the page sends sound: locking ends ${user.calls === 1 ? "it" : "them"}.`
    : "";
const ends = (user: Api.UserData): string =>
  user.calls ? `ends ${user.calls === 1 ? "the call" : "the calls"}, ` : "";

const asked = (title: string, confirm: string, ...sentences: string[]): Question => ({
  title,
  confirm,
  sentences: sentences.filter(Boolean),
});

export const QUESTIONS = {
  lock: (user: Api.UserData): Question =>
    asked(
      `Lock ${user.name}?`,
      "Lock",
      openNow(user),
      `Locking ${ends(user)}signs ${user.name} out everywhere within a second, and refuses new sign-ins until you unlock.`,
    ),
  signOut: (user: Api.UserData): Question =>
    asked(
      `Sign ${user.name} out everywhere?`,
      "Sign out",
      openNow(user),
      `All sign-ins of ${user.name} end within a second. The password stays, so ${user.name} can sign in again.`,
      goOn(user),
    ),
  password: (user: Api.UserData): Question =>
    asked(
      `Give ${user.name} a new password?`,
      "New password",
      openNow(user),
      `The old password stops working, and ${user.name} is signed out everywhere within a second.`,
      goOn(user),
    ),
  secondFactor: (user: Api.UserData): Question =>
    asked(
      `Remove the second factor of ${user.name}?`,
      "Remove",
      openNow(user),
      `The authenticator app and the recovery codes of ${user.name} stop working, and the password alone suffices: make sure that it is ${user.name} who asks you. ${user.name} is signed out everywhere within a second.`,
      goOn(user),
    ),
  sipPassword: (user: Api.UserData): Question =>
    asked(
      `Make a SIP password for ${user.name}?`,
      "Make",
      openNow(user),
      user.sipPassword
        ? `The one before stops working: phones of ${user.name} that use it have to get the new one.`
        : "",
      `With it phones and programs register and call as ${user.name}. It is shown once.`,
      goOn(user),
    ),
  noSipPassword: (user: Api.UserData): Question =>
    asked(
      `Remove the SIP password of ${user.name}?`,
      "Remove",
      openNow(user),
      `Phones that use it can neither register nor call any more.`,
      goOn(user),
    ),
  rename: (user: Api.UserData): Question =>
    asked(
      `Rename ${user.name}`,
      "Rename",
      openNow(user),
      `${user.name} is signed out everywhere and signs in with the new name. Calls, recordings, preferences and voicemail stay under the old name, where ${user.name} no longer sees them.`,
      goOn(user),
    ),
  remove: (user: Api.UserData): Question =>
    asked(
      `Remove ${user.name} for good?`,
      "Remove",
      openNow(user),
      `Removing ${ends(user)}signs ${user.name} out everywhere within a second, and deletes forwards and preferences. Call records and recordings stay for those who may see all. This cannot be undone.`,
    ),
} as const;

export const secretOfUser = ({
  user,
  password,
}: Api.NewPasswordData): {
  title: string;
  values: [string, string][];
  sentences: string[];
} => ({
  title: `The password of ${user.name}`,
  values: [["Password", password]],
  sentences: [SECRET.once, ...(user.mustChangePassword ? [SECRET.mustChange] : [])],
});
export const secretOfPhone = ({
  user,
  realm,
  password,
}: Api.SipPasswordData): {
  title: string;
  values: [string, string][];
  sentences: string[];
} => ({
  title: `The SIP password of ${user}`,
  values: [
    ["SIP user", user],
    ["Realm", realm],
    ["SIP password", password],
  ],
  sentences: [SECRET.once],
});
export const countOf = (shown: number, total: number): string => (shown < total ? `${shown} of ${total}` : `${total}`);
