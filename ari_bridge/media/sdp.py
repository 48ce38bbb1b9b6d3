"""Reading and editing SDP (RFC 8866), as far as a call needs it.

A browser's offer is validated here, so that an invalid one is rejected with a clear reason
before anything is created for it. The SDP for rtpengine has one audio section.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ari_bridge.errors import InvalidSdp
from ari_bridge.media.codec_policy import Codec
from ari_bridge.net import RtpAddress

MAX_OFFER_BYTES = 65536
MAX_CANDIDATES = 32
"""ICE candidates of one offer; a machine with many networks finds some 20."""
_CODECS = re.compile(r"a=rtpmap:\d+ (opus|PCMU)/", re.IGNORECASE)
_OPUS = re.compile(r"a=rtpmap:(\d+) opus/48000", re.IGNORECASE)
_PCMU = re.compile(r"a=rtpmap:\d+ PCMU/8000", re.IGNORECASE)
_LINE = re.compile(r"[a-z]=.*")
_GROUP = "a=group:BUNDLE"
_CANDIDATE = "a=candidate:"
_CONNECTION = re.compile(r"c=IN IP[46] (\S+)")
_TRICKLES = re.compile(r"a=ice-options:(.* )?trickle\b")
_NOT_YET_KNOWN = "c=IN IP4 0.0.0.0"
_DISCARD_PORT = 9
"""As browsers write both that have not gathered candidates (RFC 8840 section 4.1.1)."""


@dataclass(frozen=True)
class Section:
    """One media section: its `m=` line and what follows."""

    lines: tuple[str, ...]

    @property
    def kind(self) -> str:
        """audio, video, application, ..."""
        return self.lines[0][2:].split(" ", 1)[0]

    @property
    def mid(self) -> str | None:
        return self.attribute("mid")

    @property
    def rejected(self) -> bool:
        """Port 0, unless it is `bundle-only` and gets its port from the bundle."""
        return self.lines[0].split(" ")[1] == "0" and "a=bundle-only" not in self.lines

    def attribute(self, name: str) -> str | None:
        """The value of the first `a=NAME:VALUE`."""
        prefix = f"a={name}:"
        return next((line.removeprefix(prefix) for line in self.lines if line.startswith(prefix)), None)


@dataclass(frozen=True)
class Sdp:
    session: tuple[str, ...]  # the lines before the first section
    sections: tuple[Section, ...]

    @property
    def audio(self) -> Section | None:
        return next((section for section in self.sections if section.kind == "audio" and not section.rejected), None)

    def has(self, name: str) -> bool:
        """Whether there is an `a=NAME:...` for the session or in its audio section."""
        prefix = f"a={name}:"
        audio = self.audio.lines if self.audio else ()
        return any(line.startswith(prefix) for line in (*self.session, *audio))


@lru_cache(maxsize=8)  # an offer is read four times within milliseconds
def parse(text: str) -> Sdp:
    """Parse the text. Raises InvalidSdp, which names the invalid line."""
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    if lines[0] != "v=0":
        raise InvalidSdp(f"The SDP must begin with v=0, not with {lines[0][:40]!r}.", field="sdp")
    starts = []
    for number, line in enumerate(lines):
        if not _LINE.fullmatch(line):
            raise InvalidSdp(f"Line {number + 1} of the SDP is not TYPE=VALUE: {line[:40]!r}.", field="sdp")
        if line.startswith("m="):
            if len(line.split(" ")) < 4 or not line.split(" ")[1].isdigit():
                raise InvalidSdp(f"Line {number + 1} of the SDP is not a media line: {line[:40]!r}.", field="sdp")
            starts.append(number)
    sections = tuple(Section(tuple(lines[a:b])) for a, b in pairwise([*starts, len(lines)]))
    return Sdp(tuple(lines[: starts[0]] if starts else lines), sections)


def check_offer(sdp: str, *, max_bytes: int = MAX_OFFER_BYTES) -> None:
    """Validate a browser's offer. Raises InvalidSdp, which says what is missing."""
    if not sdp.strip():
        raise InvalidSdp("The SDP is empty.", field="sdp")
    if len(sdp) > max_bytes:
        raise InvalidSdp(f"The SDP has {len(sdp)} characters; at most {max_bytes} are allowed.", field="sdp")
    offer = parse(sdp)
    candidates = sum(line.startswith(_CANDIDATE) for section in offer.sections for line in section.lines)
    if candidates > MAX_CANDIDATES:
        raise InvalidSdp(
            f"The SDP has {candidates} ICE candidates; at most {MAX_CANDIDATES} are allowed, and none is needed.",
            field="sdp",
        )
    audio = offer.audio
    if audio is None:
        offered = ", ".join(section.kind for section in offer.sections) or "nothing"
        raise InvalidSdp(f"The SDP offers no audio, but {offered}.", field="sdp")
    if not _has_static_pcmu(audio) and not any(_CODECS.match(line) for line in audio.lines):
        raise InvalidSdp("The SDP offers neither Opus nor PCMU.", field="sdp")
    if not offer.has("ice-ufrag") or not offer.has("ice-pwd"):
        raise InvalidSdp("The SDP has no ICE credentials (a=ice-ufrag, a=ice-pwd): WebRTC is needed.", field="sdp")
    if not offer.has("fingerprint"):
        raise InvalidSdp("The SDP has no DTLS fingerprint (a=fingerprint): WebRTC is needed.", field="sdp")


