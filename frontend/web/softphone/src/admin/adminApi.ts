// What the admin page asks of the server. The gallery has one of its own, with fixed data.

import { type Api, type HttpApi, HttpError } from "sip-proxy-client";
import { NO_ANSWER } from "../texts";

export type Role = Api.UserData["roles"][number];

export const PAGE_SIZE = 100;

export interface UserQuery {
  search: string;
  role: Role | "";
  locked: boolean;
}

/** Names are whole; "" for all. */
export interface AuditQuery {
  actor: string;
  object: string;
  result: string;
}

export interface AdminApi {
  me(): Promise<Api.MeData>;
  users(query: UserQuery, cursor?: string | null): Promise<Api.UserList>;
  user(id: string): Promise<Api.UserData>;
  connections(id: string): Promise<Api.UserConnections>;
  limits(id: string): Promise<Api.UserLimits>;
  addUser(user: Api.NewUser): Promise<Api.NewPasswordData>;
  changeUser(user: Api.UserData, settings: Api.UserSettings): Promise<Api.UserData>;
  renameUser(user: Api.UserData, name: string): Promise<Api.UserData>;
  lockUser(user: Api.UserData, locked: boolean): Promise<Api.UserData>;
  resetPassword(user: Api.UserData): Promise<Api.NewPasswordData>;
  resetSecondFactor(user: Api.UserData): Promise<Api.UserData>;
  makeSipPassword(user: Api.UserData): Promise<Api.UserWithSipPassword>;
  removeSipPassword(user: Api.UserData): Promise<Api.UserData>;
  sipRegistrations(): Promise<Api.SipRegistrations>;
  signOutUser(user: Api.UserData): Promise<Api.UserData>;
  removeUser(user: Api.UserData): Promise<void>;
  dialPermissions(): Promise<Api.DialPermissionsData>;
  checkDial(user: string, number: string): Promise<Api.DialCheckData>;
  keys(): Promise<Api.KeyList>;
  addKey(key: Api.NewKey): Promise<Api.KeyWithSecret>;
  rotateKey(id: string, overlapSeconds: number): Promise<Api.KeyWithSecret>;
  revokeKey(id: string): Promise<void>;
  audit(query: AuditQuery, cursor?: string | null): Promise<Api.AuditPage>;
  auditCsv(query: AuditQuery): Promise<Blob>;
}

/** `onSignedOut`: the sign-in has ended; why, in words. */
export function adminApi(http: HttpApi, onSignedOut: (reason: string) => void): AdminApi {
  const ask = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof HttpError && error.status === 401) onSignedOut(error.message);
      throw error;
    }
  };
  const read = <T>(path: string): Promise<T> => ask(http.request<T>(path));
  // A change is made to the user as seen here: the server refuses it if somebody else was quicker.
  const change = <T>(method: string, user: Api.UserData, part: string, body?: object): Promise<T> =>
    ask(
      http.request<T>(`/users/${user.id}${part}`, {
        method,
        headers: { "If-Match": `"${user.revision}"`, ...(body ? { "Content-Type": "application/json" } : {}) },
        body: body ? JSON.stringify(body) : null,
      }),
    );
  return {
    me: () => read("/me"),
    users: (query, cursor) => read(`/users?${queryOf(query, cursor)}`),
    user: (id) => read(`/users/${id}`),
    connections: (id) => read(`/users/${id}/connections`),
    limits: (id) => read(`/users/${id}/limits`),
    addUser: (user) => ask(http.post("/users", user)),
    changeUser: (user, settings) => change("PUT", user, "", settings),
    renameUser: (user, name) => change("PUT", user, "/name", { name }),
    lockUser: (user, locked) => change("PUT", user, "/lock", { locked }),
    resetPassword: (user) => change("POST", user, "/password"),
    resetSecondFactor: (user) => change("DELETE", user, "/second-factor"),
    makeSipPassword: (user) => change("POST", user, "/sip-password"),
    removeSipPassword: (user) => change("DELETE", user, "/sip-password"),
    sipRegistrations: () => read("/sip-registrations"),
    signOutUser: (user) => change("DELETE", user, "/sessions"),
    removeUser: async (user) => {
      const headers = { "If-Match": `"${user.revision}"` };
      await ask(http.fetch(`/users/${user.id}`, { method: "DELETE", headers }));
    },
    dialPermissions: () => read("/dial-permissions"),
    checkDial: (user, number) => read(`/dial-permissions/check?${new URLSearchParams({ user, number })}`),
    keys: () => read("/keys"),
    addKey: (key) => ask(http.post("/keys", key)),
    rotateKey: (id, overlapSeconds) => ask(http.post(`/keys/${id}/rotate`, { overlapSeconds })),
    revokeKey: async (id) => {
      await ask(http.fetch(`/keys/${id}`, { method: "DELETE" }));
    },
    audit: (query, cursor) => read(`/audit?${auditQueryOf(query, cursor)}`),
    auditCsv: async (query) => (await ask(http.fetch(`/audit.csv?${auditQueryOf(query)}`))).blob(),
  };
}

export function queryOf({ search, role, locked }: UserQuery, cursor?: string | null): URLSearchParams {
  const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
  if (search.trim()) query.set("search", search.trim());
  if (role) query.set("role", role);
  if (locked) query.set("locked", "true");
  if (cursor) query.set("cursor", cursor);
  return query;
}

export function auditQueryOf(query: AuditQuery, cursor?: string | null): URLSearchParams {
  const given = Object.entries(query).map(([name, value]) => [name, value.trim()]);
  const wanted = new URLSearchParams(given.filter(([, value]) => value));
  if (cursor) wanted.set("cursor", cursor);
  return wanted;
}

/** What went wrong, in a sentence: the server's own where there is one. */
export const errorText = (error: unknown): string => (error instanceof HttpError ? error.message : NO_ANSWER);

/** The server's code, "" without an answer. */
export const codeOf = (error: unknown): string => (error instanceof HttpError ? error.code : "");
