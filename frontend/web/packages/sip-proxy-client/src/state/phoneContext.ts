// What each part of the phone shares: the state of the calls, the way to change it, and the way to the server.

import type { ClientMessage } from "../protocol/messages.js";
import type { PhoneAction, PhoneState } from "./model.js";

export interface PhoneContext {
  state(): PhoneState;
  dispatch(action: PhoneAction): void;
  send(message: ClientMessage): boolean; // false: there is no connection, and the message is not kept
}
