// What the page draws: the client's state, and this page's own.

import type { ClientState } from "sip-proxy-client";
import type { HistoryEntry } from "./history";
import type { NotificationState } from "./notifications";

export interface Snapshot extends ClientState {
  notifications: NotificationState; // of calls, while the page is hidden
  ringsHere: boolean; // this page rings, not another one of the browser
  history: readonly HistoryEntry[];
  missedCount: number; // parties that called in vain since the list was looked at
  hasOlderCalls: boolean; // the server has more calls than are listed
}
