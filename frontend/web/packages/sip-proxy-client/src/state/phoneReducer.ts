// All calls of the page, and how they change. Pure: no clock, no browser, no I/O.
//
// One live call is active: it is displayed, and heard. Every other accepted call is on hold by us.

import type { IncomingCall, ServerMessage } from "../protocol/messages.js";
import { callReducer } from "./callReducer.js";
import {
  type Call,
  type CallAction,
  type CallMessage,
  connectedPerson,
  isLive,
  type ListedCall,
  type LiveCall,
  newCall,
  type Phase,
  type PhoneAction,
  type PhoneState,
  takenCall,
  withConnected,
} from "./model.js";
import { correctEnd, isCallMessage } from "./serverMessages.js";

export const IDLE_PHONE: PhoneState = { calls: [], activeId: null, lastEndedCall: null, otherDeviceCalls: [] };

/** How many calls a page can have at once. */
export const MAX_CALLS = 3;

export const findCall = (state: PhoneState, id: string): LiveCall | null =>
  state.calls.find((call) => call.id === id) ?? null;

export const activeCall = (state: PhoneState): LiveCall | null =>
  state.activeId === null ? null : findCall(state, state.activeId);

/** What the stage is about: the active call, or how the last one ended. */
export const displayedCall = (state: PhoneState): Call | null => activeCall(state) ?? state.lastEndedCall;

export const displayedPhase = (state: PhoneState): Phase => displayedCall(state)?.phase ?? "idle";

/** A call that rings while another one is displayed. */
export const waitingCall = (state: PhoneState): LiveCall | null =>
  state.calls.find(({ id, phase }) => phase === "incoming" && id !== state.activeId) ?? null;

/** The calls besides the active one that a user can return to. */
export const otherCalls = (state: PhoneState): LiveCall[] =>
  state.calls.filter(({ id, phase }) => phase !== "incoming" && id !== state.activeId);

/** Accepted calls besides the active one that are not on hold yet. A call that is being transferred cannot be held. */
export function callsToHold(state: PhoneState): LiveCall[] {
  return otherCalls(state).filter(
    ({ phase, held, transferring }) => phase === "accepted" && !held && transferring === null,
  );
}

export function canDial(state: PhoneState): boolean {
  return state.calls.filter(({ phase }) => phase !== "incoming").length < MAX_CALLS;
}

export function phoneReducer(state: PhoneState, action: PhoneAction): PhoneState {
  switch (action.type) {
    case "dialled": {
      if (!canDial(state) || findCall(state, action.id)) return state;
      const call: Call = {
        ...newCall(action.id, "outbound", action.number, action.name, "connecting", action.at),
        consultsId: action.consultsId ?? null,
        customAudio: action.customAudio ?? false,
      };
      return { ...state, calls: [...state.calls, call as LiveCall], activeId: action.id, lastEndedCall: null };
    }
    case "activated":
      return state.activeId === action.id || !findCall(state, action.id)
        ? state
        : { ...state, activeId: action.id, lastEndedCall: null };
    case "accept-pressed": {
      const next = updateCall(state, action.id, action);
      return next === state ? state : { ...next, activeId: action.id, lastEndedCall: null };
    }
    case "requested": {
      const next = updateCall(state, action.id, action);
      return next === state || next.lastEndedCall === null ? next : { ...next, lastEndedCall: null };
    }
    case "last-call-cleared":
      return clearLastCall(state);
    case "resumed":
      return resumeCall(state, action.call);
    case "other-device-calls":
      return action.calls === state.otherDeviceCalls ||
        (action.calls.length === 0 && state.otherDeviceCalls.length === 0)
        ? state
        : { ...state, otherDeviceCalls: action.calls };
    case "taken-over":
      if (!findCall(state, action.call.id)) return state;
      return {
        ...withoutCall(state, action.call.id),
        otherDeviceCalls: [...withoutListed(state.otherDeviceCalls, action.call.id), action.call],
      };
    case "call-unknown":
      return findCall(state, action.id) ? withoutCall(state, action.id) : state;
    case "server":
      return onServerMessage(state, action.message, action.at);
    default:
      return updateCall(state, action.id, action);
  }
}

