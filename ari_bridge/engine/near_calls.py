"""Calls that SIP clients of our users make: the SIP edge hands each to Asterisk, and Asterisk to our application.

The channel that enters is the near side of an outbound call of that user (`Call.near`), which has to pass what every
call has to pass: dial permissions, limits, whether the PBX takes calls. One that does not is hung up with the cause
that gives the client the fitting SIP response, and there is no call.
"""

import time

import structlog

from ari_bridge.accounts.names import is_name
from ari_bridge.ari.client import Ari
from ari_bridge.ari.models import Channel
from ari_bridge.dial_permissions import LegKind
from ari_bridge.engine.admission import CallAdmission
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.hangup_causes import q850_of_refusal
from ari_bridge.engine.registry import CallRegistry
from ari_bridge.errors import BridgeError, InvalidRequest, PeerError
from ari_bridge.fsm.call import Call, CallState, Direction, Resource, SipChannel
from ari_bridge.fsm.events import Placed
from ari_bridge.guest_names import guest_key
from ari_bridge.ids import Kind, resource_id
from ari_bridge.tasks import TaskSet
from ari_bridge_protocol.call_ids import new_call_id

log = structlog.get_logger(__name__)


class NearCalls:
    """`take` makes a call of a channel; `renegotiate` gives the calls that are up another media path.

    Args:
        ari: Asterisk, whose channels they are.
        registry: the calls.
        gate: what a user may dial, and which endpoint a number is dialled at.
        admission: whether a call is admitted.
    """

    def __init__(self, ari: Ari, registry: CallRegistry, gate: DialGate, admission: CallAdmission) -> None:
        self._ari = ari
        self._registry = registry
        self._gate = gate
        self._admission = admission
        self._background = TaskSet()

    async def close(self) -> None:
        await self._background.cancel()

    def take(self, channel: Channel, target: str, user: str) -> bool:
        """`channel` has entered our application to call `target` for `user`, who has signed in at the edge.

        Returns whether there is a call now: if it is refused, the channel is hung up.
        """
        try:
            call = self._admit(channel, target, user)
        except BridgeError as refusal:
            q850 = q850_of_refusal(refusal)
            log.warning("a SIP client's call was refused", user=user, target=target, reason=str(refusal), q850=q850)
            self._background.start(self._hang_up(channel.id, q850))
            return False
        log.info("a SIP client calls", call=call.id, user=user, target=call.target, channel=channel.name)
        # It is saved, with its channel, before anything is requested.
        self._registry.add(call).post(Placed(call.created_at))
        return True

    def renegotiate(self) -> None:
        """An rtpengine has died: have Asterisk offer anew to each SIP client, so that the edge finds it another one.

        To all of them, as only the edge knows whose media it was; where it was another's, nothing changes.
        """
        for call in self._registry.live():
            if call.near and call.near_present and call.state is CallState.UP:
                self._background.start(self._renegotiate(call.id, call.near.id))

    async def _renegotiate(self, call_id: str, channel: str) -> None:
        try:
            await self._ari.channels.renegotiate(channel)
        except PeerError as error:
            log.warning("a SIP client cannot be offered anew", call=call_id, channel=channel, reason=str(error))

    def _admit(self, channel: Channel, target: str, user: str) -> Call:
        """Raises InvalidRequest, InvalidTarget, DialForbidden, TooMany, Unavailable."""
        if not is_name(user) or guest_key(user):
            raise InvalidRequest("The SIP edge does not say whose call it is.", field="user")
        number, endpoint = self._gate.resolve(user, target, LegKind.CALL, users_only=True)
        self._admission.admit(user, number, endpoint)
        call_id = new_call_id()
        return Call(
            id=call_id,
            direction=Direction.OUTBOUND,
            target=number,
            caller=user,
            created_at=time.time(),
            user=user,
            far_channel=resource_id(call_id, Kind.FAR),
            endpoint=endpoint,
            near=SipChannel(channel.id, channel.name),
            allocated=frozenset({Resource.NEAR}),
        )

    async def _hang_up(self, channel: str, q850: int) -> None:
        try:
            await self._ari.channels.hang_up_with(channel, q850)
        except PeerError as error:  # its client gives up, or the dialplan's own limit ends it
            log.error("a SIP client that was refused cannot be hung up", channel=channel, reason=str(error))
