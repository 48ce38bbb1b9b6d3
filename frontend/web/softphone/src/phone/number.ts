// Reads what is typed in a field as a number.

import { InvalidNumber, normalizeNumber } from "sip-proxy-client";

/** The number, or why it is none. */
export function readNumber(written: string): string | InvalidNumber {
  try {
    return normalizeNumber(written);
  } catch (error) {
    if (error instanceof InvalidNumber) return error;
    throw error;
  }
}