function onServerMessage(state: PhoneState, message: ServerMessage, at: number): PhoneState {
  if (message.type === "incoming-call") return onIncomingCall(state, message, at);
  if (message.type === "taken-over") {
    const call = findCall(state, message.callId);
    const taken = call && takenCall(call);
    return taken ? phoneReducer(state, { type: "taken-over", call: taken }) : state;
  }
  if (!isCallMessage(message)) return state;
  if (message.type === "state" && message.state === "ended" && state.lastEndedCall?.id === message.callId) {
    return { ...state, lastEndedCall: correctEnd(state.lastEndedCall, message) };
  }
  const id = message.callId ?? refusedCallId(state, message);
  return id === null ? state : updateCall(state, id, { type: "call-message", message, at });
}

/** A refusal without a call's id is that of the call that was just made. */
function refusedCallId(state: PhoneState, message: CallMessage): string | null {
  return message.type === "error" ? (state.calls.findLast(({ phase }) => phase === "connecting")?.id ?? null) : null;
}

function onIncomingCall(state: PhoneState, message: IncomingCall, at: number): PhoneState {
  const { callId, caller, callerName } = message;
  const connected = connectedPerson(message);
  const known = findCall(state, callId);
  if (known) {
    // it rings already, and may be reported again: with another caller, or on another connection
    const same = withConnected(known, connected);
    return same === known ? state : { ...state, calls: state.calls.map((call) => (call === known ? same : call)) };
  }
  const call = { ...newCall(callId, "inbound", caller, callerName, "incoming", at), connected } as LiveCall;
  const free = state.calls.length === 0;
  return {
    ...state,
    calls: [...state.calls, call],
    activeId: free ? callId : state.activeId,
    lastEndedCall: free ? null : state.lastEndedCall,
  };
}

function clearLastCall(state: PhoneState): PhoneState {
  const active = activeCall(state);
  if (active?.failedRequest)
    return { ...state, calls: state.calls.map((call) => (call === active ? { ...call, failedRequest: null } : call)) };
  return state.lastEndedCall ? { ...state, lastEndedCall: null } : state;
}

/** A call that is not held is the one that is talked on. */
function resumeCall(state: PhoneState, call: Call): PhoneState {
  if (!isLive(call)) return state;
  const active = activeCall(state);
  const calls = findCall(state, call.id)
    ? state.calls.map((known) => (known.id === call.id ? call : known))
    : [...state.calls, call];
  const activeId = active && (!active.held || call.held) ? active.id : call.id;
  return { calls, activeId, lastEndedCall: null, otherDeviceCalls: withoutListed(state.otherDeviceCalls, call.id) };
}

function updateCall(state: PhoneState, id: string, action: CallAction): PhoneState {
  const call = findCall(state, id);
  if (!call) return state;
  const next = callReducer(call, action);
  if (next === call) return state;
  if (!isLive(next)) return { ...withoutCall(state, id), lastEndedCall: next };
  return { ...state, calls: state.calls.map((known) => (known.id === id ? next : known)) };
}

/** Without this call. A ringing call becomes active, else an accepted one, else the oldest on hold, which stays on hold. */
function withoutCall(state: PhoneState, id: string): PhoneState {
  const calls = state.calls.filter((call) => call.id !== id);
  if (state.activeId !== id) return { ...state, calls };
  const next = calls.find(({ phase }) => phase === "incoming") ?? calls.find(({ held }) => !held) ?? calls[0];
  return { ...state, calls, activeId: next?.id ?? null };
}

const withoutListed = (list: readonly ListedCall[], id: string): readonly ListedCall[] =>
  list.some((listed) => listed.id === id) ? list.filter((listed) => listed.id !== id) : list;
