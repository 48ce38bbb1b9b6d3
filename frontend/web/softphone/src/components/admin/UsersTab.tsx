// Users: a list that is searched, and beside it the one that is chosen, or a new one.

import { Plus, Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Api } from "sip-proxy-client";
import type { AdminApi, Role, UserQuery } from "../../admin/adminApi";
import { useLoaded } from "../../admin/useLoaded";
import { useUserList } from "../../admin/useUserList";
import { ADMIN, countOf, ROLES, secretOfUser, USERS } from "../../texts";
import { NewUserForm } from "./NewUserForm";
import { SecretDialog, type ShownSecret } from "./SecretDialog";
import { UserPanel } from "./UserPanel";
import { UserTags } from "./UserTags";

export interface UsersTabProps {
  api: AdminApi;
  me: Api.MeData;
  chosen: string; // an id, "new", or ""
  now: number | undefined;
  onChoose(id: string): void;
}

export function UsersTab({ api, me, chosen, now, onChoose }: UsersTabProps) {
  const [query, setQuery] = useState<UserQuery>({ search: "", role: "", locked: false });
  const list = useUserList(api, query);
  const classes = useLoaded(() => api.dialPermissions(), "");
  const [secret, setSecret] = useState<ShownSecret | null>(null);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as HTMLElement).matches("input, select, textarea")) return;
      search.current?.focus();
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  const names = classes.value?.classes.map(({ name }) => name) ?? [];
  const created = (made: Api.NewPasswordData): void => {
    setSecret(secretOfUser(made));
    list.reload();
    onChoose(made.user.id);
  };
  return (
    <div className={chosen ? "split split-chosen" : "split"}>
      <section className="panel" aria-label="Users">
        <div className="panel-head users-head">
          <label className="filter">
            <Search size={15} aria-hidden="true" />
            <input
              ref={search}
              type="search"
              value={query.search}
              onChange={(event) => setQuery({ ...query, search: event.target.value })}
              placeholder={USERS.search}
              aria-label={USERS.search}
              title="/"
              spellCheck={false}
              maxLength={80}
            />
          </label>
          <select
            value={query.role}
            onChange={(event) => setQuery({ ...query, role: event.target.value as Role | "" })}
            aria-label={USERS.roles}
          >
            <option value="">{USERS.anyRole}</option>
            {Object.keys(ROLES).map((role) => (
              <option key={role} value={role}>
                {role}
              </option>
            ))}
          </select>
          <button
            type="button"
            className="tool"
            aria-pressed={query.locked}
            onClick={() => setQuery({ ...query, locked: !query.locked })}
          >
            {USERS.lockedOnly}
          </button>
          <button type="button" className="tool tool-main" onClick={() => onChoose("new")}>
            <Plus size={15} aria-hidden="true" />
            {USERS.add}
          </button>
        </div>
        {list.error && (
          <p className="fault-line" role="alert">
            {list.error}
          </p>
        )}
        <ul className="rows list" aria-label="Users">
          {list.users?.map((user) => (
            <li key={user.id}>
              <button
                type="button"
                className="row"
                aria-current={user.id === chosen ? "true" : undefined}
                onClick={() => onChoose(user.id)}
              >
                <span className="row-main">
                  <b>
                    {user.name} {user.displayName && <small>{user.displayName}</small>}
                  </b>
                  <span className="row-more">
                    {user.roles.join(", ")} · {user.effectiveClass}
                  </span>
                </span>
                <UserTags user={user} />
              </button>
            </li>
          ))}
          {list.users?.length === 0 && <li className="list-note">{USERS.none}</li>}
          {!list.users && !list.error && <li className="list-note">{ADMIN.loading}</li>}
          {list.more && (
            <li className="list-note">
              <button type="button" className="tool" onClick={list.more}>
                {USERS.more}
              </button>
            </li>
          )}
        </ul>
        <p className="panel-foot" role="status">
          {list.users ? `${countOf(list.users.length, list.total)} ${list.total === 1 ? "user" : "users"}. ` : ""}
          {ADMIN.oneTenant}
        </p>
      </section>
      <section className="panel panel-chosen" aria-label={chosen === "new" ? USERS.add : "The chosen user"}>
        {chosen === "new" ? (
          <NewUserForm api={api} classes={names} onCreated={created} onCancel={() => onChoose("")} />
        ) : chosen ? (
          <UserPanel
            key={chosen}
            api={api}
            id={chosen}
            me={me}
            classes={names}
            now={now}
            onSecret={setSecret}
            onChanged={list.reload}
            onClose={() => onChoose("")}
          />
        ) : (
          <p className="panel-empty">{USERS.choose}</p>
        )}
      </section>
      {secret && <SecretDialog secret={secret} onClose={() => setSecret(null)} />}
    </div>
  );
}
