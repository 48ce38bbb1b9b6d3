// Sentences about microphones and loudspeakers.

import type { DeviceUse } from "sip-proxy-client";
import type { Message } from "./calls";

export const SYSTEM_DEVICE = { microphone: "Microphone: system's choice", output: "System's choice" } as const;
/** In a list of devices: the selected one, which is missing. */
export const missingDevice = (name: string): string => `${name || "The chosen one"} (not there)`;

const SUBSTITUTES: Record<DeviceUse, string> = {
  microphone: "another microphone is used",
  speaker: "voices come out elsewhere",
  ring: "ringing comes out elsewhere",
};

/** What replaces missing devices; null if none is missing. */
export function missingDevicesOf(missing: Partial<Record<DeviceUse, string>>): Message | null {
  const uses = (["microphone", "speaker", "ring"] as const).filter((use) => missing[use] !== undefined);
  const [use] = uses;
  if (!use) return null;
  const name = missing[use];
  const same = uses.filter((other) => missing[other] === name);
  const said = same.length > 1 ? "others are used" : SUBSTITUTES[use];
  return {
    text: name ? `“${name}” is away:` : "The chosen device is away:",
    advice: `${said} until it is back.`,
    tone: "calm",
  };
}

export const DEVICE_LABELS = {
  microphone: "Microphone",
  microphoneOn: "Microphone is on",
  testMicrophone: "Test the microphone",
  inputLevel: "Level of your microphone",
  outputs: "Where sound comes out",
  voice: "Voice",
  ringing: "Ringing",
} as const;
