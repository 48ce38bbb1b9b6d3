"""Whether Asterisk can do what a call needs: found out by making a media leg, and releasing it at once.

There is no other way to find out: with a restart pending (`core restart gracefully`) ARI responds as usual and makes no
channel; the same without chan_rtp, RTP ports or descriptors. And only on a channel can it be asked whether the dialplan
has a context (`DIALPLAN_EXISTS()`; 16.28 and 22.10 measured).
"""

import asyncio
import contextlib
import secrets

import structlog

from ari_bridge import tasks
from ari_bridge.ari.client import Ari
from ari_bridge.errors import PeerError, PeerRefused, Unavailable
from ari_bridge.net import RtpAddress
from ari_bridge.outcomes import Detail

RETRY_INTERVAL_S = 2.0
RECHECK_DELAY_S = 0.2
"""From a 5xx to the try that it causes: a burst of them causes one."""
MARK = "readiness"
"""Prefix of such a channel's name: it is not a caller, and is not reported."""
CONTEXT_CURE = "name one that it has in DIAL_CONTEXT, or add it and `asterisk -rx 'dialplan reload'`"
MEDIA_CURE = "`asterisk -rx 'module load chan_rtp.so'` (and in modules.conf), or free ports in rtp.conf"
_NOWHERE = RtpAddress("127.0.0.1", 9)  # the discard port: nothing is sent, as the channel is in no bridge

log = structlog.get_logger(__name__)


class Readiness:
    """Checks whether Asterisk can do what a call needs, and keeps `Ari.blocked` and `Ari.missing_context` up to date.

    It checks after each connect, at once after a 5xx, and at an interval.

    Args:
        ari: the connection.
        context: the dialplan context that calls start in; "" if none does.
        interval: seconds between checks while all is well. Each costs Asterisk a channel, and a CDR if it writes one
            for every channel.
    """

    def __init__(self, ari: Ari, context: str, interval: float) -> None:
        self.reason = ""
        """What is wrong, for the operator; "" if nothing is."""
        self.calls = True
        """Whether existing calls can get new media, and new ones can be made."""
        self._ari = ari
        self._context = context
        self._interval = interval
        self._check_wanted = asyncio.Event()
        self._check_again = False  # since the last try began
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._ari.on_server_error(self._check_wanted.set)
        self._ari.on_connect(self._connected)
        self._running = asyncio.create_task(self._check_loop(), name="readiness")

    async def close(self) -> None:
        await tasks.cancel(self._running)

    def use(self, context: str) -> None:
        """Calls start in this context from now on, or in none (""): check at once."""
        self._context = context
        self._check_soon()

    async def _check_loop(self) -> None:
        while True:
            self._check_again = False
            if self._ari.connected:
                try:
                    await self.check()
                except Exception:
                    log.exception("unexpected error while checking Asterisk's readiness")
            if not self._check_again:
                self._check_wanted.clear()  # by what was tried just now, too
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_INTERVAL_S if self.reason else self._interval):
                    await self._check_wanted.wait()
                    await asyncio.sleep(RECHECK_DELAY_S)

    async def _connected(self) -> None:
        """It may be another Asterisk: earlier results do not apply."""
        self._check_soon()

    def _check_soon(self) -> None:
        self._check_again = True
        self._check_wanted.set()

    async def check(self) -> None:
        """Check now. An Asterisk that does not respond, or rejects our credentials, is reported elsewhere."""
        channel, context = f"{MARK}-{secrets.token_hex(8)}", self._context
        try:
            await self._ari.channels.external_media(channel, _NOWHERE)
            exists = await self._ari.channels.context_exists(channel, context) if context else True
        except PeerRefused as error:
            if error.status >= 500:
                await self._diagnose(str(error))
            return
        except PeerError:
            return
        finally:
            await self._hang_up(channel)
        self._ari.blocked = None
        self._ari.missing_context = "" if exists else context
        missing = f"the dialplan has no context {context}, in which calls begin: {CONTEXT_CURE}"
        self._report("" if exists else missing, True)

    async def _diagnose(self, refusal: str) -> None:
        """Asterisk makes no media leg: does it make any channel?"""
        channel = f"{MARK}-{secrets.token_hex(8)}"
        try:
            await self._ari.channels.create(channel, f"Local/{MARK}@{MARK}/n")
        except PeerRefused as error:
            if error.status < 500:
                return
            reason = "Asterisk makes no channels: a restart or stop is pending (`core restart gracefully`; `core abort "
            reason += "shutdown` takes it back), or it is out of descriptors or memory"
            self._ari.blocked = Unavailable(reason, RETRY_INTERVAL_S, Detail.PBX_RESTARTS)
            self._report(reason, True)
        except PeerError:
            return
        else:
            reason = f"Asterisk makes no media legs: {MEDIA_CURE}"
            self._ari.blocked = Unavailable(f"{reason} ({refusal})", RETRY_INTERVAL_S, Detail.PBX_REFUSES)
            self._report(reason, False)
        finally:
            await self._hang_up(channel)

    def _report(self, reason: str, calls: bool) -> None:
        if reason and reason != self.reason:
            log.error("Asterisk is not ready for calls", reason=reason)
        elif self.reason and not reason:
            log.warning("Asterisk is ready for calls again")
        self.reason, self.calls = reason, calls

    async def _hang_up(self, channel: str) -> None:
        try:
            await self._ari.channels.hangup(channel)
        except PeerError as error:
            log.debug("cannot hang up the channel of a readiness check", reason=str(error))
