// What the page is shown of the phone, and what the phone is given by the page.

import type { Quality } from "../media/quality";
import type { QualityWarning } from "../messages";
import type { PhoneBookEntry, Session } from "../signalling/http";
import type { LinkStatus } from "../signalling/link";
import type { Attended } from "./attended";
import type { DeviceState } from "./devices";
import type { HistoryEntry } from "./history";
import type { PhoneState } from "./state";

export interface Snapshot extends PhoneState, DeviceState {
  link: LinkStatus;
  linkLostAt: number | null; // Unix milliseconds; null where the link is not lost
  registered: boolean;
  aloud: boolean; // this page rings, not another one of this browser
  soundBlocked: boolean; // the browser plays nothing until somebody presses something
  quality: Quality | null; // of the active call; null until it has had media
  warnings?: readonly QualityWarning[]; // of the active call, that stand now
  history: readonly HistoryEntry[];
  attended: Attended;
}

export interface SoftphoneOptions {
  url: string; // of the WebSocket
  session: Session;
  phoneBook: readonly PhoneBookEntry[];
  relayOnly?: boolean; // see `Reach`
  onSignedOut(reason: string): void; // the server takes this sign-in no more
}
