// Sentences of the admin page about API keys.

import type { Api } from "sip-proxy-client";
import type { Question } from "./admin";

export const KEYS = {
  title: "API keys",
  add: "New key",
  create: "Make the key",
  none: "There is no API key yet. Programs need one to use the API without a person's password.",
  choose: "Choose a key to see what it may do.",
  chosen: "The chosen key",
  gone: "There is no such key.",
  forServers: "for servers",
  forPages: "for web pages",
  neverUsed: "never used",
  used: (when: string): string => `used ${when}`,
  revoked: "Revoked",
  expired: "Expired",
  id: "Id",
  label: "What it is for",
  labelHint: "For people, as “CRM”.",
  where: "Used by",
  onServers: "A server, which keeps the secret.",
  inPages: "Web pages: everybody who opens them can read the secret, so allow it little.",
  addresses: "Addresses",
  addressesHint: "Addresses or networks that may use it; empty: all.",
  origins: "Origins",
  originsHint: "Pages that may use it.",
  scopes: "May do",
  users: "Users",
  usersHint: "For whom it may make client tokens; empty: for everybody or, in pages, for guests only.",
  anyUser: "not restricted",
  class: "Class of service",
  defaultClass: "The default class",
  maxCalls: "Concurrent calls",
  asLimits: "as the server's limits",
  made: "Made",
  by: (who: string): string => `by ${who}`,
  commandLine: "on the command line",
  expires: "Expires",
  expiresHint: "Valid through that day; empty: until it is revoked.",
  never: "never",
  lastUsed: "Last used",
  oldSecret: "Old secret valid until",
  everywhere: "all",
  nothing: "nothing",
  rotate: "New secret",
  rotateNow: "New secret, end the old one now",
  revoke: "Revoke",
} as const;

/** What each right allows; one that is not here shows its name alone. */
export const GRANTS: Record<string, string> = {
  dial: "Place calls, add parties, transfer.",
  receive: "Take calls.",
  record: "Record own calls.",
  "monitor:read": "See the dashboard's figures.",
  "events:read": "Follow events of all calls.",
  "events:raw": "Follow the phone system's own events.",
  "calls:read": "See everybody's calls.",
  "calls:control": "End and hold everybody's calls.",
  "calls:stop": "Stop all outgoing calls, and allow them again.",
  "records:read": "Read everybody's call records.",
  "recordings:read": "Hear everybody's recordings.",
  "recordings:delete": "Delete everybody's recordings.",
  "users:manage": "Add, change, lock and remove users.",
  "keys:manage": "Make and revoke API keys.",
  "tokens:create": "Make client tokens for users.",
  "audit:read": "Read the audit log.",
};

export const KEY_QUESTIONS = {
  rotate: (label: string): Question => ({
    title: `Give ${label} a new secret?`,
    confirm: "New secret",
    sentences: ["The old secret stays valid for a day, so that you can change it where it is used."],
  }),
  rotateNow: (label: string): Question => ({
    title: `Replace the secret of ${label} now?`,
    confirm: "Replace now",
    sentences: [
      "The old secret stops working at once, and what it has signed in ends within a second. Programs fail until they have the new one.",
    ],
  }),
  revoke: (label: string): Question => ({
    title: `Revoke ${label} for good?`,
    confirm: "Revoke",
    sentences: [
      "The key and the client tokens that it has made stop working within a second, and open connections are closed. This cannot be undone.",
    ],
  }),
} as const;

export const secretOfKey = (
  key: Api.KeyWithSecret,
): {
  title: string;
  values: [string, string][];
  sentences: string[];
} => ({
  title: `The secret of ${key.label}`,
  values: [
    ["Id", key.id],
    ["Secret", key.secret],
    ["Both in one, for Authorization: Bearer", key.token],
  ],
  sentences: ["The secret is shown this once: store it now where the program reads it."],
});
