// Reads what a user has typed or pasted as a number to dial. Pure. The server applies the same rule (`ari_bridge/number.py`),
// and `tests/numbers.json` has the examples that both must read alike. RFC 3966 (tel), RFC 3261 section 19.1 (sip), E.123.

import { SIPProxyError } from "./errors.js";

/** Why it is not a number: the error's `detail` has the character, the letters, the extension or the host. */
export type NumberFault =
  | "empty"
  | "too_long"
  | "character"
  | "line_break"
  | "letters"
  | "several"
  | "extension"
  | "address";

export class InvalidNumber extends SIPProxyError {
  constructor(
    written: string,
    readonly fault: NumberFault,
    readonly detail = "",
    readonly number = "",
  ) {
    const shown = [
      ...written
        .normalize("NFKC")
        .replace(/[\p{Cc}\p{Z}]/gu, " ")
        .replace(/\p{C}/gu, ""),
    ]
      .slice(0, 80)
      .join("");
    super(
      "invalid_target",
      fault === "empty"
        ? FAULT_TEXTS.empty()
        : `The number “${shown}” cannot be dialled: ${FAULT_TEXTS[fault](detail, number)}.`,
    );
  }
}

const FAULT_TEXTS: Record<NumberFault, (detail?: string, number?: string) => string> = {
  empty: () => "The number to call is empty.",
  too_long: () => `it has more than ${MAX_NUMBER_LENGTH} characters`,
  character: (detail) => (detail?.startsWith("U+") ? `it has the character ${detail}` : `it has “${detail}”`),
  line_break: () => "it has a line break",
  letters: (detail) => `it has letters (“${detail}”), and a name has no spaces, slashes or brackets`,
  several: () => "it is more than one number",
  extension: (detail, number) => `it has an extension. Call ${number}, then press ${detail}`,
  address: (detail) => `it is an address at ${detail}, not a number of this phone system`,
};

const MAX_NUMBER_LENGTH = 64;
const MAX_INPUT_LENGTH = 1000; // longer input is not a number, and would take long to read
const ALLOWED = /^[0-9A-Za-z+*#._-]*$/;
const WRITTEN = /^[0-9+*#\-()[\] \t./']+$/;
const BREAKS = "\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029";
const EDGES = new RegExp(`^[ \\t.,;'"“”„‟‹›«»${BREAKS}]+|[ \\t.,;'"“”„‟‹›«»${BREAKS}]+$`, "g");
const LOOK_ALIKES = "∗*♯#⁄/∕/·.•.‧.∙.⋅.−-’'‘'ʼ'´'\u1680 "; // what NFKC leaves, each with what people read it as
const EXTENSION = /^(.*[0-9][)\]]?)([ ,;-]*)(?:x|ext(?:ensi?o)?n?|durchwahl|dw|poste)[ .:]*([0-9]{1,10})$/i;

/**
 * The number as it is dialled, e.g. `+49301234` for `tel:+49-(0)30-12 34`: digits, letters and `+ * # . _ -`.
 * Throws `InvalidNumber` (`invalid_target`).
 */
export function normalizeNumber(written: string): string {
  if (typeof written !== "string") written = Number.isInteger(written) ? `${written}` : ""; // plain JavaScript: 601, undefined
  if (written.length > MAX_INPUT_LENGTH) throw new InvalidNumber(written, "too_long");
  let text = cleaned(written);
  text = cleaned(/<([^<>]+)>/.exec(text)?.[1] ?? text); // "Ada" <sip:1001@pbx>
  let extension = "";
  const address = /^(tel|callto|sips?):(?:\/\/)?(.*)$/is.exec(text);
  if (address) {
    const [whole = "", ...parameters] = cleaned(decoded(address[2] ?? "")).split(/[;?]/);
    const at = whole.indexOf("@");
    text = cleaned(at < 0 ? whole : whole.slice(0, at));
    if (at >= 0 && /^s/i.test(address[1] ?? "") && !WRITTEN.test(text))
      throw new InvalidNumber(written, "address", whole.slice(at + 1, at + 81));
    extension = parameters.find((one) => /^ext=[0-9-]+$/.test(one))?.slice(4) ?? "";
  }
  text = text.replace(/^\p{L}[\p{L} .-]{0,20}(?::\s*(?=[+(*#0-9])|\.\s+(?=[+(0-9])|\s+(?=\+))/u, ""); // Tel.: +49...
  const [, head = "", apart, digits = ""] = (!extension && EXTENSION.exec(text)) || [];
  if (WRITTEN.test(head) && (apart || head.replace(/[^0-9]/g, "").length > 6)) [text, extension] = [head, digits];
  const number = WRITTEN.test(text)
    ? text.replace(/^((?:\+|00)[0-9]{1,3}[ ./-]*)\(0\)/, "$1").replace(/[-()[\] \t./']/g, "")
    : text;
  if (!ALLOWED.test(number)) throw new InvalidNumber(written, ...faultOf(number));
  if (!/[0-9A-Za-z*#]/.test(number)) throw new InvalidNumber(written, "empty");
  if (number.length > MAX_NUMBER_LENGTH) throw new InvalidNumber(written, "too_long");
  if (extension) throw new InvalidNumber(written, "extension", extension, number);
  return number;
}

/** Digits of all scripts and widths become 0-9, look-alikes what they look like; what is invisible or around it is removed. */
function cleaned(text: string): string {
  return (
    text
      .normalize("NFKC")
      // biome-ignore lint/suspicious/noMisleadingCharacterClass: variation selectors are removed wherever they are
      .replace(/[\p{Cf}\u{FE00}-\u{FE0F}]/gu, "") // marks of direction, joiners, soft hyphens, how an emoji is drawn
      .replace(/\p{Nd}/gu, asciiDigit)
      .replace(/\p{Pd}/gu, "-")
      .replace(/\p{So}/gu, " ") // ☎ 📞
      .replace(/[∗♯⁄∕·•‧∙⋅−’‘ʼ´\u1680]/g, (one) => LOOK_ALIKES[LOOK_ALIKES.indexOf(one) + 1] ?? one)
      .replace(EDGES, "")
  );
}

/** Unicode has digits in rows of ten. */
function asciiDigit(one: string): string {
  const code = one.codePointAt(0) ?? 0;
  let first = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  return String((code - first) % 10);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function faultOf(number: string): [NumberFault, string?] {
  const strange = [...number].find((one) => !ALLOWED.test(one) && !WRITTEN.test(one));
  if (strange === undefined) return ["letters", /[A-Za-z_]+/.exec(number)?.[0] ?? ""];
  const parts = number.split(new RegExp(`[,;|${BREAKS}]+`)).filter(Boolean);
  if (parts.length > 1 && parts.every((part) => WRITTEN.test(part) && part.replace(/[^0-9]/g, "").length > 2))
    return ["several"];
  if (new RegExp(`[${BREAKS}]`).test(strange)) return ["line_break"];
  return [
    "character",
    /[\p{C}\p{Z}]/u.test(strange)
      ? `U+${(strange.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`
      : strange,
  ];
}
