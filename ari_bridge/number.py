"""Normalizes a number as people write or paste it. Pure: knows neither endpoints nor the dialplan.

The same rule as `number.ts` of the client package, so that a page rejects at once what the server would:
`tests/numbers.json` has the examples with which both are tested. Sources: RFC 3966 (tel), RFC 3261 section 19.1 (sip),
E.123 (how numbers are written).
"""

import re
import unicodedata
from urllib.parse import unquote

from ari_bridge.errors import InvalidTarget

MAX_NUMBER_CHARACTERS = 64  # characters of a number
SPECIAL_EXTENSIONS = frozenset("a e h i o s t T failed fax talk".split())
"""Asterisk enters these by itself, so a dialplan has something else there than somebody to ring."""
_MAX_WRITTEN_CHARACTERS = 1000  # no number is longer, and parsing must not take long

_ALLOWED = re.compile(r"[0-9A-Za-z+*#._-]*")
_SEPARATORS = r"\-()[\] \t./'"
_SEPARATOR = re.compile(f"[{_SEPARATORS}]")
_WRITTEN = re.compile(rf"[0-9+*#{_SEPARATORS}]+")
_LIKE = str.maketrans("∗♯⁄∕·•‧∙⋅−’‘ʼ´\u1680", "*#//.....-'''' ")  # look-alikes that NFKC does not replace
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_EDGES = " \t.,;'\"“”„‟‹›«»" + _LINE_BREAKS
_ADDRESS = re.compile(r"(tel|callto|sips?):(?://)?(.*)", re.I | re.S)
_LABEL = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .-]){0,20}(?::\s*(?=[+(*#0-9])|\.\s+(?=[+(0-9])|\s+(?=\+))")
_LEFT_OUT_ABROAD = re.compile(r"^((?:\+|00)[0-9]{1,3}[ ./-]*)\(0\)")
_EXTENSION = re.compile(r"(.*[0-9][)\]]?)([ ,;-]*)(?:x|ext(?:ensi?o)?n?|durchwahl|dw|poste)[ .:]*([0-9]{1,10})", re.I)


def normalize_number(written: str) -> str:
    """The number as it is dialled, e.g. `+49301234` for `tel:+49-(0)30-12 34`. Raises InvalidTarget.

    The result has only letters, digits and `+ * # . _ -`: `&` would dial two endpoints, `@` another context, `,` and
    newlines are dialplan syntax.
    """
    if len(written) > _MAX_WRITTEN_CHARACTERS:
        raise _invalid(written, f"it has more than {MAX_NUMBER_CHARACTERS} characters")
    text = _bare(written)
    if within := re.search(r"<([^<>]+)>", text):  # "Ada" <sip:1001@pbx>
        text = _bare(within[1])
    extension = ""
    if address := _ADDRESS.fullmatch(text):
        scheme, rest = address[1].lower(), _bare(unquote(address[2]))
        user, *parameters = re.split(r"[;?]", rest)
        user, at, host = user.partition("@")
        text = _bare(user)
        if scheme.startswith("sip") and at and not _WRITTEN.fullmatch(text):
            raise _invalid(written, f"it is an address at {host[:80]}, not a number of this phone system")
        extension = next((p[4:] for p in parameters if re.fullmatch(r"ext=[0-9-]+", p)), "")
    if label := _LABEL.match(text):  # Tel.: +49...
        text = text[label.end() :]
    if not extension and (found := _EXTENSION.fullmatch(text)):
        head, apart, digits = found.groups()
        if _WRITTEN.fullmatch(head) and (apart or len(re.findall("[0-9]", head)) > 6):
            text, extension = head, digits
    number = text
    if _WRITTEN.fullmatch(text):
        number = _SEPARATOR.sub("", _LEFT_OUT_ABROAD.sub(r"\1", text))
    if not re.search(r"[0-9A-Za-z*#]", number) and _ALLOWED.fullmatch(number):
        raise InvalidTarget("The number to call is empty.", field="target")
    if not _ALLOWED.fullmatch(number):
        raise _invalid(written, _why_not(number))
    if len(number) > MAX_NUMBER_CHARACTERS:
        raise _invalid(written, f"it has more than {MAX_NUMBER_CHARACTERS} characters")
    if extension:
        raise _invalid(written, f"it has an extension. Call {number}, then press {extension}")
    return number


def _bare(text: str) -> str:
    """Digits of every script and width as 0-9, look-alikes as what they look like; without invisible characters."""
    folded = "".join(map(_folded, unicodedata.normalize("NFKC", text))).translate(_LIKE)
    return folded.strip(_EDGES)


def _folded(character: str) -> str:
    match unicodedata.category(character):
        case "Cf":  # marks of direction, joiners, soft hyphens
            return ""
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Pd":
            return "-"
        case "So":  # ☎ 📞
            return " "
    return "" if "\ufe00" <= character <= "\ufe0f" else character  # how an emoji is drawn


def _why_not(number: str) -> str:
    strange = next((c for c in number if not _ALLOWED.fullmatch(c) and not _SEPARATOR.fullmatch(c)), "")
    if not strange and (letters := re.search("[A-Za-z_]+", number)):
        return f"it has letters (“{letters[0]}”), and a name has no spaces, slashes or brackets"
    parts = [part for part in re.split(f"[,;|{_LINE_BREAKS}]", number) if part != ""]
    if len(parts) > 1 and all(len(re.findall("[0-9]", part)) > 2 and _WRITTEN.fullmatch(part) for part in parts):
        return "it is more than one number"
    if strange in _LINE_BREAKS:
        return "it has a line break"
    return f"it has “{strange}”" if strange.isprintable() else f"it has the character U+{ord(strange):04X}"


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Zs") else ""


def _invalid(written: str, why: str) -> InvalidTarget:
    shown = "".join(map(_shown, unicodedata.normalize("NFKC", written)))[:80]
    return InvalidTarget(f"The number “{shown}” cannot be dialled: {why}.", field="target")
