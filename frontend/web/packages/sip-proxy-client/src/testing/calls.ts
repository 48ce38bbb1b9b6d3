// Calls for tests.

import { type ListedCall, type LiveCall, newCall, type PhoneState, resumedCall } from "../state/model.js";
import { IDLE_PHONE } from "../state/phoneReducer.js";

/** As a list shows a call that talks. */
export const seen = (values: Partial<ListedCall> = {}): ListedCall => ({
  id: "c1",
  direction: "outbound",
  number: "600",
  name: "Echo",
  connected: null,
  phase: "accepted",
  startedAt: 1000,
  acceptedAt: 2000,
  held: false,
  heldByFar: false,
  parties: [],
  transferring: null,
  recording: "off",
  here: true,
  attached: true,
  ...values,
});

/** A call of the page that talks. */
export const talking = (values: Partial<LiveCall> = {}): LiveCall =>
  ({ ...resumedCall(seen({ id: values.id ?? "c1" })), media: "connected", ...values }) as LiveCall;

export const ringing = (id: string): LiveCall => newCall(id, "inbound", "7001", "Desk", "incoming", 1000) as LiveCall;

/** The first of these calls is active. */
export const having = (...calls: LiveCall[]): PhoneState => ({ ...IDLE_PHONE, calls, activeId: calls[0]?.id ?? null });
