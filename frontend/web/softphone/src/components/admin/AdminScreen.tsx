// The frame of the admin page: its tabs, and the one that is shown. Knows no server: the gallery shows it too.

import { LogOut } from "lucide-react";
import type { Api } from "sip-proxy-client";
import type { AdminApi } from "../../admin/adminApi";
import { hashOf, type Place, type Tab } from "../../admin/tabs";
import { ADMIN, SIGN_OUT, TAB_NAMES } from "../../texts";
import { AuditTab } from "./AuditTab";
import { DialPermissionsTab } from "./DialPermissionsTab";
import { KeysTab } from "./KeysTab";
import { UsersTab } from "./UsersTab";

export interface AdminScreenProps {
  api: AdminApi;
  me: Api.MeData;
  signIn: boolean; // whether the server has sign-in
  tabs: readonly Tab[];
  place: Place | null; // null: there is nothing that one may see
  now?: number; // fixed, for pictures
  onGo(place: Place): void;
  onSignOut: (() => void) | null; // null without sign-in
}

export function AdminScreen({ api, me, signIn, tabs, place, now, onGo, onSignOut }: AdminScreenProps) {
  return (
    <main className="board admin">
      <header className="board-bar">
        <h1>{ADMIN.title}</h1>
        <span className="space" />
        <a className="tool" href="./">
          Softphone
        </a>
        {me.grants.includes("monitor:read") && (
          <a className="tool" href="./dashboard">
            Dashboard
          </a>
        )}
        {onSignOut && (
          <button type="button" className="tool" onClick={onSignOut} aria-label={SIGN_OUT} title={SIGN_OUT}>
            <LogOut size={15} aria-hidden="true" />
          </button>
        )}
      </header>
      {tabs.length > 0 && (
        <nav className="tabs" aria-label={ADMIN.title}>
          {tabs.map((tab) => (
            <a key={tab} href={hashOf({ tab, id: "" })} aria-current={place?.tab === tab ? "page" : undefined}>
              {TAB_NAMES[tab]}
            </a>
          ))}
        </nav>
      )}
      {!signIn && <p className="note">{ADMIN.signInOff}</p>}
      {!place && (
        <p className="note" role="alert" data-testid="message">
          {ADMIN.nothing}
        </p>
      )}
      {place?.tab === "users" && (
        <UsersTab api={api} me={me} chosen={place.id} onChoose={(id) => onGo({ tab: "users", id })} {...{ now }} />
      )}
      {place?.tab === "dial" && <DialPermissionsTab api={api} />}
      {place?.tab === "keys" && (
        <KeysTab api={api} me={me} chosen={place.id} now={now} onChoose={(id) => onGo({ tab: "keys", id })} />
      )}
      {place?.tab === "audit" && <AuditTab api={api} now={now} />}
    </main>
  );
}
