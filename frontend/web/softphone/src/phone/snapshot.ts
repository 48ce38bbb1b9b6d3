// What the page draws: all that the client knows, and what this page has beside it.

import type { ClientState } from "sip-proxy-client";
import type { HistoryEntry } from "./history";
import type { NotificationState } from "./notifications";

export interface Snapshot extends ClientState {
  notifications: NotificationState; // of calls, while the page is out of sight
  ringsHere: boolean; // this page rings, not another one of this browser
  history: readonly HistoryEntry[];
  missedCount: number; // parties that called in vain since the list was looked at
  hasOlderCalls: boolean; // the server has more calls than are listed
}
