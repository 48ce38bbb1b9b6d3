// The admin page with fixed data: states of it by name.

import type { ReactElement } from "react";
import { type Api, HttpError } from "sip-proxy-client";
import type { AdminApi } from "../admin/adminApi";
import { type TABS, tabsOf } from "../admin/tabs";
import { AdminScreen } from "../components/admin/AdminScreen";
import { NOW } from "./states";

const now = NOW / 1000;
const nothing = (): void => undefined;

const user = (name: string, displayName: string, more: Partial<Api.UserData> = {}): Api.UserData => ({
  id: `usr_${name}`,
  name,
  displayName,
  roles: ["user"],
  classOfService: "",
  effectiveClass: "internal",
  locked: false,
  mustChangePassword: false,
  secondFactor: false,
  sipPassword: false,
  createdAt: now - 86_400 * 30,
  revision: 17,
  connections: 0,
  calls: 0,
  ...more,
});

const USERS: readonly Api.UserData[] = [
  user("1001", "Reception", { roles: ["user", "admin"], effectiveClass: "national", connections: 2 }),
  user("1002", "Workshop", {
    secondFactor: true,
    calls: 1,
    connections: 1,
    classOfService: "national",
    effectiveClass: "national",
  }),
  user("1003", "Accounts", { locked: true }),
  user("1004", "", { roles: ["agent", "supervisor"], effectiveClass: "international" }),
  user("1005", "Purchasing, second floor, on Mondays and Tuesdays only", { mustChangePassword: true }),
  user("a.rather.long.name-of_somebody", "Night desk", { roles: ["auditor"] }),
];

const PERMISSIONS: Api.DialPermissionsData = {
  file: "/etc/ari-bridge/dial-permissions.toml",
  country: "DE",
  default: "internal",
  internal: [],
  classes: [
    { name: "internal", builtIn: true, rules: ["allow internal"] },
    {
      name: "national",
      builtIn: true,
      rules: ["allow internal", "allow national", "allow mobile", "allow shared_cost"],
    },
    { name: "sales", builtIn: false, rules: ["deny country:AT", "allow international", "allow premium +49900*"] },
  ],
  users: { "1001": "national" },
  roles: { agent: "sales" },
  tenants: {},
};

const entry = (number: number, ago: number, actor: string, action: string, object: string): Api.Entry =>
  ({
    number,
    id: `aud_${number}`,
    at: now - ago,
    actorKind: actor ? "user" : "system",
    actorId: actor ? `usr_${actor}` : "",
    actor,
    tenant: "default",
    address: actor ? "192.0.2.17" : "",
    action,
    object,
    result: "ok",
    requestId: "5f1c9a0e7b2d4c68",
    details: {},
    previousHash: "",
    hash: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
  }) as Api.Entry;

const ENTRIES: readonly Api.Entry[] = [
  {
    ...entry(1208, 40, "1005", "dial.deny", "+49900123456"),
    result: "refused",
    details: { rule: "national: no rule allows premium" },
  },
  { ...entry(1207, 200, "1001", "user.roles", "1004"), details: { old: ["agent"], new: ["agent", "supervisor"] } },
  entry(1206, 320, "1001", "user.lock", "1003"),
  { ...entry(1205, 900, "1003", "session.refuse", "1003"), result: "refused", details: { reason: "wrong password" } },
  entry(1204, 3700, "1004", "recording.play", "rec_1k3fa8c2d1"),
  entry(1203, 86_400, "", "server.start", ""),
];

const key = (id: string, label: string, more: Partial<Api.KeyData> = {}): Api.KeyData => ({
  id,
  label,
  scopes: ["dial", "tokens:create"],
  addresses: ["192.0.2.0/24"],
  origins: [],
  users: [],
  maxCalls: 0,
  classOfService: "",
  createdAt: now - 86_400 * 40,
  createdBy: "1001",
  expiresAt: null,
  lastUsedAt: now - 180,
  previousSecretUntil: null,
  revokedAt: null,
  ...more,
});

const KEYS: readonly Api.KeyData[] = [
  key("ab_7f3k2m9qx4wz", "CRM", { previousSecretUntil: now + 7200 }),
  key("ab_2b8n4c6v1x3z", "Shop page", {
    scopes: ["dial"],
    addresses: [],
    origins: ["https://shop.example.com"],
    users: [],
    lastUsedAt: null,
    maxCalls: 10,
    expiresAt: now + 86_400 * 90,
  }),
  key("ab_9k1j5h7g2f4d", "Reports of last year", { scopes: ["records:read"], expiresAt: now - 86_400 }),
  key("ab_3q5w7e9r1t2y", "Old dialler", { revokedAt: now - 86_400 * 2, lastUsedAt: now - 86_400 * 3 }),
];
const madeKey = (label: string): Api.KeyWithSecret => ({
  ...key("ab_7f3k2m9qx4wz", label, { lastUsedAt: null }),
  secret: "Vb8sQ2mJk5Xr0TzL7nWc4HdYp9FgEa1uRo6iNxKt3Ms",
  token: "ab_7f3k2m9qx4wz_Vb8sQ2mJk5Xr0TzL7nWc4HdYp9FgEa1uRo6iNxKt3Ms",
});