def codecs(sdp: str) -> frozenset[Codec]:
    """Which of the supported codecs the audio section of this SDP offers."""
    audio = parse(sdp).audio
    if audio is None:
        return frozenset()
    opus = {Codec.OPUS} if any(_OPUS.match(line) for line in audio.lines) else set()
    has_pcmu = _has_static_pcmu(audio) or any(_PCMU.match(line) for line in audio.lines)
    return frozenset(opus | ({Codec.PCMU} if has_pcmu else set()))


def _has_static_pcmu(audio: Section) -> bool:
    """Payload type 0 is PCMU even without an `rtpmap` (RFC 3551)."""
    return "0" in audio.lines[0].split(" ")[3:]


def with_opus_options(sdp: str, *, fec: bool, dtx: bool) -> str:
    """The SDP answer with the Opus options for the browser's encoder: in-band FEC and DTX (RFC 7587 section 6.1).

    An SDP without Opus is returned unchanged.
    """
    description = parse(sdp)
    wanted = {"useinbandfec": str(int(fec)), "usedtx": str(int(dtx))}
    sections = [Section(_with_opus_options(section.lines, wanted)) for section in description.sections]
    return _write(description.session, sections)


def _with_opus_options(lines: tuple[str, ...], wanted: dict[str, str]) -> tuple[str, ...]:
    payload_type = next((match[1] for line in lines if (match := _OPUS.match(line))), None)
    if payload_type is None:
        return lines
    prefix = f"a=fmtp:{payload_type} "
    fmtp_value = next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), "")
    pairs = [part.strip().partition("=") for part in fmtp_value.split(";") if part.strip()]
    options = {name: value for name, _, value in pairs} | wanted
    # A bare word among them has no `=`.
    fmtp = prefix + ";".join(f"{name}={value}" if value else name for name, value in options.items())
    changed: list[str] = []
    for line in lines:
        if not line.startswith(prefix):
            changed.append(line)
        if _OPUS.match(line):
            changed.append(fmtp)
    return tuple(changed)


def with_candidates(offer: str, candidates: Sequence[str], *, complete: bool) -> str:
    """The offer with ICE candidates that came after it (RFC 8839). Without audio it is returned unchanged.

    `candidates`: values of `a=candidate`; `complete`: no more will follow.
    """
    description = parse(offer)
    audio = description.audio
    end = ["a=end-of-candidates"] if complete else []
    more = [*(f"a=candidate:{candidate}" for candidate in candidates), *end]
    sections = [Section((*section.lines, *more)) if section is audio else section for section in description.sections]
    return _write(description.session, sections)


def filter_candidates(offer: str, takes: Callable[[str], bool], takes_host: Callable[[str], bool]) -> str:
    """The offer without the candidates that `takes` rejects, nor a default address that `takes_host` rejects.

    Args:
        offer: The offer.
        takes: Called with the value of each `a=candidate`.
        takes_host: Called with each address of a `c=` line.
    """

    def filtered(lines: tuple[str, ...]) -> tuple[str, ...]:
        kept: list[str] = []
        for line in lines:
            if line.startswith(_CANDIDATE):
                if not takes(line.removeprefix(_CANDIDATE)):
                    continue
            elif line.startswith("a=remote-candidates:"):
                continue
            elif (connection := _CONNECTION.match(line)) and not takes_host(connection[1]):
                line = _NOT_YET_KNOWN
            kept.append(line)
        return tuple(kept)

    description = parse(offer)
    session = filtered(description.session)
    sections = [Section(filtered(section.lines)) for section in description.sections]
    return _write(session, [_as_not_yet_known(section, session) for section in sections])


