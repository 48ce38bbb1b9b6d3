import { describe, expect, it } from "vitest";
import type { ServerMessage } from "../protocol/messages.js";
import { connectedParty, type LiveCall, type PhoneState } from "../state/model.js";
import { activeCall, phoneReducer } from "../state/phoneReducer.js";
import { listedCall } from "../state/reconcile.js";
import { having, ringing, seen, talking } from "../testing/calls.js";

const told = (state: PhoneState, ...messages: ServerMessage[]): LiveCall | null =>
  activeCall(messages.reduce((now, message) => phoneReducer(now, { type: "server", message, at: 3000 }), state));
const party = (number: string, name = ""): ServerMessage => ({
  type: "party",
  callId: "c1",
  party: 1,
  number,
  name,
  state: "accepted",
});

describe("who is talked to", () => {
  it("is who was dialled until the server tells otherwise, and both are kept", () => {
    const call = told(having(talking()), party("7002", "Workshop"))!;
    expect([call.number, call.name, call.connected]).toEqual(["600", "Echo", { number: "7002", name: "Workshop" }]);
    expect(connectedParty(call)).toEqual({ number: "7002", name: "Workshop" });
  });

  it("is told by a state, by the list of calls, and by a call that rings anew", () => {
    const base = {
      callId: "c1",
      direction: "outbound",
      target: "600",
      caller: "1001",
      connectedNumber: "7002",
      connectedName: "Workshop",
    } as const;
    expect(connectedParty(told(having(talking()), { type: "state", state: "accepted", at: 1, ...base })!).name).toBe(
      "Workshop",
    );
    const summary = {
      ...base,
      state: "accepted",
      callerName: "",
      createdAt: 1,
      heldByFar: false,
      here: true,
      attached: true,
    } as const;
    expect(listedCall(summary, { toPage: (at) => at }, () => "").connected).toEqual({
      number: "7002",
      name: "Workshop",
    });
    const anew = { type: "incoming-call", callId: "c1", caller: "7001", callerName: "Desk", target: "1001" } as const;
    const rings = told(having(ringing("c1")), anew, { ...anew, connectedNumber: "7002", connectedName: "Workshop" })!;
    expect([rings.number, connectedParty(rings).number]).toEqual(["7001", "7002"]);
  });

  it("stays the same call where that is no news", () => {
    const state = having(talking());
    const call = state.calls[0]!;
    expect(
      told(state, {
        type: "state",
        callId: "c1",
        state: "accepted",
        direction: "outbound",
        target: "600",
        caller: "1",
        at: 1,
      })?.connected,
    ).toBe(call.connected);
    expect(told(state, party("600"))?.connected).toBeNull();
    expect(
      phoneReducer(having(ringing("c1")), {
        type: "server",
        message: { type: "incoming-call", callId: "c1", caller: "7001", callerName: "Desk", target: "" },
        at: 1,
      }).calls[0],
    ).toEqual(ringing("c1"));
  });

  it("is seen again after a time in which nobody told this page", () => {
    const state = phoneReducer(having(talking()), {
      type: "listed",
      id: "c1",
      first: true,
      listed: seen({ connected: { number: "7002", name: "Workshop" } }),
    });
    expect(connectedParty(activeCall(state)!).name).toBe("Workshop");
  });

  it("is one of several where others are in the call", () => {
    const others = {
      parties: [
        { party: 1, number: "7002", name: "", state: "accepted" as const },
        { party: 2, number: "602", name: "", state: "accepted" as const },
      ],
    };
    expect(connectedParty(talking({ ...others, connected: { number: "7002", name: "Workshop" } })).number).toBe("7002");
    expect(connectedParty(talking({ parties: others.parties.slice(1) })).number).toBe("602"); // the last one left
  });
});
