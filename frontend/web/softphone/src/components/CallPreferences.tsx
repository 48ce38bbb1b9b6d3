// How the user's calls are handled, in a popover at the user's name: do not disturb, and forwarding.

import * as Popover from "@radix-ui/react-popover";
import { ChevronDown } from "lucide-react";
import { useEffect, useState } from "react";
import {
  availabilityOf,
  FORWARD_KINDS,
  FORWARD_TO_VOICEMAIL,
  type ForwardKind,
  type LinkStatus,
  preferencesOf,
  type UserPreferences,
  type UserState,
} from "sip-proxy-client";
import { CALL_PREFERENCES, FORWARD_LABELS, LINK_LABELS, NOT_SAVED } from "../texts";

export interface CallPreferencesProps {
  user: string;
  userState: UserState;
  link: LinkStatus;
  registered: boolean;
  onChange(change: Partial<UserPreferences>): void;
}

export function CallPreferences({ user, userState, link, registered, onChange }: CallPreferencesProps) {
  const settings = preferencesOf(userState);
  const stand = registered ? availabilityOf(settings) : null;
  const word = stand
    ? CALL_PREFERENCES[stand]
    : registered
      ? LINK_LABELS.open
      : link === "lost"
        ? LINK_LABELS.lost
        : LINK_LABELS.connecting;
  return (
    <Popover.Root>
      <Popover.Trigger
        className="who"
        disabled={settings === null}
        aria-label={`${user}, ${word}. ${CALL_PREFERENCES.title}`}
        title={CALL_PREFERENCES.title}
      >
        <b>{user}</b>
        <span className={`link link-${stand ?? (registered ? "open" : link)}`} data-testid="connection">
          <i aria-hidden="true" />
          {word}
        </span>
        {settings && <ChevronDown size={14} aria-hidden="true" />}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="popover call-preferences"
          sideOffset={4}
          align="start"
          collisionPadding={12}
          aria-label={CALL_PREFERENCES.title}
        >
          {settings && <Form settings={settings} userState={userState} reachable={registered} onChange={onChange} />}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

interface FormProps {
  settings: UserPreferences;
  userState: UserState;
  reachable: boolean;
  onChange(change: Partial<UserPreferences>): void;
}

const RING_SECONDS = [0, 10, 15, 20, 30, 45, 60, 90, 120];

function Form({ settings, userState, reachable, onChange }: FormProps) {
  const { preferencesError, voicemail } = userState;
  const errorOf = (field: keyof UserPreferences): string =>
    preferencesError?.field === field ? preferencesError.message : "";
  const general =
    preferencesError?.field === null ? (preferencesError.retryable ? NOT_SAVED : preferencesError.message) : "";
  const seconds = RING_SECONDS.includes(settings.ringSeconds)
    ? RING_SECONDS
    : [...RING_SECONDS, settings.ringSeconds].sort((one, other) => one - other);
  return (
    <fieldset disabled={!reachable}>
      <legend className="hidden">{CALL_PREFERENCES.title}</legend>
      <Switch
        label={CALL_PREFERENCES.do_not_disturb}
        on={settings.doNotDisturb}
        onChange={(doNotDisturb) => onChange({ doNotDisturb })}
      />
      <Switch
        label={CALL_PREFERENCES.callWaiting}
        on={settings.callWaiting}
        onChange={(callWaiting) => onChange({ callWaiting })}
      />
      <label className="wish">
        <span>{CALL_PREFERENCES.ringFor}</span>
        <select
          value={settings.ringSeconds}
          onChange={(event) => onChange({ ringSeconds: Number(event.target.value) })}
        >
          {seconds.map((value) => (
            <option key={value} value={value}>
              {value === 0 ? CALL_PREFERENCES.asTheSystem : `${value} s`}
            </option>
          ))}
        </select>
      </label>
      <p className="fault" role="alert">
        {errorOf("ringSeconds") || general}
      </p>
      <p className="popover-title">{CALL_PREFERENCES.forward}</p>
      {FORWARD_KINDS.filter((name) => name !== "forwardBusy" || !settings.callWaiting).map((name) => (
        <ForwardTo
          key={name}
          name={name}
          to={settings[name]}
          fault={errorOf(name)}
          voicemail={voicemail !== null}
          onChange={(to) => onChange({ [name]: to })}
        />
      ))}
    </fieldset>
  );
}

function Switch({ label, on, onChange }: { label: string; on: boolean; onChange(on: boolean): void }) {
  return (
    <label className="wish">
      <span>{label}</span>
      <input type="checkbox" role="switch" checked={on} onChange={(event) => onChange(event.target.checked)} />
    </label>
  );
}

interface ForwardToProps {
  name: ForwardKind;
  to: string;
  fault: string;
  voicemail: boolean; // the user has a box
  onChange(to: string): void;
}

/** A number that is refused stays written, so that it can be corrected. */
function ForwardTo({ name, to, fault, voicemail, onChange }: ForwardToProps) {
  const isNumber = to !== "" && to !== FORWARD_TO_VOICEMAIL;
  const [numbered, setNumbered] = useState(isNumber);
  const [number, setNumber] = useState(isNumber ? to : "");
  useEffect(() => {
    if (isNumber) setNumber(to);
    if (to !== "") setNumbered(isNumber);
  }, [to]);
  const how = numbered ? "number" : to === FORWARD_TO_VOICEMAIL ? FORWARD_TO_VOICEMAIL : "";
  const choose = (chosen: string): void => {
    setNumbered(chosen === "number");
    onChange(chosen === "number" ? number.trim() : chosen);
  };
  const words = FORWARD_LABELS[name];
  const id = `fault-${name}`;
  return (
    <div className="forward" role="group" aria-label={words}>
      <span>{words}</span>
      <select
        value={how}
        onChange={(event) => choose(event.target.value)}
        aria-label={`${words}: ${CALL_PREFERENCES.forwardTo}`}
      >
        <option value="">{CALL_PREFERENCES.no}</option>
        {(voicemail || how === FORWARD_TO_VOICEMAIL) && (
          <option value={FORWARD_TO_VOICEMAIL}>{CALL_PREFERENCES.voicemail}</option>
        )}
        <option value="number">{CALL_PREFERENCES.number}</option>
      </select>
      {numbered && (
        <input
          type="tel"
          value={number}
          autoFocus={number === ""}
          aria-label={`${words}: ${CALL_PREFERENCES.number}`}
          placeholder={CALL_PREFERENCES.number}
          aria-invalid={fault !== ""}
          aria-describedby={id}
          onChange={(event) => setNumber(event.target.value)}
          onBlur={() => onChange(number.trim())}
          onKeyDown={(event) => event.key === "Enter" && onChange(number.trim())}
        />
      )}
      {fault && (
        <p className="fault" role="alert" id={id}>
          {fault}
        </p>
      )}
    </div>
  );
}
