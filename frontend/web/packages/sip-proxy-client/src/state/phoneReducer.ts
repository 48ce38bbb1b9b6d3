// All calls of the page, and how they change. Pure: no clock, no browser, no I/O.
//
// One live call is active: it is on the stage, it is talked on and heard. Every other one that talks is on hold by us.

import type { IncomingCall, ServerMessage } from "../protocol/messages.js";
import {
  connect, connectedOf, fresh, isLive, seenThere, type Call, type CallEvent, type CallMessage, type CallSeen, type LiveCall, type Phase, type PhoneEvent, type PhoneState,
} from "./model.js";
import { stepCall } from "./callReducer.js";
import { correctedEnd, isOfACall } from "./serverMessages.js";

export const IDLE: PhoneState = { calls: [], activeId: null, over: null, elsewhere: [] };

/** How many calls a page has at once: more than can be kept apart by anybody. */
export const MAX_CALLS = 3;

export const findCall = (state: PhoneState, id: string): LiveCall | null => state.calls.find((call) => call.id === id) ?? null;

export const activeOf = (state: PhoneState): LiveCall | null => (state.activeId === null ? null : findCall(state, state.activeId));

/** What the stage is about: the active call, or how the last one ended. */
export const shownOf = (state: PhoneState): Call | null => activeOf(state) ?? state.over;

export const phaseOf = (state: PhoneState): Phase => shownOf(state)?.phase ?? "idle";

/** Who rings while the stage is another call's. */
export const waitingOf = (state: PhoneState): LiveCall | null => state.calls.find(({ id, phase }) => phase === "incoming" && id !== state.activeId) ?? null;

/** The calls beside the active one that a person can go back to. */
export const asideOf = (state: PhoneState): LiveCall[] => state.calls.filter(({ id, phase }) => phase !== "incoming" && id !== state.activeId);

/** The calls that talk though another one is active: they are to be held. One that is being given away is not ours to hold. */
export function toHold(state: PhoneState): LiveCall[] {
  return asideOf(state).filter(({ phase, held, transferring }) => phase === "accepted" && !held && transferring === null);
}

export function canDial(state: PhoneState): boolean {
  return state.calls.filter(({ phase }) => phase !== "incoming").length < MAX_CALLS;
}

export function step(state: PhoneState, event: PhoneEvent): PhoneState {
  switch (event.type) {
    case "dialled": {
      if (!canDial(state) || findCall(state, event.id)) return state;
      const call = { ...fresh(event.id, "outbound", event.number, event.name, "connecting", event.at), consults: event.consults ?? null, ownSound: event.ownSound ?? false };
      return { ...state, calls: [...state.calls, call as LiveCall], activeId: event.id, over: null };
    }
    case "activated":
      return state.activeId === event.id || !findCall(state, event.id) ? state : { ...state, activeId: event.id, over: null };
    case "accept-pressed": {
      const next = change(state, event.id, event);
      return next === state ? state : { ...next, activeId: event.id, over: null };
    }
    case "asked": {
      const next = change(state, event.id, event);
      return next === state || next.over === null ? next : { ...next, over: null };
    }
    case "dismissed":
      return dismissed(state);
    case "returned":
      return returned(state, event.call);
    case "elsewhere":
      return event.seen === state.elsewhere || (event.seen.length === 0 && state.elsewhere.length === 0) ? state : { ...state, elsewhere: event.seen };
    case "lost-to":
      if (!findCall(state, event.seen.id)) return state;
      return { ...without(state, event.seen.id), elsewhere: [...others(state.elsewhere, event.seen.id), event.seen] };
    case "forgotten":
      return findCall(state, event.id) ? without(state, event.id) : state;
    case "server":
      return fromServer(state, event.message, event.at);
    default:
      return change(state, event.id, event);
  }
}

function fromServer(state: PhoneState, message: ServerMessage, at: number): PhoneState {
  if (message.type === "incoming-call") return rings(state, message, at);
  if (message.type === "taken-over") {
    const call = findCall(state, message.callId);
    const seen = call && seenThere(call);
    return seen ? step(state, { type: "lost-to", seen }) : state;
  }
  if (!isOfACall(message)) return state;
  if (message.type === "state" && message.state === "ended" && state.over?.id === message.callId) {
    return { ...state, over: correctedEnd(state.over, message) };
  }
  const id = message.callId ?? beginning(state, message);
  return id === null ? state : change(state, id, { type: "told", message, at });
}

/** A refusal without a call's name is that of the call that was just begun. */
function beginning(state: PhoneState, message: CallMessage): string | null {
  return message.type === "error" ? (state.calls.findLast(({ phase }) => phase === "connecting")?.id ?? null) : null;
}

function rings(state: PhoneState, message: IncomingCall, at: number): PhoneState {
  const { callId, caller, callerName } = message;
  const connected = connectedOf(message);
  const known = findCall(state, callId);
  if (known) { // it rings, and may be told anew: for another caller, or on another connection
    const same = connect(known, connected);
    return same === known ? state : { ...state, calls: state.calls.map((call) => (call === known ? same : call)) };
  }
  const call = { ...fresh(callId, "inbound", caller, callerName, "incoming", at), connected } as LiveCall;
  const free = state.calls.length === 0;
  return { ...state, calls: [...state.calls, call], activeId: free ? callId : state.activeId, over: free ? null : state.over };
}

function dismissed(state: PhoneState): PhoneState {
  const active = activeOf(state);
  if (active?.trouble) return { ...state, calls: state.calls.map((call) => (call === active ? { ...call, trouble: null } : call)) };
  return state.over ? { ...state, over: null } : state;
}

/** A call that is not held is the one that is talked on. */
function returned(state: PhoneState, call: Call): PhoneState {
  if (!isLive(call)) return state;
  const active = activeOf(state);
  const calls = findCall(state, call.id) ? state.calls.map((known) => (known.id === call.id ? call : known)) : [...state.calls, call];
  const activeId = active && (!active.held || call.held) ? active.id : call.id;
  return { calls, activeId, over: null, elsewhere: others(state.elsewhere, call.id) };
}

function change(state: PhoneState, id: string, event: CallEvent): PhoneState {
  const call = findCall(state, id);
  if (!call) return state;
  const next = stepCall(call, event);
  if (next === call) return state;
  if (!isLive(next)) return { ...without(state, id), over: next };
  return { ...state, calls: state.calls.map((known) => (known.id === id ? next : known)) };
}

/** Without this call. Who rings comes next, then who talks, then the oldest that is on hold: it stays so until somebody presses. */
function without(state: PhoneState, id: string): PhoneState {
  const calls = state.calls.filter((call) => call.id !== id);
  if (state.activeId !== id) return { ...state, calls };
  const next = calls.find(({ phase }) => phase === "incoming") ?? calls.find(({ held }) => !held) ?? calls[0];
  return { ...state, calls, activeId: next?.id ?? null };
}

const others = (list: readonly CallSeen[], id: string): readonly CallSeen[] => (list.some((seen) => seen.id === id) ? list.filter((seen) => seen.id !== id) : list);
