// The large buttons at the bottom: the most likely next actions. They keep their places.

import {
  ArrowRightLeft,
  BookUser,
  Grid3x3,
  LogOut,
  type LucideIcon,
  Mic,
  MicOff,
  Phone,
  PhoneForwarded,
  PhoneOff,
  Play,
  Undo2,
  UserPlus,
} from "lucide-react";
import type { MouseEvent } from "react";
import { canLeave, type LiveCall } from "sip-proxy-client";
import { BUTTONS, missedOf } from "../texts";
import type { PhoneActions } from "./actions";
import type { FormKind } from "./TransferForm";

interface ButtonProps {
  icon: LucideIcon;
  label: string;
  colour: "plain" | "green" | "red";
  testId?: string;
  pressed?: boolean;
  disabled?: boolean;
  first?: boolean; // has the focus when it comes
  onPress(): void;
}

function RoundButton({ icon: Icon, label, colour, testId, pressed, disabled, first, onPress }: ButtonProps) {
  return (
    <button
      type="button"
      className={`round ${colour}`}
      data-testid={testId}
      aria-pressed={pressed}
      disabled={disabled}
      autoFocus={first}
      onClick={onSingleClick(onPress)}
    >
      <Icon aria-hidden="true" />
      <span>{label}</span>
    </button>
  );
}

export interface CallButtonsProps {
  call: LiveCall;
  consultedCall: LiveCall | null; // the call about which this one was made, if the two can be connected now
  form: FormKind | null;
  number: string; // that is written for it
  actions: PhoneActions;
  onFormChoice(choice: "now" | "first" | "never"): void; // in the form
}

/** In a call, whatever its state. */
export function CallButtons({ call, consultedCall, form, number, actions, onFormChoice }: CallButtonsProps) {
  const empty = !number.trim();
  if (form) {
    const transfer = form === "transfer";
    return (
      <div className="actions three">
        <RoundButton
          key="cancel"
          icon={Undo2}
          label={BUTTONS.cancel}
          colour="plain"
          onPress={() => onFormChoice("never")}
        />
        <RoundButton
          key="first"
          icon={Phone}
          label={transfer ? BUTTONS.askFirst : BUTTONS.newCall}
          colour="plain"
          disabled={empty}
          onPress={() => onFormChoice("first")}
        />
        <RoundButton
          key="now"
          icon={transfer ? PhoneForwarded : UserPlus}
          label={transfer ? BUTTONS.transferNow : BUTTONS.addNow}
          colour="green"
          disabled={empty}
          onPress={() => onFormChoice("now")}
        />
      </div>
    );
  }
  if (call.phase === "incoming") {
    return (
      <div className="actions">
        <RoundButton
          key="decline"
          icon={PhoneOff}
          label={BUTTONS.decline}
          colour="red"
          testId="decline"
          onPress={() => actions.decline()}
        />
        <RoundButton
          key="accept"
          icon={Phone}
          label={BUTTONS.answer}
          colour="green"
          testId="accept"
          first
          onPress={() => actions.accept()}
        />
      </div>
    );
  }
  if (call.transferring) {
    return (
      <div className="actions">
        <RoundButton
          key="back"
          icon={Undo2}
          label={BUTTONS.cancel}
          colour="plain"
          testId="cancel-transfer"
          onPress={actions.cancelTransfer}
        />
        <RoundButton
          key="leave"
          icon={LogOut}
          label={BUTTONS.leave}
          colour="red"
          testId="leave"
          onPress={actions.leave}
        />
      </div>
    );
  }
  const leave = canLeave(call);
  return (
    <div className={leave || (consultedCall && !call.held) ? "actions three" : "actions"}>
      {call.held ? (
        <RoundButton
          key="back"
          icon={Play}
          label={BUTTONS.takeBack}
          colour="green"
          testId="take-back"
          first
          onPress={() => actions.hold(call.id, false)}
        />
      ) : (
        <RoundButton
          key="mute"
          icon={call.muted ? MicOff : Mic}
          label={call.muted ? BUTTONS.unmute : BUTTONS.mute}
          colour="plain"
          testId="mute"
          pressed={call.muted}
          onPress={() => actions.setMuted(!call.muted)}
        />
      )}
      {consultedCall && !call.held && !leave && (
        <RoundButton
          key="connect"
          icon={ArrowRightLeft}
          label={BUTTONS.connectThem}
          colour="green"
          testId="connect"
          onPress={() => actions.connect(consultedCall.id, call.id)}
        />
      )}
      {leave && (
        <RoundButton
          key="leave"
          icon={LogOut}
          label={BUTTONS.leave}
          colour="plain"
          testId="leave"
          onPress={actions.leave}
        />
      )}
      <RoundButton
        key="hangup"
        icon={PhoneOff}
        label={leave ? BUTTONS.endForAll : BUTTONS.hangUp}
        colour="red"
        testId="hangup"
        onPress={actions.hangup}
      />
    </div>
  );
}

export interface IdleButtonsProps {
  view: "pad" | "people";
  missed: number;
  disabled: boolean; // no number to call
  onView(): void;
  onCall(): void;
}

/** Without a call. */
export function IdleButtons({ view, missed, disabled, onView, onCall }: IdleButtonsProps) {
  const Icon = view === "pad" ? BookUser : Grid3x3;
  return (
    <div className="actions">
      <button
        key="view"
        type="button"
        className="round plain narrow-only badged"
        aria-pressed={view === "people"}
        onClick={onView}
      >
        <Icon aria-hidden="true" />
        {missed > 0 && view === "pad" && <b aria-label={missedOf(missed)}>{missed > 99 ? "99+" : missed}</b>}
        <span>{view === "pad" ? BUTTONS.recent : BUTTONS.keypad}</span>
      </button>
      <RoundButton
        key="call"
        icon={Phone}
        label={BUTTONS.call}
        colour="green"
        testId="call"
        disabled={disabled}
        onPress={onCall}
      />
    </div>
  );
}

/** Counts a double click once: other buttons take the place of the one that was clicked. */
function onSingleClick(act: () => void): (event: MouseEvent) => void {
  return (event) => {
    if (event.detail < 2) act();
  };
}
