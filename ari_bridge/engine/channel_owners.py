"""Whose a channel is, if its name does not say so.

Channels that we create are named after their call (`ids`). A caller's channel, that of a SIP client of our user, one
that replaced another, and a party that another call gave over have Asterisk's own ids, or another call's: those are
here.
"""

from ari_bridge.fsm.call import Call, PartyState, Resource, Target
from ari_bridge.ids import Kind, party_id, resource_id

Owner = tuple[str, Resource, Target]
"""The call's id, what the channel is to the call, and which media leg or party it is of."""


class ChannelOwners:
    """Of every call, by channel id."""

    def __init__(self) -> None:
        self._owners: dict[str, Owner] = {}

    def get(self, channel: str) -> Owner | None:
        return self._owners.get(channel)

    def update(self, call: Call) -> None:
        """Own what the call has now."""
        if call.far_channel != resource_id(call.id, Kind.FAR):
            self._owners[call.far_channel] = (call.id, Resource.FAR, None)
        if call.near:
            self._owners[call.near.id] = (call.id, Resource.NEAR, None)
        for party in call.parties:
            if party.channel == party_id(call.id, party.number):
                continue
            if party.state is not PartyState.GONE:
                self._owners[party.channel] = (call.id, Resource.PARTY, party.ref)
            elif self._owners.get(party.channel) == (call.id, Resource.PARTY, party.ref):
                del self._owners[party.channel]

    def forget(self, call: Call) -> None:
        """The call has ended. A channel that another call owns by now stays owned."""
        near = [call.near.id] if call.near else []
        for channel in [call.far_channel, *near, *(party.channel for party in call.parties)]:
            if self._owners.get(channel, ("",))[0] == call.id:
                del self._owners[channel]
