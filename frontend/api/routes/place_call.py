"""`POST /invite` and the verbs, as work that is done once. frontend/http/idempotency.py sees to it that it is."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from ari_bridge.call_store import Key, StoredResponse
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import CallFailed, UnknownCall, WrongState
from frontend.calls.views import client_state
from frontend.http.idempotency import OutcomeUnknown
from frontend.http.long_poll import CallSnapshot
from frontend.http.middleware import problem_of
from frontend.http.problems import MEDIA_TYPE


class Invited(Protocol):
    """What `POST /invite` takes."""

    @property
    def target(self) -> str: ...
    @property
    def sdp(self) -> str: ...
    @property
    def caller(self) -> str | None: ...
    @property
    def prefer(self) -> str | None: ...


class PlaceCallOperation:
    """A call to be placed for `user`; None: nobody signs in."""

    def __init__(self, calls: CallManager, invite: Invited, user: str | None) -> None:
        self._calls = calls
        self._invite = invite
        self._user = user

    def begin(self, call_id: str) -> None:
        """Raises InvalidTarget, InvalidSdp, InvalidRequest, WrongState, TooMany, Unavailable."""
        self._calls.place(
            target=self._invite.target,
            sdp=self._invite.sdp,
            caller=self._user or self._invite.caller or "",
            user=self._user,
            call_id=call_id,
            prefer=self._invite.prefer or "",
        )

    async def answer(self, call_id: str) -> StoredResponse:
        try:
            sdp = await self._calls.answered(call_id)
        except CallFailed as error:
            told, _ = problem_of(error)
            return StoredResponse(told.status, msgspec.json.encode(told).decode(), MEDIA_TYPE)
        placed = {"callId": call_id, "sdp": sdp, "state": client_state(self._calls.get(call_id))}
        return StoredResponse(201, msgspec.json.encode(placed).decode())

    async def found(self, key: Key) -> StoredResponse | None:
        """The SDP answer died with the server, the call perhaps not: the same offer makes it a new leg then.

        Raises WrongState (another page has it now), Unavailable (not adopted yet).
        """
        try:
            call = self._calls.get(key.call_id)
        except UnknownCall:
            return None
        if call.user != self._user or call.created_at < key.kept_at:
            return None  # an id that the client chose, and that was taken
        if call.state.live and not call.offer:  # adopted: no offer is kept
            self._calls.renew_media(call.id, sdp=self._invite.sdp, prefer=self._invite.prefer or "")
        elif call.state.live and call.offer != self._invite.sdp:
            raise WrongState(f"The call {call.id} stands, and another page has its media now.", field="callId")
        return await self.answer(call.id)

    def abandon(self, call_id: str) -> None:
        self._calls.hangup(call_id)  # nobody could hang it up any more


class CommandOperation:
    """Something that is begun at once, and answered with how the call stands right after."""

    def __init__(self, calls: CallManager, act: Callable[[], None]) -> None:
        self._calls = calls
        self._act = act

    def begin(self, call_id: str) -> None:
        self._act()

    async def answer(self, call_id: str) -> StoredResponse:
        shown = CallSnapshot.of(self._calls.get(call_id))
        return StoredResponse(202, shown.body.decode(), tag=shown.tag)

    async def found(self, key: Key) -> StoredResponse | None:
        """Raises OutcomeUnknown."""
        raise OutcomeUnknown(key.call_id)

    def abandon(self, call_id: str) -> None:
        """What is begun goes on."""
