"""Sending DTMF: digits are queued, and sent by one request at a time to everybody who is talked to."""

import asyncio
from collections import deque

from ari_bridge.engine.call_context import CallContext
from ari_bridge.errors import PeerError, TooMany
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.notifications import RequestRefused

MAX_QUEUED_DIGITS = 64
"""About 13 seconds of tones."""


class DtmfSender:
    """The digits of one call."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        self._digits: deque[str] = deque()
        self._sending = False

    def check(self, digits: str) -> None:
        """Raises TooMany if so many digits are queued already that these would be far too late."""
        if len(self._digits) + len(digits) > MAX_QUEUED_DIGITS:
            raise TooMany(f"{len(self._digits)} digits wait to be sent already.", field="digits")

    def send(self, digits: str) -> None:
        """Send them after those that are queued."""
        self._digits.extend(digits)
        if not self._sending:
            self._sending = True
            self._context.requests.start(self._drain())

    async def _drain(self) -> None:
        context = self._context
        try:
            while self._digits and context.call.state.live:
                digits = "".join(self._digits)
                self._digits.clear()
                channels = context.backends.ari.channels
                await asyncio.gather(*(channels.send_dtmf(one, digits) for one in _channels_talked_to(context.call)))
        except PeerError as error:
            context.log.warning("sending digits failed", reason=str(error))
            if context.call.state.live:
                context.notify(RequestRefused("digits", str(error)))
        finally:
            self._sending = False


def _channels_talked_to(call: Call) -> list[str]:
    far = [call.far_channel] if call.far_present else []
    return far + [party.channel for party in call.parties if party.talking]
