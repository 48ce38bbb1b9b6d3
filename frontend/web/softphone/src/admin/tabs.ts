// Which tabs somebody has, and the address of what is shown: `#users/usr_1f`. Pure.

export const TABS = ["users", "dial", "keys", "audit"] as const;
export type Tab = (typeof TABS)[number];

/** The right that each of them needs. */
const GRANTS: Record<Tab, string> = {
  users: "users:manage",
  dial: "users:manage",
  keys: "keys:manage",
  audit: "audit:read",
};

/** Without sign-in there are no users, and keys open nothing. */
export const tabsOf = (grants: readonly string[], signIn: boolean): Tab[] =>
  TABS.filter((tab) => grants.includes(GRANTS[tab]) && (signIn || (tab !== "users" && tab !== "keys")));

export interface Place {
  tab: Tab;
  id: string; // of what is chosen in the tab; "" for nothing, "new" for what is being made
}

/** What the address names, as far as one may see it; else the first tab. */
export function placeOf(hash: string, tabs: readonly Tab[]): Place | null {
  const [name = "", id = ""] = hash.replace(/^#/, "").split("/");
  const tab = tabs.find((each) => each === name);
  if (tab) return { tab, id: decodeURIComponent(id) };
  return tabs[0] ? { tab: tabs[0], id: "" } : null;
}

export const hashOf = ({ tab, id }: Place): string => (id ? `#${tab}/${encodeURIComponent(id)}` : `#${tab}`);
