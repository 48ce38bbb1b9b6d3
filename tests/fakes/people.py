"""The part of the fake Asterisk that has phones and voicemail boxes.

pbx.phones["PJSIP/200"] = "online"
pbx.mailboxes["1001@default"] = (2, 1)     # new and old messages
await pbx.device("PJSIP/200", "RINGING")   # as if that phone rang
"""

import re
from typing import Any

_VM_INFO = re.compile(r"VM_INFO\((.+),count,(INBOX|Old)\)")


class FakePeople:
    def __init__(self) -> None:
        super().__init__()
        self.phones: dict[str, str] = {}  # device → online, offline
        self.mailboxes: dict[str, tuple[int, int]] = {}
        self.watched: set[str] = set()  # devices whose states are told

    async def emit(self, type: str, **fields: Any) -> None:
        raise NotImplementedError

    async def device(self, name: str, state: str) -> None:
        """Its state changes: told where somebody watches it."""
        if name in self.watched:
            await self.emit("DeviceStateChanged", device_state={"name": name, "state": state})

    def watch(self, sources: str) -> bool:
        """Whether these are event sources of devices; then they are watched from now on."""
        names = [source.removeprefix("deviceState:") for source in sources.split(",")]
        if not sources.startswith("deviceState:"):
            return False
        self.watched |= {*names}
        return True

    def function(self, variable: str) -> str | None:
        """What the dialplan function gives; None for what is no function of voicemail."""
        if not (asked := _VM_INFO.fullmatch(variable)):
            return None
        box, folder = asked.groups()
        if box not in self.mailboxes:
            return ""
        return str(self.mailboxes[box][folder == "Old"])

    async def _endpoints_list(self, asked: dict[str, Any]) -> Any:
        return [
            {
                "technology": device.partition("/")[0],
                "resource": device.partition("/")[2],
                "state": state,
                "channel_ids": [],
            }
            for device, state in self.phones.items()
        ]
