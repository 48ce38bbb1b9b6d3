// Everything that a client knows at one moment, as one immutable value: what a page draws.

import type { PhoneState, Quality } from "./model.js";
import type { QualityWarning } from "../protocol/messages.js";
import type { LinkStatus } from "../signaling/SignalingClient.js";
import { UNATTENDED, type Attended } from "./userState.js";
import { NO_DEVICES, type DeviceState } from "../devices/DeviceManager.js";
import { IDLE } from "./phoneReducer.js";

export interface Snapshot extends PhoneState, DeviceState {
  link: LinkStatus;
  linkLostAt: number | null; // Unix milliseconds; null where the link is not lost
  registered: boolean; // calls ring here
  signedOut: string | null; // why the server takes our sign-in no more: calls that stand go on, `updateToken` begins anew
  soundBlocked: boolean; // the browser plays nothing until somebody presses something
  quality: Quality | null; // of the active call; null until it has had media
  warnings: readonly QualityWarning[]; // of the active call, that stand now
  attended: Attended; // people, voicemail, and what is done with calls
}

export const NOTHING_YET: Snapshot = {
  ...IDLE, ...NO_DEVICES, link: "connecting", linkLostAt: null, registered: false, signedOut: null, soundBlocked: false, quality: null, warnings: [], attended: UNATTENDED,
};
