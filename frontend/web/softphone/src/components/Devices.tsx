// The microphone and its level, always visible; loudspeakers and the connection in a popover.

import * as Popover from "@radix-ui/react-popover";
import { Mic, MicOff, SlidersHorizontal } from "lucide-react";
import type { ReactNode } from "react";
import type { Device, Devices as DeviceList, DeviceUse, Preflight } from "sip-proxy-client";
import { DEVICE_LABELS, missingDevice, SETTINGS, SYSTEM_DEVICE } from "../texts";
import { CodecChoice } from "./CodecChoice";
import { ConnectionTest } from "./ConnectionTest";
import { LevelMeter } from "./LevelMeter";

export interface DevicesProps {
  devices: DeviceList;
  chosen: Record<DeviceUse, string>;
  missing: Partial<Record<DeviceUse, string>>; // names of selected devices that are not connected
  open: boolean; // the microphone
  muted: boolean;
  speakerSelectable: boolean;
  inputLevel(): number;
  onTry(): void;
  onMicrophone(id: string): void;
  onSpeaker(id: string): void;
  onRing(id: string): void;
  onTest?: (() => Promise<Preflight>) | undefined; // not there in a call
  more: ReactNode; // below all else
}

export function Devices(props: DevicesProps) {
  const { devices, chosen, missing, open, muted } = props;
  const microphone = open ? DEVICE_LABELS.microphoneOn : DEVICE_LABELS.testMicrophone;
  return (
    <div className="devices">
      <button
        type="button"
        className="icon-button"
        onClick={props.onTry}
        aria-label={microphone}
        title={microphone}
        aria-pressed={open}
      >
        {muted ? <MicOff size={18} /> : <Mic size={18} />}
      </button>
      <div className="devices-middle">
        <Choice
          label={DEVICE_LABELS.microphone}
          testId="mic-picker"
          value={chosen.microphone}
          missing={missing.microphone}
          list={devices.microphones}
          system={SYSTEM_DEVICE.microphone}
          onChoose={props.onMicrophone}
        />
        <LevelMeter label={DEVICE_LABELS.inputLevel} read={props.inputLevel} testId="level" />
      </div>
      <Popover.Root>
        <Popover.Trigger className="icon-button" aria-label={SETTINGS} title={SETTINGS}>
          <SlidersHorizontal size={18} />
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content
            className="popover"
            side="top"
            sideOffset={8}
            align="end"
            collisionPadding={12}
            aria-label={SETTINGS}
          >
            {props.onTest && <ConnectionTest run={props.onTest} />}
            {props.speakerSelectable && (
              <>
                <p className="popover-title">{DEVICE_LABELS.outputs}</p>
                <label className="popover-field">
                  <span>{DEVICE_LABELS.voice}</span>
                  <Choice
                    label={DEVICE_LABELS.voice}
                    value={chosen.speaker}
                    missing={missing.speaker}
                    list={devices.speakers}
                    system={SYSTEM_DEVICE.output}
                    onChoose={props.onSpeaker}
                  />
                </label>
                <label className="popover-field">
                  <span>{DEVICE_LABELS.ringing}</span>
                  <Choice
                    label={DEVICE_LABELS.ringing}
                    value={chosen.ring}
                    missing={missing.ring}
                    list={devices.speakers}
                    system={SYSTEM_DEVICE.output}
                    onChoose={props.onRing}
                  />
                </label>
              </>
            )}
            <CodecChoice />
            {props.more}
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  testId?: string;
  value: string;
  missing: string | undefined;
  list: Device[];
  system: string;
  onChoose(id: string): void;
}

/** The option of a missing device: no device has this id. */
const MISSING = "missing";

function Choice({ label, testId, value, missing, list, system, onChoose }: ChoiceProps) {
  const others = list.filter((device) => device.id !== "default" && device.id !== "communications");
  return (
    <select
      aria-label={label}
      data-testid={testId}
      value={missing === undefined ? value : MISSING}
      onChange={(event) => onChoose(event.target.value)}
    >
      {missing !== undefined && (
        <option value={MISSING} disabled>
          {missingDevice(missing)}
        </option>
      )}
      <option value="">{system}</option>
      {others.map((device) => (
        <option key={device.id} value={device.id}>
          {device.name}
        </option>
      ))}
    </select>
  );
}
