"""Message counts of the mailboxes of the PBX's app_voicemail.

ARI's `mailboxes` cannot be used: they are for voicemail outside Asterisk (res_mwi_external), and a PBX has either
that or app_voicemail. The dialplan function VM_INFO returns app_voicemail's counts, but ARI evaluates functions only
on channels (`GET /asterisk/variable` does not; measured with 16.28 and 22.10). So a channel is created that is
never dialled, the mailboxes are read on it, and it is hung up. This needs nothing in the dialplan.

Each method raises PeerRefused, PeerTimeout or PeerUnreachable.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ari_bridge.ari.models import Variable
from ari_bridge.ari.rest import RestClient, exists, read

MARK = "mailboxes"
"""The Stasis argument of such a channel: it is not a caller."""
CHANNEL_LIFETIME_S = 60
"""Asterisk hangs the channel up after that, in case the process dies before it can."""
MAX_BOXES_PER_CHANNEL = 200
"""So that the lifetime of the channel is long enough."""

_MAILBOX = re.compile(r"[A-Za-z0-9_.-]{1,64}@[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Messages:
    """How many messages a mailbox has; urgent ones count as new."""

    new: int
    old: int


class Mailboxes:
    def __init__(self, requests: RestClient, app: str) -> None:
        self._requests = requests
        self._app = app

    async def count(self, mailboxes: Sequence[str], known: Mapping[str, Messages] | None = None) -> dict[str, Messages]:
        """The messages in each box (`NUMBER@CONTEXT`); boxes that do not exist are left out.

        Two requests for a box; one if the number of new messages is the same as in `known`: then none was listened to.
        If the PBX has no voicemail, no box exists. Raises ValueError for an invalid name.
        """
        if bad := [box for box in mailboxes if not _MAILBOX.fullmatch(box)]:
            raise ValueError(f"{bad[0][:80]!r} is not a mailbox: NUMBER@CONTEXT")
        counted: dict[str, Messages] = {}
        for first in range(0, len(mailboxes), MAX_BOXES_PER_CHANNEL):
            counted |= await self._count(mailboxes[first : first + MAX_BOXES_PER_CHANNEL], known or {})
        return counted

    async def _count(self, mailboxes: Sequence[str], known: Mapping[str, Messages]) -> dict[str, Messages]:
        channel = f"{MARK}-{secrets.token_hex(8)}"
        try:
            # Never dialled: the dialplan need not have such an extension.
            await self._requests.send(
                "channels",
                "create",
                endpoint=f"Local/{MARK}@{MARK}/n",
                app=self._app,
                appArgs=MARK,
                channelId=channel,
                formats="ulaw",
            )
            await self._read(channel, f"SET(TIMEOUT(absolute)={CHANNEL_LIFETIME_S})")
            counted = {box: await self._messages(channel, box, known.get(box)) for box in mailboxes}
        finally:
            await exists(self._requests.send("channels", "hangup", channelId=channel))
        return {box: messages for box, messages in counted.items() if messages}

    async def _messages(self, channel: str, box: str, known: Messages | None) -> Messages | None:
        new = await self._read(channel, f"VM_INFO({box},count,INBOX)")
        if not new.isdecimal():
            return None
        if known and known.new == int(new):
            return known
        old = await self._read(channel, f"VM_INFO({box},count,Old)")
        return Messages(int(new), int(old) if old.isdecimal() else 0)

    async def _read(self, channel: str, variable: str) -> str:
        reply = await self._requests.send("channels", "getChannelVar", channelId=channel, variable=variable)
        return read(reply, Variable).value
