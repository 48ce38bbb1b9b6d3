// What is to be done with one's calls, at the user's name: do not disturb, and where they are forwarded.

import * as Popover from "@radix-ui/react-popover";
import { ChevronDown } from "lucide-react";
import { useEffect, useState } from "react";
import { type Attended, type Forward, FORWARDS, type LinkStatus, type Settings, settingsOf, standOf, TO_VOICEMAIL } from "sip-proxy-client";
import { FORWARD_WORDS, LINK_WORDS, NOT_SAVED, WISHES } from "../texts";

export interface WishesProps {
  user: string;
  attended: Attended;
  link: LinkStatus;
  registered: boolean;
  onChange(change: Partial<Settings>): void;
}

export function Wishes({ user, attended, link, registered, onChange }: WishesProps) {
  const settings = settingsOf(attended);
  const stand = registered ? standOf(settings) : null;
  const word = stand ? WISHES[stand] : registered ? LINK_WORDS.open : link === "lost" ? LINK_WORDS.lost : LINK_WORDS.connecting;
  return (
    <Popover.Root>
      <Popover.Trigger className="who" disabled={settings === null} aria-label={`${user}, ${word}. ${WISHES.title}`} title={WISHES.title}>
        <b>{user}</b>
        <span className={`link link-${stand ?? (registered ? "open" : link)}`} data-testid="connection"><i aria-hidden="true" />{word}</span>
        {settings && <ChevronDown size={14} aria-hidden="true" />}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="popover wishes" sideOffset={4} align="start" collisionPadding={12} aria-label={WISHES.title}>
          {settings && <Form settings={settings} attended={attended} reachable={registered} onChange={onChange} />}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

interface FormProps {
  settings: Settings;
  attended: Attended;
  reachable: boolean;
  onChange(change: Partial<Settings>): void;
}

const RING_SECONDS = [0, 10, 15, 20, 30, 45, 60, 90, 120];

function Form({ settings, attended, reachable, onChange }: FormProps) {
  const { fault, voicemail } = attended;
  const told = (field: keyof Settings): string => (fault?.field === field ? fault.text : "");
  const general = fault?.field === null ? (fault.retry ? NOT_SAVED : fault.text) : "";
  const seconds = RING_SECONDS.includes(settings.ringSeconds) ? RING_SECONDS : [...RING_SECONDS, settings.ringSeconds].sort((one, other) => one - other);
  return (
    <fieldset disabled={!reachable}>
      <legend className="hidden">{WISHES.title}</legend>
      <Switch label={WISHES.undisturbed} on={settings.doNotDisturb} onChange={(doNotDisturb) => onChange({ doNotDisturb })} />
      <Switch label={WISHES.callWaiting} on={settings.callWaiting} onChange={(callWaiting) => onChange({ callWaiting })} />
      <label className="wish">
        <span>{WISHES.ringFor}</span>
        <select value={settings.ringSeconds} onChange={(event) => onChange({ ringSeconds: Number(event.target.value) })}>
          {seconds.map((value) => <option key={value} value={value}>{value === 0 ? WISHES.asTheSystem : `${value} s`}</option>)}
        </select>
      </label>
      <p className="fault" role="alert">{told("ringSeconds") || general}</p>
      <p className="popover-title">{WISHES.forward}</p>
      {FORWARDS.filter((name) => name !== "forwardBusy" || !settings.callWaiting).map((name) => (
        <ForwardTo key={name} name={name} to={settings[name]} fault={told(name)} voicemail={voicemail !== null} onChange={(to) => onChange({ [name]: to })} />
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
  name: Forward;
  to: string;
  fault: string;
  voicemail: boolean; // the user has a box
  onChange(to: string): void;
}

/** A number that is refused stays written, so that it can be corrected. */
function ForwardTo({ name, to, fault, voicemail, onChange }: ForwardToProps) {
  const isNumber = to !== "" && to !== TO_VOICEMAIL;
  const [numbered, setNumbered] = useState(isNumber);
  const [number, setNumber] = useState(isNumber ? to : "");
  useEffect(() => {
    if (isNumber) setNumber(to);
    if (to !== "") setNumbered(isNumber);
  }, [to]);
  const how = numbered ? "number" : to === TO_VOICEMAIL ? TO_VOICEMAIL : "";
  const choose = (chosen: string): void => {
    setNumbered(chosen === "number");
    onChange(chosen === "number" ? number.trim() : chosen);
  };
  const words = FORWARD_WORDS[name];
  const id = `fault-${name}`;
  return (
    <div className="forward" role="group" aria-label={words}>
      <span>{words}</span>
      <select value={how} onChange={(event) => choose(event.target.value)} aria-label={`${words}: ${WISHES.forwardTo}`}>
        <option value="">{WISHES.no}</option>
        {(voicemail || how === TO_VOICEMAIL) && <option value={TO_VOICEMAIL}>{WISHES.voicemail}</option>}
        <option value="number">{WISHES.number}</option>
      </select>
      {numbered && (
        <input
          type="tel" value={number} autoFocus={number === ""} aria-label={`${words}: ${WISHES.number}`} placeholder={WISHES.number} aria-invalid={fault !== ""} aria-describedby={id}
          onChange={(event) => setNumber(event.target.value)} onBlur={() => onChange(number.trim())}
          onKeyDown={(event) => event.key === "Enter" && onChange(number.trim())}
        />
      )}
      {fault && <p className="fault" role="alert" id={id}>{fault}</p>}
    </div>
  );
}
