import { beforeEach, describe, expect, it } from "vitest";
import type { ClientMessage } from "../protocol/messages.js";
import type { PhoneState, ReleaseMode } from "../state/model.js";
import { activeCall, callsToHold, findCall, phoneReducer } from "../state/phoneReducer.js";
import { having, ringing, talking } from "../testing/calls.js";
import { CallCommands } from "./CallCommands.js";

let state: PhoneState;
let sent: ClientMessage[];
let released: Map<string, ReleaseMode>;
let reachable: boolean;
let commands: CallCommands;

beforeEach(() => {
  [sent, released, reachable] = [[], new Map(), true];
  state = having(talking(), talking({ id: "c2", number: "7002", name: "Lena", held: true }), ringing("c3"));
  commands = new CallCommands({
    state: () => state,
    dispatch: (event) => (state = phoneReducer(state, event)),
    send: (message) => reachable && (sent.push(message), true),
    nameOf: (number) => `name of ${number}`,
    released,
  });
});

describe("a command", () => {
  it.each<[string, () => void, ClientMessage]>([
    ["hold", () => commands.hold("c1", true), { type: "hold", callId: "c1", held: true }],
    ["transfer", () => commands.transfer("c1", " 7003 "), { type: "transfer", callId: "c1", target: "7003" }],
    ["connect", () => commands.connect("c2", "c1"), { type: "transfer", callId: "c2", toCallId: "c1" }],
    ["add", () => commands.addParty("c1", "7003"), { type: "add-party", callId: "c1", target: "7003" }],
    ["merge", () => commands.merge("c1", "c2"), { type: "add-party", callId: "c1", fromCallId: "c2" }],
    ["drop", () => commands.dropParty("c1", 2), { type: "drop-party", callId: "c1", party: 2 }],
    ["record", () => commands.record("c1", "start"), { type: "record", callId: "c1", action: "start" }],
  ])("is said to the server: %s", (_, press, message) => {
    press();
    expect(sent).toEqual([message]);
  });

  it("is shown at once", () => {
    commands.transfer("c1", "7003");
    expect(activeCall(state)?.transferring).toEqual({ number: "7003", name: "name of 7003" });
  });

  it.each<[string, () => void]>([
    ["of a call that rings", () => commands.hold("c3", true)],
    ["of a call that is not there", () => commands.hold("c9", true)],
    ["to nobody", () => commands.transfer("c1", "  ")],
    ["with a call that rings", () => commands.merge("c1", "c3")],
    ["for somebody who has no number yet", () => commands.dropParty("c1", 0)],
  ])("that makes no sense is none: %s", (_, press) => {
    const before = state;
    press();
    expect([sent, state]).toEqual([[], before]);
  });

  it("that nobody hears is not shown, but for a hold, which is said again later", () => {
    reachable = false;
    commands.transfer("c1", "7003");
    expect(activeCall(state)?.transferring).toBeNull();
    commands.hold("c1", true);
    expect(activeCall(state)).toMatchObject({ held: true, pending: { kind: "hold", held: true } });
  });
});

it("a swap takes the other call back; what was talked on is to be held", () => {
  commands.swap("c2");
  expect([activeCall(state)?.id, activeCall(state)?.held, callsToHold(state).map(({ id }) => id)]).toEqual([
    "c2",
    false,
    ["c1"],
  ]);
  expect(sent).toEqual([{ type: "hold", callId: "c2", held: false }]);
});

it("a transfer is taken back by letting go of who is called", () => {
  commands.cancelTransfer("c1");
  expect(sent).toEqual([]);
  state = having(
    talking({
      transferring: { number: "7003", name: "" },
      parties: [
        { party: 1, number: "600", name: "", state: "accepted" },
        { party: 2, number: "7003", name: "", state: "ringing" },
      ],
    }),
  );
  commands.cancelTransfer("c1");
  expect(sent).toEqual([{ type: "drop-party", callId: "c1", party: 2 }]);
});

it("who leaves has done with the call, though it goes on", () => {
  commands.leave("c1");
  expect([[...released].map(([id, how]) => `${how} ${id}`), findCall(state, "c1"), state.lastEndedCall?.id]).toEqual([
    ["leave c1"],
    null,
    "c1",
  ]);
});
