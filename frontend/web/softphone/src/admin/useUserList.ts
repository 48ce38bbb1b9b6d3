// The users that fit the search, a page at a time.

import { useEffect, useState } from "react";
import type { Api } from "sip-proxy-client";
import type { AdminApi, UserQuery } from "./adminApi";
import { useLoaded } from "./useLoaded";

const TYPING_MS = 200;
const REFRESH_MS = 10_000;

export interface UserListState {
  users: readonly Api.UserData[] | null; // null until there is an answer
  total: number;
  error: string;
  more: (() => void) | null; // loads the next page; null if there is none
  reload(): void;
}

export function useUserList(api: AdminApi, query: UserQuery): UserListState {
  const [settled, setSettled] = useState(query);
  const wanted = JSON.stringify(query);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(JSON.parse(wanted) as UserQuery), TYPING_MS);
    return () => clearTimeout(timer);
  }, [wanted]);

  const key = JSON.stringify(settled);
  const [further, setFurther] = useState({ key, count: 0 });
  const pages = further.key === key ? further.count : 0;
  // All that is shown is asked for anew, so that what others change is seen.
  const list = useLoaded(() => allPages(api, settled, pages), `${key} ${pages}`, REFRESH_MS);
  const [shown, setShown] = useState<{ key: string; list: Api.UserList } | null>(null);
  useEffect(() => {
    if (list.value) setShown({ key, list: list.value });
  }, [list.value, key]);
  // While the next page comes, and while one types, what was there stays.
  const current = list.value ?? shown?.list ?? null;
  return {
    users: current?.users ?? null,
    total: current?.total ?? 0,
    error: list.error,
    more: current?.nextCursor ? () => setFurther({ key, count: pages + 1 }) : null,
    reload: list.reload,
  };
}

async function allPages(api: AdminApi, query: UserQuery, further: number): Promise<Api.UserList> {
  let list = await api.users(query);
  for (let page = 0; page < further && list.nextCursor; page++) {
    const next = await api.users(query, list.nextCursor);
    list = { ...next, users: [...list.users, ...next.users] };
  }
  return list;
}
