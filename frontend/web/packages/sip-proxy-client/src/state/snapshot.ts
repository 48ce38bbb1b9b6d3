// Everything that a client knows at one moment, as one immutable value: what a page draws.

import { type DeviceState, NO_DEVICES } from "../devices/DeviceManager.js";
import type { QualityWarning } from "../protocol/messages.js";
import type { LinkStatus } from "../signaling/SignalingClient.js";
import type { PhoneState, Quality } from "./model.js";
import { IDLE_PHONE } from "./phoneReducer.js";
import { INITIAL_USER_STATE, type UserState } from "./userState.js";

export interface Snapshot extends PhoneState, DeviceState {
  link: LinkStatus;
  linkLostAt: number | null; // Unix milliseconds; null unless the link is lost
  registered: boolean; // calls ring here
  signedOut: string | null; // why the server does not accept the sign-in any more; existing calls continue, and `updateToken` signs in again
  soundBlocked: boolean; // the browser plays no sound until the user interacts with the page
  quality: Quality | null; // of the active call; null until it has had media
  warnings: readonly QualityWarning[]; // of the active call, that are raised now
  userState: UserState; // people, voicemail, and what is done with calls
}

export const INITIAL_STATE: Snapshot = {
  ...IDLE_PHONE,
  ...NO_DEVICES,
  link: "connecting",
  linkLostAt: null,
  registered: false,
  signedOut: null,
  soundBlocked: false,
  quality: null,
  warnings: [],
  userState: INITIAL_USER_STATE,
};