def _as_not_yet_known(section: Section, session: tuple[str, ...]) -> Section:
    """A section with address 0.0.0.0 as a browser writes one whose candidates come later: port 9, and trickle ICE.

    With any other port the address means hold (RFC 3264 section 8.4), and without the option rtpengine takes it for
    that too: it would tell Asterisk 0.0.0.0 as the address to send to.
    """
    connections = [line for line in (*section.lines, *session) if _CONNECTION.match(line)]
    if connections[:1] != [_NOT_YET_KNOWN]:
        return section
    media = re.sub(r"^(m=\S+) [1-9][0-9]*", rf"\1 {_DISCARD_PORT}", section.lines[0])
    attributes = [line for line in section.lines[1:] if not line.startswith("a=rtcp:")]
    if not any(_TRICKLES.match(line) for line in (*attributes, *session)):
        attributes.append("a=ice-options:trickle")
    return Section((media, *attributes))


def audio_only(sdp: str) -> str:
    """The offer with only its first audio section. Raises InvalidSdp if there is none."""
    offer = parse(sdp)
    if offer.audio is None:
        raise InvalidSdp("The SDP offers no audio.", field="sdp")
    return _write(_bundle(offer.session, offer.audio), [offer.audio])


def rtp_address(sdp: str) -> RtpAddress:
    """The address that receives the audio of this SDP. Raises InvalidSdp."""
    description = parse(sdp)
    if description.audio is None:
        raise InvalidSdp("The SDP has no audio.", field="sdp")
    lines = (*description.audio.lines, *description.session)  # the section's own c= line takes precedence
    connection = next((line for line in lines if line.startswith("c=IN ")), None)
    if connection is None or len(connection.split(" ")) != 3:
        raise InvalidSdp("The SDP has no address (c=).", field="sdp")
    return RtpAddress(connection.split(" ")[2], int(description.audio.lines[0].split(" ")[1]))


def pcmu_answer(address: RtpAddress) -> str:
    """The SDP answer on behalf of Asterisk's external media: PCMU at `address`."""
    family = "IP6" if ":" in address.host else "IP4"
    return _text(
        "v=0",
        f"o=- 1 1 IN {family} {address.host}",
        "s=-",
        f"c=IN {family} {address.host}",
        "t=0 0",
        f"m=audio {address.port} RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        "a=ptime:20",
        "a=sendrecv",
    )


def answer_all_sections(offer: str, answer: str) -> str:
    """Complete an answer that has only audio, so that it answers every section of the offer.

    Other sections are rejected (RFC 3264 section 6). A bundle that was offered is accepted, which rtpengine leaves out:
    a browser with `bundlePolicy: "max-bundle"` refuses an answer without it (RFC 9143 section 7.3).
    """
    offered, answered = parse(offer), parse(answer)
    audio = answered.audio
    if audio is None:
        return answer
    sections = [audio if section is offered.audio else _reject(section) for section in offered.sections]
    session = tuple(line for line in answered.session if not line.startswith(_GROUP))
    if audio.mid is not None and any(line.startswith(_GROUP) for line in offered.session):
        session += (f"{_GROUP} {audio.mid}",)
    return _write(session, sections)


def _reject(section: Section) -> Section:
    kind, _, rest = section.lines[0].partition(" ")
    _, _, formats = rest.partition(" ")
    mid = (f"a=mid:{section.mid}",) if section.mid is not None else ()
    return Section((f"{kind} 0 {formats}", "c=IN IP4 0.0.0.0", "a=inactive", *mid))


def _bundle(session: tuple[str, ...], audio: Section) -> tuple[str, ...]:
    """The session's lines, with only the audio section left in its bundle."""
    return tuple(f"{_GROUP} {audio.mid}" if line.startswith(_GROUP) else line for line in session)


def _write(session: tuple[str, ...], sections: list[Section]) -> str:
    return _text(*session, *(line for section in sections for line in section.lines))


def _text(*lines: str) -> str:
    return "\r\n".join(lines) + "\r\n"
