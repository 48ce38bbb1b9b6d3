"""Whether Asterisk can do what a call needs, as it is found out by trying: a media leg is made, and released at once.

Nothing else tells: with a restart pending (`core restart gracefully`) ARI answers as ever and makes no channel; the
same without chan_rtp, RTP ports or descriptors. And only on a channel can it be asked whether the dialplan has a
context (`DIALPLAN_EXISTS()`; 16.28 and 22.10 measured).
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
"""How such a channel's name begins: it is no caller, and nobody is told of it."""
CONTEXT_CURE = "name one that it has in DIAL_CONTEXT, or add it and `asterisk -rx 'dialplan reload'`"
MEDIA_CURE = "`asterisk -rx 'module load chan_rtp.so'` (and in modules.conf), or free ports in rtp.conf"
_NOWHERE = RtpAddress("127.0.0.1", 9)  # the discard port: nothing is sent, as the channel is in no bridge

log = structlog.get_logger(__name__)


class Readiness:
    """`context`: the dialplan context that calls begin in; "" where none does. Keeps `Ari.blocked` and
    `Ari.missing_context`. `interval`: seconds between tries where all is well; each costs Asterisk a channel, and a CDR
    where it writes one for every channel. What it refuses with a 5xx is looked into at once, and so is each connect.

    `reason`: what is wrong, for the operator; "" where nothing is. `calls`: whether calls that stand can get new media,
    and new ones can be made.
    """

    def __init__(self, ari: Ari, context: str, interval: float) -> None:
        self.reason = ""
        self.calls = True
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
        """From now on calls begin in this context, or in none (""): looked at once."""
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
        """It may be another one, or the first: what was found out before says little."""
        self._check_soon()

    def _check_soon(self) -> None:
        self._check_again = True
        self._check_wanted.set()

    async def check(self) -> None:
        """Try now. A PBX that does not answer, or lets nobody in, is told of elsewhere: then nothing is learnt."""
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
