// What can be done with a call that talks: hold, transfer, one more party, recording.

import * as Popover from "@radix-ui/react-popover";
import { ArrowRightLeft, Circle, Pause, Play, Square, UserPlus } from "lucide-react";
import { isConference, type LiveCall } from "sip-proxy-client";
import { BUTTONS } from "../texts";
import type { PhoneActions } from "./actions";

export interface CallToolsProps {
  call: LiveCall;
  recordable: boolean; // the server records
  reachable: boolean; // the server can be reached
  isFull: boolean; // no further call can be made
  actions: PhoneActions;
  onOpenForm(what: "transfer" | "add"): void;
}

export function CallTools({ call, recordable, reachable, isFull, actions, onOpenForm }: CallToolsProps) {
  const busy = call.transferring !== null;
  return (
    <div className="tools" role="group" aria-label="In this call">
      <button
        type="button"
        className="tool"
        data-testid="hold"
        aria-pressed={call.held}
        disabled={busy}
        onClick={() => actions.hold(call.id, !call.held)}
        title="Hold (H)"
      >
        {call.held ? <Play size={18} aria-hidden="true" /> : <Pause size={18} aria-hidden="true" />}
        <span>{call.held ? BUTTONS.unhold : BUTTONS.hold}</span>
      </button>
      <button
        type="button"
        className="tool"
        data-testid="transfer"
        disabled={busy || isConference(call) || !reachable}
        onClick={() => onOpenForm("transfer")}
        title="Transfer (T)"
      >
        <ArrowRightLeft size={18} aria-hidden="true" />
        <span>{BUTTONS.transfer}</span>
      </button>
      <button
        type="button"
        className="tool"
        data-testid="add"
        disabled={busy || isFull || !reachable}
        onClick={() => onOpenForm("add")}
        title="Add somebody (A)"
      >
        <UserPlus size={18} aria-hidden="true" />
        <span>{BUTTONS.add}</span>
      </button>
      {recordable && <RecordTool call={call} reachable={reachable} record={actions.record} />}
    </div>
  );
}

function RecordTool({
  call,
  reachable,
  record,
}: {
  call: LiveCall;
  reachable: boolean;
  record: PhoneActions["record"];
}) {
  if (call.recording === "off") {
    return (
      <button type="button" className="tool" data-testid="record" disabled={!reachable} onClick={() => record("start")}>
        <Circle size={18} aria-hidden="true" />
        <span>{BUTTONS.record}</span>
      </button>
    );
  }
  const paused = call.recording === "paused";
  return (
    <Popover.Root>
      <Popover.Trigger className="tool" data-testid="record" disabled={!reachable}>
        <Circle size={18} fill="currentColor" aria-hidden="true" />
        <span>{BUTTONS.recording}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="popover menu"
          sideOffset={8}
          align="end"
          collisionPadding={12}
          aria-label={BUTTONS.recording}
        >
          <Popover.Close className="menu-item" onClick={() => record(paused ? "resume" : "pause")}>
            {paused ? <Circle size={16} aria-hidden="true" /> : <Pause size={16} aria-hidden="true" />}
            {paused ? BUTTONS.resumeRecording : BUTTONS.pauseRecording}
          </Popover.Close>
          <Popover.Close className="menu-item" onClick={() => record("stop")}>
            <Square size={16} aria-hidden="true" />
            {BUTTONS.stopRecording}
          </Popover.Close>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
