"""ARI channels. Each method raises PeerRefused, PeerTimeout or PeerUnreachable."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from ari_bridge.ari.channel_wakeup import WAKEUP_VARIABLE, with_wakeup
from ari_bridge.ari.hangup_reasons import hangup_reason
from ari_bridge.ari.http import PEER, Reply
from ari_bridge.ari.models import Channel, Variable
from ari_bridge.ari.rest import RestClient, exists, get_or_none, read
from ari_bridge.errors import PeerError, PeerRefused
from ari_bridge.net import RtpAddress

HELD = "CHANNEL(rtp,hold)"
LIMIT = "TIMEOUT(absolute)"
_SIP_CHANNEL = re.compile(r"PJSIP/[A-Za-z0-9_.-]{1,80}-[0-9a-f]{8}")
_SIP_STATUS = re.compile(r"SIP ([3-6]\d\d)\b")
DTMF_DURATION_MS = 100

log = structlog.get_logger(__name__)


class _ExternalMedia(msgspec.Struct):
    """`channelvars` says where Asterisk receives RTP."""

    channelvars: dict[str, str] = {}


class Channels:
    """`longest_s`: seconds after which Asterisk itself hangs up a channel that we create or answer; 0: never.

    A dead man's switch: it works without any process of ours.
    """

    def __init__(self, requests: RestClient, app: str) -> None:
        self._requests = requests
        self.app = app
        self.longest_s = 0

    async def create(
        self,
        channel_id: str,
        endpoint: str,
        *,
        caller: str = "",
        caller_name: str = "",
        user: str = "",
        on_behalf_of: str = "",
        kind: str = "",
    ) -> Channel:
        """Make a channel that is not dialled yet. Its StasisStart may come before this returns.

        Args:
            channel_id: Its id.
            endpoint: What it dials.
            caller: What the far side is shown: the connected line of a channel that calls out.
            caller_name: The same, the name.
            user: For the dialplan: which user of ours calls (ARI_BRIDGE_USER). No caller from outside can set it, nor
                the next two.
            on_behalf_of: For the dialplan: which user of ours has caused this leg (ARI_BRIDGE_ON_BEHALF_OF).
            kind: For the dialplan: why (ARI_BRIDGE_KIND), as `dial_permissions.LegKind` has it.
        """
        shown = _variables(
            {
                "CONNECTEDLINE(num,i)": caller,
                "CONNECTEDLINE(name,i)": caller_name,
                LIMIT: str(self.longest_s or ""),
                "ARI_BRIDGE_USER": user,
                "__ARI_BRIDGE_ON_BEHALF_OF": on_behalf_of,
                "__ARI_BRIDGE_KIND": kind,
            }
        )
        # A Local channel would take the best sound there is, 192 kHz in Asterisk 22: each frame then is turned into it
        # and back, and a conference loses its sound. What is at its other end chooses its own codec all the same.
        formats = {"formats": "ulaw"} if endpoint.startswith("Local/") else {}
        reply = await self._requests.send(
            "channels", "create", endpoint=endpoint, app=self.app, channelId=channel_id, **formats, **shown
        )
        return read(reply, Channel)

    async def external_media(
        self, channel_id: str, rtp: RtpAddress, *, caller: str = "", caller_name: str = ""
    ) -> RtpAddress:
        """Make a channel that sends PCMU to `rtp`; returns where Asterisk receives it.

        `caller` and `caller_name`: who speaks there. Asterisk shows them to whom the channel is bridged with.
        """
        reply = await self._requests.send(
            "channels",
            "externalMedia",
            app=self.app,
            channelId=channel_id,
            external_host=str(rtp),
            format="ulaw",
            **_variables({"CALLERID(num)": caller, "CALLERID(name)": caller_name, LIMIT: str(self.longest_s or "")}),
        )
        media = read(reply, _ExternalMedia)
        try:
            host = media.channelvars["UNICASTRTP_LOCAL_ADDRESS"]
            return RtpAddress(host, int(media.channelvars["UNICASTRTP_LOCAL_PORT"]))
        except (KeyError, ValueError) as error:
            raise PeerRefused(PEER, reply.request, f"the response has no valid RTP address: {error}") from error

    async def dial(self, channel_id: str, *, timeout: int) -> None:  # noqa: ASYNC109 (it is Asterisk's)
        """Dial a created channel; `timeout` in seconds."""
        await self._woken(channel_id, "dial", timeout=timeout)

    async def ring(self, channel_id: str) -> None:
        """Let the caller hear that it rings."""
        await self._woken(channel_id, "ring")

    async def answer(self, channel_id: str) -> None:
        await self._woken(channel_id, "answer")
        if self.longest_s:
            await self.prolong(channel_id)

    async def prolong(self, channel_id: str) -> None:
        """It may last `longest_s` from now on; no error if that fails.

        Reading SET() as a variable runs at once, and does not wait for the channel.
        """
        variable = f"SET({LIMIT}={self.longest_s})"
        try:
            await self._requests.send("channels", "getChannelVar", channelId=channel_id, variable=variable)
        except PeerError as error:  # the call is up all the same, and our own limit ends it
            log.warning("Asterisk will not end a call by itself", channel=channel_id, reason=str(error))

    async def hangup(self, channel_id: str, *, reason: str = "normal") -> bool:
        """False: it did not exist any more. `reason`: ARI's words, e.g. normal, busy, congestion, no_answer."""
        return await exists(self._requests.send("channels", "hangup", channelId=channel_id, reason=reason))

    async def hang_up_with(self, channel_id: str, q850: int) -> bool:
        """Hang up with a Q.850 cause, of which a SIP channel that is not answered makes its final response.

        ARI takes any cause from 18 on; 16 has words for a few, and gets the closest. False: it did not exist any more.
        """
        if self._requests.takes("channels", "hangup", "reason_code"):
            return await exists(self._requests.send("channels", "hangup", channelId=channel_id, reason_code=q850))
        return await self.hangup(channel_id, reason=hangup_reason(q850))

    async def set_caller(self, channel_id: str, number: str, name: str) -> None:
        """Who is at this end of a channel, as shown to those that it is bridged with, whatever it said of itself.

        Also how long it may last at most (`longest_s`).
        """
        shown = {"CALLERID(num)": number, "CALLERID(name)": name, "CALLERID(ani)": number}
        if self.longest_s:
            shown[LIMIT] = str(self.longest_s)
        for variable, value in shown.items():
            await self._woken(channel_id, "setChannelVar", variable=variable, value=value)

    async def renegotiate(self, channel_id: str) -> None:
        """Send a re-INVITE to the SIP client of an answered PJSIP channel (chan_pjsip, since 13.12).

        Asterisk sends none that would change nothing: so this one offers PCMA besides.
        """
        for variable, value in (("PJSIP_MEDIA_OFFER(audio)", "ulaw,alaw"), ("PJSIP_SEND_SESSION_REFRESH()", "invite")):
            await self._woken(channel_id, "setChannelVar", variable=variable, value=value)

    async def mute(self, channel_id: str) -> None:
        """Let no sound through, neither what the channel says nor what it is to hear."""
        await self._woken(channel_id, "mute", direction="both")

    async def unmute(self, channel_id: str) -> None:
        await self._woken(channel_id, "unmute", direction="both")

    async def send_dtmf(self, channel_id: str, digits: str) -> None:
        """Send digits, 100 ms each and 100 ms apart, after those that were sent before."""
        await self._woken(channel_id, "sendDTMF", dtmf=digits, duration=DTMF_DURATION_MS, between=DTMF_DURATION_MS)

    async def continue_in_dialplan(self, channel_id: str, *, variables: Mapping[str, str]) -> bool:
        """Continue in the dialplan after Stasis(), with `variables` set. False: it did not exist any more."""
        for name, value in variables.items():
            set_variable = self._woken(channel_id, "setChannelVar", variable=name, value=value)
            if not await exists(set_variable):
                return False
        went_on = await exists(self._woken(channel_id, "continueInDialplan"))
        await self.unsubscribe(channel_id)  # from now on it is the dialplan's alone
        return went_on

    async def subscribe(self, channel_id: str) -> bool:
        """Receive a channel's events until it is destroyed, also after it has left our application.

        False: it does not exist any more. Channels that we made need no subscription. One that came by the dialplan's
        Stasis() does: its ChannelDestroyed, which says why it ended, mostly comes after it has left the application.
        """
        request = self._requests.send(
            "applications", "subscribe", applicationName=self.app, eventSource=f"channel:{channel_id}"
        )
        return await exists(request, gone=(422,))

    async def unsubscribe(self, channel_id: str) -> bool:
        """Receive no more events of a channel. False: there was no subscription, or the channel does not exist."""
        request = self._requests.send(
            "applications", "unsubscribe", applicationName=self.app, eventSource=f"channel:{channel_id}"
        )
        return await exists(request, gone=(404, 409, 422))

    async def get(self, channel_id: str) -> Channel | None:
        """The channel as it is now; None if it no longer exists."""
        return await get_or_none(self._requests.send("channels", "get", channelId=channel_id), Channel)

    async def held_by_phone(self, channel: Channel) -> bool | None:
        """Whether the phone behind a SIP channel holds the call; None if the channel has ended or cannot say.

        ARI reports a hold only by events. This reads chan_pjsip's CHANNEL(), as Asterisk 16.28 and 22.10 have it.
        """
        if not channel.name.startswith("PJSIP/"):
            return None
        try:
            reply = await self._requests.send("channels", "getChannelVar", channelId=channel.id, variable=HELD)
        except PeerRefused:
            return None
        return {"1": True, "0": False}.get(read(reply, Variable).value)

    async def context_exists(self, channel_id: str, context: str) -> bool:
        """Whether the dialplan has it, as `DIALPLAN_EXISTS()` on a channel says; True where that cannot be asked."""
        variable = f"DIALPLAN_EXISTS({context})"
        try:
            reply = await self._requests.send("channels", "getChannelVar", channelId=channel_id, variable=variable)
        except PeerRefused:
            return True  # without func_dialplan
        return read(reply, Variable).value != "0"

    async def sip_status(self, channel_id: str, ended: str) -> int:
        """The final SIP response by which the PJSIP channel of the name `ended` failed; 0: not known.

        `channel_id`: one that was bridged with it. Asterisk gives the cause of a channel to those that it is bridged
        with, and tells it by HANGUPCAUSE() as `SIP 403 Forbidden` (16.28 and 22.10 measured).
        """
        if not _SIP_CHANNEL.fullmatch(ended):
            return 0
        variable = f"HANGUPCAUSE({ended},tech)"
        try:
            reply = await self._requests.send("channels", "getChannelVar", channelId=channel_id, variable=variable)
        except PeerRefused:
            return 0
        status = _SIP_STATUS.match(read(reply, Variable).value)
        return int(status[1]) if status else 0

    async def list(self) -> list[Channel]:
        """All channels of the PBX, also those that are not ours."""
        return read(await self._requests.send("channels", "list"), list[Channel])

    async def _woken(self, channel_id: str, operation: str, **parameters: Any) -> Reply:
        command = self._requests.send("channels", operation, channelId=channel_id, **parameters)
        return await self.woken(channel_id, command)

    async def woken(self, channel_id: str, command: Any) -> Reply:
        """The command, with its channel woken where this Asterisk needs it."""
        if not self._requests.legacy:
            reply: Reply = await command
            return reply
        reply = await with_wakeup(
            command,
            lambda: self._requests.send("channels", "getChannelVar", channelId=channel_id, variable=WAKEUP_VARIABLE),
        )
        return reply


def _variables(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The body that sets channel variables; those without a value are left as they are."""
    given = {name: value for name, value in values.items() if value}
    return {"variables": given} if given else {}
