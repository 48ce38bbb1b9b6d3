"""ICE candidates as browsers write them (RFC 8839 section 5.1), checked before rtpengine sees them. Pure."""

import ipaddress
import re

from ari_bridge.errors import InvalidRequest

LONGEST = 512
"""Characters; a relayed candidate over IPv6 has some 200."""

_CANDIDATE = re.compile(
    r"[A-Za-z0-9+/]{1,32} (?P<component>\d{1,3}) (?P<transport>[A-Za-z]{1,16}) \d{1,10} "
    r"(?P<address>[A-Za-z0-9.:-]{1,255}) (?P<port>\d{1,5}) typ (?:host|srflx|prflx|relay)"
    r"(?: [!-~]+ [!-~]+)*"
)


def read_candidate(text: str) -> str | None:
    """The value of `a=candidate`; None if rtpengine cannot use it.

    That is one over TCP, one of a second component (RTP and RTCP go together), and one whose address the browser hides
    behind a name that only its own network knows (mDNS). Raises InvalidRequest.
    """
    value = text.strip().removeprefix("a=").removeprefix("candidate:")
    match = _CANDIDATE.fullmatch(value) if len(value) <= LONGEST else None
    if match is None or int(match["port"]) > 65535:
        raise InvalidRequest(f"That is no ICE candidate of RFC 8839: {text[:80]!r}.", field="candidate")
    if match["transport"].lower() != "udp" or match["component"] != "1":
        return None
    try:
        ipaddress.ip_address(match["address"])
    except ValueError:
        return None
    return value
