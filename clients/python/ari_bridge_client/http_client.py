"""The HTTP API: everything that can be asked without a WebSocket.

async with HttpClient("http://127.0.0.1:3000") as http:
    await http.sign_in("1001", "password")
    async for call in http.calls(live=True):
        print(call.call_id, call.state)
"""

import asyncio
import math
import ssl
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import msgspec

from ari_bridge_client import download, event_stream, models
from ari_bridge_client.errors import ConnectionFailed
from ari_bridge_client.http_transport import KEY, Patience, Reply, Requests
from ari_bridge_client.models import CallInfo
from ari_bridge_client.token_keeper import TokenProvider
from ari_bridge_client.urls import http_url
from ari_bridge_protocol.messages import PersonSummary
from ari_bridge_protocol.outcomes import Outcome

T = TypeVar("T")
Page = TypeVar("Page", models.CallPage, models.RecordingPage, models.RecordPage)
MOST_WAIT = 60.0
"""Seconds that the server holds an answer back at most."""
_LOOK_SECONDS = 20.0  # another token may be set at any time
_NO_CHANGE = frozenset({304})
_UNWELL = frozenset({503})


class HttpClient:
    """`url`: the server's, http(s):// or ws(s)://. `token`: from `sign_in`, or from elsewhere; may be set anew.

    A token is renewed before it ends, as long as the server does that (a week after the password was given). Then, and
    where the server takes it no more, another one comes from the password of `sign_in`, or from the `token_provider`.

    Every method raises Problem where the server says no, ConnectionFailed where it is not reached or cannot be
    understood. What is safe to ask again (GET, and POST with an idempotency key) is, within the `patience`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        token_provider: TokenProvider | None = None,
        tls: ssl.SSLContext | None = None,
        patience: Patience = Patience(),  # noqa: B008  frozen
    ) -> None:
        self.url = http_url(url)
        self._requests = Requests(self.url, token=token, tls=tls, patience=patience, token_provider=token_provider)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Safe to repeat."""
        await self._requests.close()

    @property
    def token(self) -> str | None:
        return self._requests.tokens.token

    @token.setter
    def token(self, token: str | None) -> None:
        self._requests.tokens.token = token

    async def sign_in(self, user: str, password: str) -> models.Session:
        """The session's token is used from now on."""
        return await self._requests.tokens.sign_in(user, password)

    async def renew_sign_in(self) -> models.Session:
        """Another token for the one that still holds; done by itself before it ends."""
        return await self._requests.tokens.renew()

    async def sign_in_again(self) -> bool:
        """Whether there is another token, in place of one that the server takes no more."""
        return await self._requests.tokens.again(self.token)

    async def stay_signed_in(self) -> None:
        """For ever: has the token renewed in time also where nothing is asked for hours."""
        while True:
            due = self._requests.tokens.due_in
            await asyncio.sleep(_LOOK_SECONDS if due is None else min(due, _LOOK_SECONDS))
            await self._requests.tokens.keep()

    # --- calls -----------------------------------------------------------------------

    async def invite(
        self,
        target: str,
        sdp: str,
        *,
        caller: str | None = None,
        call_id: str | None = None,
        prefer: Literal["opus", "pcmu"] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Invited:
        """Call a number with an SDP offer of yours.

        One is placed, however often it must be asked. With a key of your own that holds over your restarts too.
        """
        body = {"target": target, "sdp": sdp, "caller": caller, "callId": call_id, "prefer": prefer}
        body = {name: value for name, value in body.items() if value is not None}
        headers = {KEY: idempotency_key or str(uuid.uuid4())}
        return self._read(await self._requests.send("POST", "/invite", body=body, headers=headers), models.Invited)

    async def call(self, call_id: str, *, wait: float = 0.0, known: CallInfo | None = None) -> CallInfo:
        """The call as it stands, or how it ended.

        `wait`: up to so many whole seconds (60 at most) for the next change; with `known`, for another version than
        that one, and `known` itself where nothing has changed.
        """
        headers = {"If-None-Match": known.etag} if known and known.etag else {}
        reply = await self._requests.send(
            "GET",
            f"/call/{_in_path(call_id)}",
            query={"wait": math.ceil(min(wait, MOST_WAIT))} if wait else None,
            headers=headers,
            wait=wait,
            taken=_NO_CHANGE if known else frozenset(),
        )
        if reply.status == 304 and known:
            return known
        return self._call(reply)

    async def watch(self, call_id: str, *, wait: float = 30.0) -> AsyncIterator[CallInfo]:
        """The call as it stands, then at each change; the last one has ended."""
        call = await self.call(call_id)
        yield call
        while call.state != "ended":
            later = await self.call(call_id, wait=wait, known=call)
            if later is not call:
                call = later
                yield call

    async def calls(
        self,
        *,
        live: bool | None = None,
        state: str | None = None,
        direction: Literal["inbound", "outbound"] | None = None,
        number: str | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CallInfo]:
        """Your calls, the newest first: those that stand, and those that are remembered. `limit`: of one page."""
        query: dict[str, Any] = {"live": live, "state": state, "direction": direction, "number": number}
        query |= {"since": since, "until": until, "limit": limit}
        async for page in self._pages("/calls", query, models.CallPage):
            for call in page.calls:
                yield call

    async def hangup(self, call_id: str) -> None:
        await self._requests.send("DELETE", f"/call/{_in_path(call_id)}")

    async def hold(self, call_id: str) -> CallInfo:
        return await self._verb(call_id, "hold", {"held": True})

    async def unhold(self, call_id: str) -> CallInfo:
        return await self._verb(call_id, "hold", {"held": False})

    async def transfer(self, call_id: str, target: str, *, idempotency_key: str | None = None) -> CallInfo:
        """Blind; how it ends is seen in `call` and `events`, as with all that takes time.

        With an idempotency key it is safe to repeat, and is repeated, as all that take one.
        """
        return await self._verb(call_id, "transfer", {"target": target}, idempotency_key)

    async def attended_transfer(
        self, call_id: str, other_call_id: str, *, idempotency_key: str | None = None
    ) -> CallInfo:
        return await self._verb(call_id, "transfer", {"toCallId": other_call_id}, idempotency_key)

    async def add_party(self, call_id: str, target: str, *, idempotency_key: str | None = None) -> CallInfo:
        return await self._verb(call_id, "parties", {"target": target}, idempotency_key)

    async def merge(self, call_id: str, other_call_id: str, *, idempotency_key: str | None = None) -> CallInfo:
        """The party of another call becomes one of this call; the other call ends."""
        return await self._verb(call_id, "parties", {"fromCallId": other_call_id}, idempotency_key)

    async def drop_party(self, call_id: str, party: int) -> None:
        await self._requests.send("DELETE", f"/call/{_in_path(call_id)}/parties/{party}")

    async def leave(self, call_id: str) -> CallInfo:
        return await self._verb(call_id, "leave", {})

    async def record(self, call_id: str, action: Literal["start", "pause", "resume", "stop"] = "start") -> CallInfo:
        return await self._verb(call_id, "record", {"action": action})

    async def send_dtmf(self, call_id: str, digits: str) -> CallInfo:
        return await self._verb(call_id, "dtmf", {"digits": digits})

    async def post_feedback(self, call_id: str, score: int, issue: str | None = None, comment: str = "") -> None:
        body: dict[str, Any] = {"score": score, "comment": comment} | ({"issue": issue} if issue else {})
        await self._requests.send("POST", f"/call/{_in_path(call_id)}/feedback", body=body)

    # --- what is kept ------------------------------------------------------------------

    async def recordings(
        self,
        *,
        call_id: str | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.RecordingInfo]:
        """The newest first. `limit`: of one page."""
        query = {"callId": call_id, "since": since, "until": until, "limit": limit}
        async for page in self._pages("/recordings", query, models.RecordingPage):
            for recording in page.recordings:
                yield recording

    async def recording(self, name: str) -> models.RecordingInfo:
        return self._read(await self._requests.send("GET", f"/recordings/{_in_path(name)}"), models.RecordingInfo)

    async def download_recording(self, name: str, path: str | Path) -> models.RecordingInfo:
        """Into a WAV file, which is there when it is whole, and not before. Raises DownloadFailed, OSError also."""
        recording = await self.recording(name)
        await download.to_file(self._requests, recording, Path(path))
        return recording

    async def delete_recording(self, name: str) -> None:
        await self._requests.send("DELETE", f"/recordings/{_in_path(name)}")

    async def cdrs(
        self,
        *,
        user: str | None = None,
        direction: Literal["inbound", "outbound"] | None = None,
        outcome: Outcome | None = None,
        number: str | None = None,
        match: Literal["contains", "prefix"] | None = None,
        since: float | None = None,
        until: float | None = None,
        min_seconds: float | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.CallRecord]:
        """Call detail records, the newest first. `limit`: of one page."""
        query: dict[str, Any] = {
            "user": user,
            "direction": direction,
            "outcome": outcome and outcome.value,
            "number": number,
        }
        query |= {"match": match, "since": since, "until": until, "minSeconds": min_seconds, "limit": limit}
        async for page in self._pages("/cdrs", query, models.RecordPage):
            for record in page.cdrs:
                yield record

    async def cdr(self, call_id: str) -> models.CallRecord:
        return self._read(await self._requests.send("GET", f"/cdrs/{_in_path(call_id)}"), models.CallRecord)

    # --- people ------------------------------------------------------------------------

    async def people(self) -> list[PersonSummary]:
        return self._read(await self._requests.send("GET", "/people"), models.People).people

    async def preferences(self, *, user: str | None = None) -> models.PreferenceInfo:
        """`user`: whose, where there is no sign-in."""
        reply = await self._requests.send("GET", "/me/preferences", query={"user": user})
        return self._read(reply, models.PreferenceInfo)

    async def set_preferences(
        self, preferences: models.PreferenceInfo, *, user: str | None = None
    ) -> models.PreferenceInfo:
        """All of them at once; what is kept comes back."""
        reply = await self._requests.send("PUT", "/me/preferences", query={"user": user}, body=preferences)
        return self._read(reply, models.PreferenceInfo)

    # --- the server --------------------------------------------------------------------

    async def config(self) -> models.Config:
        return self._read(await self._requests.send("GET", "/config"), models.Config)

    async def health(self) -> models.Health:
        """Also where the server is unwell: that is an answer too."""
        return self._read(await self._requests.send("GET", "/health", taken=_UNWELL), models.Health)

    async def stats(self) -> dict[str, Any]:
        """Counts of calls now and since the server's start."""
        return self._read(await self._requests.send("GET", "/stats"), dict[str, Any])

    async def live(self) -> dict[str, Any]:
        """Calls, channels and bridges as they stand."""
        return self._read(await self._requests.send("GET", "/live"), dict[str, Any])

    def events(self, last_id: int | None = None) -> AsyncIterator[models.ServerEvent]:
        """What happens, as it happens, without end; `last_id`: after that one, as far as the server remembers.

        A broken stream is taken up where it broke.
        """
        return event_stream.events(self._requests, last_id)

    # --- inside ------------------------------------------------------------------------

    async def _verb(self, call_id: str, verb: str, body: dict[str, Any], key: str | None = None) -> CallInfo:
        headers = {KEY: key} if key else None
        return self._call(
            await self._requests.send("POST", f"/call/{_in_path(call_id)}/{verb}", body=body, headers=headers)
        )

    def _call(self, reply: Reply) -> CallInfo:
        return msgspec.structs.replace(self._read(reply, CallInfo), etag=reply.headers.get("ETag", ""))

    async def _pages(self, path: str, query: Mapping[str, Any], kind: type[Page]) -> AsyncIterator[Page]:
        """One after the other, each with the cursor that the page before had."""
        cursor: str | None = None
        while True:
            page = self._read(await self._requests.send("GET", path, query={**query, "cursor": cursor}), kind)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def _read(self, reply: Reply, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except msgspec.MsgspecError as error:
            raise ConnectionFailed(self.url, f"the answer is not understood: {error}", reply.status) from error


def _in_path(name: str) -> str:
    """As one piece of a path, whatever somebody calls a call."""
    return quote(name, safe="")
