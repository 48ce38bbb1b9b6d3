// What a client emits, with the arguments of each event.

import type { Devices } from "./devices/Microphone.js";
import type { SIPProxyError } from "./errors.js";
import type { Session } from "./http/HttpApi.js";
import type { PastCall } from "./http/pastCalls.js";
import type { SIPProxyCall } from "./SIPProxyCall.js";
import type { Snapshot } from "./state/snapshot.js";

export interface ClientEvents {
  registering: [];
  registered: []; // calls ring here from now on
  unregistered: [];
  incoming: [call: SIPProxyCall];
  resumed: [call: SIPProxyCall]; // a call from before the page was loaded, or one that was taken over from another page
  tokenWillExpire: [seconds: number]; // bring another one by `updateToken`; not emitted if the client can get one itself
  tokenRefreshed: [session: Session]; // the tokens of `credentials` were exchanged: store these in their place
  devicesChanged: [devices: Devices];
  soundBlocked: [blocked: boolean]; // the browser plays no sound until the user interacts with the page
  pastCall: [call: PastCall]; // a call of this user has ended, on any device
  error: [error: SIPProxyError];
  stateChanged: [state: Snapshot]; // after all other events of the same change
}
