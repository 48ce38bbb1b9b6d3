// Which codec the calls of this browser are to have, as its user has chosen; kept for all its pages.

import type { Codec } from "sip-proxy-client";

export type CodecChoice = Codec | ""; // "": as the server is set

const KEY = "softphone.codec";
const CODECS: readonly string[] = ["opus", "pcmu"] satisfies Codec[];

let memory: CodecChoice = ""; // where storage is forbidden, it lasts as long as the page

export function chosenCodec(): CodecChoice {
  try {
    const kept = localStorage.getItem(KEY) ?? "";
    return CODECS.includes(kept) ? (kept as Codec) : "";
  } catch {
    return memory;
  }
}

/** Calls that stand keep theirs. */
export function chooseCodec(codec: CodecChoice): void {
  memory = codec;
  try {
    localStorage.setItem(KEY, codec);
  } catch {
    return;
  }
}
