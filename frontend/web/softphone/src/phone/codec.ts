// The codec that the user has selected for calls; stored for all pages of the browser.

import type { Codec } from "sip-proxy-client";

export type CodecChoice = Codec | ""; // "": as the server is set

const KEY = "softphone.codec";
const CODECS: readonly string[] = ["opus", "pcmu"] satisfies Codec[];

let memory: CodecChoice = ""; // if storage is forbidden, the choice lasts as long as the page

export function chosenCodec(): CodecChoice {
  try {
    const stored = localStorage.getItem(KEY) ?? "";
    return CODECS.includes(stored) ? (stored as Codec) : "";
  } catch {
    return memory;
  }
}

/** Does not change existing calls. */
export function chooseCodec(codec: CodecChoice): void {
  memory = codec;
  try {
    localStorage.setItem(KEY, codec);
  } catch {
    return;
  }
}