const found = <T,>(value: T): Promise<T> => Promise.resolve(value);
const refused = (status: number, code: string, text: string): Promise<never> =>
  Promise.reject(new HttpError(status, code, text));
const made = (name: string): Api.NewPasswordData => ({
  user: user(name, "Purchasing", { mustChangePassword: true }),
  password: "k7mf-2xqp-9hta-wd4c",
});

const API: AdminApi = {
  me: () => found(ME),
  users: () => found({ users: [...USERS], total: 214, nextCursor: "next" }),
  user: (id) => found(USERS.find((one) => one.id === id)!),
  connections: (id) =>
    found({
      connections: USERS.find((one) => one.id === id)?.connections
        ? [{ address: "192.0.2.17", connectedAt: now - 1900, takesCalls: true, calls: [] }]
        : [],
      eventStreams: 0,
    }),
  limits: () =>
    found({
      limits: [
        { what: "legs", numberClass: null, used: 1, limit: 12, rule: "MAX_LEGS_PER_USER" },
        { what: "legs_per_day", numberClass: null, used: 37, limit: 500, rule: "MAX_LEGS_PER_DAY" },
        {
          what: "minutes_per_day",
          numberClass: "international",
          used: 60,
          limit: 60,
          rule: "limits.national.minutes_per_day.international",
        },
      ],
    }),
  addUser: ({ name }) => found(made(name)),
  changeUser: ({ name }) =>
    refused(
      412,
      "changed_meanwhile",
      `${name} was changed by somebody else in the meantime. Look at it again, and decide anew.`,
    ),
  renameUser: found,
  lockUser: found,
  resetPassword: ({ name }) => found(made(name)),
  resetSecondFactor: found,
  makeSipPassword: (shown) =>
    found({
      user: { ...shown, sipPassword: true },
      sip: { user: shown.name, realm: "ari-bridge", password: "k7mf2xqp9htawd4cprw8jzm3" },
    }),
  removeSipPassword: found,
  sipRegistrations: () =>
    found({
      known: true,
      reason: null,
      readAt: now,
      registrations: [
        {
          user: "1001",
          contact: "sip:1001@192.0.2.17:5060",
          address: "192.0.2.17",
          transport: "udp",
          userAgent: "Desk phone 7.1",
          expiresAt: now + 300,
        },
      ],
    }),
  signOutUser: found,
  removeUser: () => found(undefined),
  audit: () => found({ entries: [...ENTRIES], nextCursor: "next" }),
  auditCsv: () => found(new Blob()),
  dialPermissions: () => found(PERMISSIONS),
  checkDial: (name, number) =>
    found({
      allowed: !number.startsWith("0900"),
      rule: number.startsWith("0900") ? "national: no rule allows premium" : "national: allow national",
      user: name,
      classOfService: "national",
      dialled: number,
      e164: `+49${number.slice(1)}`,
      country: "DE",
      numberClass: number.startsWith("0900") ? "premium" : "national",
      why: number.startsWith("0900") ? "0900" : "a number of DE",
    }),
  keys: () => found({ keys: [...KEYS] }),
  addKey: ({ label }) => found(madeKey(label)),
  rotateKey: () => found(madeKey("CRM")),
  revokeKey: () => found(undefined),
};

const ME: Api.MeData = {
  user: "1001",
  userId: "usr_1001",
  roles: ["user", "admin"],
  sipPassword: false,
  grants: ["audit:read", "dial", "keys:manage", "monitor:read", "receive", "tokens:create", "users:manage"],
};
const UNREACHABLE: AdminApi = {
  ...API,
  users: () =>
    refused(503, "unavailable", "The users cannot be read or changed now: accounts.db did not answer in time"),
};

type State = { tab: (typeof TABS)[number]; id?: string; api?: AdminApi; signIn?: boolean; grants?: string[] };

export const ADMIN_STATES: Record<string, State> = {
  "admin-users": { tab: "users" },
  "admin-user": { tab: "users", id: "usr_1002" },
  "admin-user-locked": { tab: "users", id: "usr_1003" },
  "admin-user-me": { tab: "users", id: "usr_1001" },
  "admin-user-new": { tab: "users", id: "new" },
  "admin-users-unavailable": { tab: "users", api: UNREACHABLE },
  "admin-dial": { tab: "dial" },
  "admin-audit": { tab: "audit" },
  "admin-keys": { tab: "keys" },
  "admin-key": { tab: "keys", id: "ab_2b8n4c6v1x3z" },
  "admin-key-new": { tab: "keys", id: "new" },
  "admin-without-sign-in": { tab: "dial", signIn: false },
  "admin-forbidden": { tab: "users", grants: ["dial"] },
};

export function adminState(name: string): ReactElement {
  const { tab, id = "", api = API, signIn = true, grants = ME.grants } = ADMIN_STATES[name]!;
  const tabs = tabsOf(grants, signIn);
  return (
    <AdminScreen
      key={name}
      api={api}
      me={{ ...ME, grants }}
      signIn={signIn}
      tabs={tabs}
      place={tabs.includes(tab) ? { tab, id } : null}
      now={NOW}
      onGo={nothing}
      onSignOut={signIn ? nothing : null}
    />
  );
}
