"""The HTTP API: everything that needs no WebSocket.

async with HttpClient("http://127.0.0.1:3000") as http:
    await http.sign_in("1001", "password")
    async for call in http.list_calls(live=True):
        print(call.call_id, call.state)
"""

import asyncio
import math
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import msgspec

from ari_bridge_client import api_models, download, event_stream
from ari_bridge_client.errors import ClientError, ConnectionFailed
from ari_bridge_client.http_transport import IDEMPOTENCY_KEY, HttpResponse, HttpTransport
from ari_bridge_client.models import CallInfo, CallPage, Health
from ari_bridge_client.retry import RetryPolicy
from ari_bridge_client.token_keeper import TokenProvider
from ari_bridge_client.urls import http_url
from ari_bridge_protocol.messages import CallPreferences, PersonSummary
from ari_bridge_protocol.outcomes import Outcome

T = TypeVar("T")
Page = TypeVar("Page", CallPage, api_models.RecordingPage, api_models.CdrPage)
ClientGrant = Literal["dial", "receive", "record", "monitor"]
MAX_WAIT_S = 60.0
"""The longest that the server waits for a change."""
_TOKEN_CHECK_INTERVAL_S = 20.0  # another token may be set at any time
_NOT_MODIFIED = frozenset({304})
_UNAVAILABLE = frozenset({503})


class HttpClient:
    """The HTTP API of a server. Use it as `async with`, or `close` it.

    The token of `sign_in` is refreshed before it expires, as long as the server does that (a week, by default). Then,
    and when the server rejects it, it is replaced: by the password of `sign_in`, or by the `token_provider`.

    Every method raises Problem if the server refuses, ConnectionFailed if the server is not reached or its response
    is not understood. Requests that are safe to repeat (GET, and POST with an idempotency key) are repeated.

    Args:
        url: The server's address: http(s):// or ws(s)://.
        token: A token from elsewhere; `sign_in` gets one too.
        token_provider: Returns another token when there is none, or the server accepts the last one no more.
        tls: The TLS context, e.g. with a certificate authority of your own. None: the system's.
        retry_policy: How long a request may take, with its repetitions.

    Attributes:
        token: The current token; may be set.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        token_provider: TokenProvider | None = None,
        tls: ssl.SSLContext | None = None,
        retry_policy: RetryPolicy = RetryPolicy(),  # noqa: B008  frozen
    ) -> None:
        self.url = http_url(url)
        self._transport = HttpTransport(
            self.url, token=token, tls=tls, retry_policy=retry_policy, token_provider=token_provider
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Safe to repeat."""
        await self._transport.close()

    @property
    def token(self) -> str | None:
        return self._transport.tokens.token

    @token.setter
    def token(self, token: str | None) -> None:
        self._transport.tokens.token = token

    async def sign_in(self, user: str, password: str) -> api_models.SessionData:
        """Sign in, and use the session's token from now on.

        Raises Problem, with a `challenge`, where the password does not suffice: `password_change_required` (somebody
        else has chosen it), `second_factor_required`.
        """
        return await self._transport.tokens.sign_in(user, password)

    async def give_second_factor(self, challenge: str, code: str) -> api_models.SessionData:
        """Complete a sign-in with a code of the user's app, or a recovery code, and use the session's token.

        No code is good twice, so the client does not sign in again by itself: bring a `token_provider` for that.
        """
        return await self._transport.tokens.give_second_factor(challenge, code)

    async def choose_password(self, challenge: str, new_password: str) -> api_models.SessionData:
        """Complete a sign-in that requires another password, and use the session's token from now on."""
        return await self._transport.tokens.choose_password(challenge, new_password)

    async def refresh_token(self) -> api_models.SessionData | None:
        """Get another token now; None without `sign_in`. The client does so by itself before the token expires."""
        return await self._transport.tokens.refresh()

    async def sign_out(self) -> None:
        """End the session: its tokens, WebSockets and event streams. Others of the user go on."""
        await self._transport.send("DELETE", "/session")
        self._transport.tokens.forget()

    async def replace_token(self) -> bool:
        """Whether there is another token, in place of one that the server rejects."""
        return await self._transport.tokens.replace(self.token)

    async def keep_token_valid(self, on_change: Callable[[], Awaitable[None]] | None = None) -> None:
        """Runs without end: refreshes the token in time even if there are no requests for hours.

        Args:
            on_change: Called after each time that there was another token. What the server refuses is ignored.
        """
        known = self.token
        while True:
            due = self._transport.tokens.due_in
            await asyncio.sleep(_TOKEN_CHECK_INTERVAL_S if due is None else min(due, _TOKEN_CHECK_INTERVAL_S))
            await self._transport.tokens.renew_if_due()
            if on_change and self.token != known:
                known = self.token
                with suppress(ClientError):
                    await on_change()

    async def create_token(
        self,
        user: str | None = None,
        *,
        grants: Sequence[ClientGrant] | None = None,
        lifetime: int = 3600,
        numbers: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> api_models.ClientTokenData:
        """A token for a client of yours. `token` has to be an API key.

        Args:
            user: Of the server, or a name that no user has. None: the key itself.
            grants: No more than the key has. None: all of these but `monitor` that it has.
            lifetime: Seconds, 60 to 86400.
            numbers: All that may be dialled; with `*` at the end, all that begin so. None given: all.
            metadata: For whoever reads the token.
        """
        body: dict[str, Any] = {
            "lifetimeSeconds": lifetime,
            "numbers": list(numbers),
            "metadata": dict(metadata or {}),
        }
        body |= {"user": user} if user else {}
        body |= {"grants": list(grants)} if grants is not None else {}
        return self._read(await self._transport.send("POST", "/tokens", body=body), api_models.ClientTokenData)

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
    ) -> api_models.Placed:
        """Call a number with an SDP offer of yours. One call is placed, however often the request is repeated.

        Args:
            target: The number.
            sdp: The offer.
            caller: The number shown to the other side, if the server asks for no sign-in.
            call_id: An id of your own: 1 to 128 printable characters.
            prefer: The codec to prefer.
            idempotency_key: With a key of your own, there is one call over your restarts too.
        """
        body = {"target": target, "sdp": sdp, "caller": caller, "callId": call_id, "prefer": prefer}
        body = {name: value for name, value in body.items() if value is not None}
        headers = {IDEMPOTENCY_KEY: idempotency_key or str(uuid.uuid4())}
        return self._read(await self._transport.send("POST", "/invite", body=body, headers=headers), api_models.Placed)

    async def get_call(self, call_id: str, *, wait: float = 0.0, known: CallInfo | None = None) -> CallInfo:
        """The state of a call, or how it ended.

        Args:
            call_id: The call's id.
            wait: Seconds to wait for the next change, 60 at most.
            known: A version of the call: wait for another one. It is returned itself if nothing has changed.
        """
        headers = {"If-None-Match": known.etag} if known and known.etag else {}
        response = await self._transport.send(
            "GET",
            f"/call/{_in_path(call_id)}",
            query={"wait": math.ceil(min(wait, MAX_WAIT_S))} if wait else None,
            headers=headers,
            wait=wait,
            also_ok=_NOT_MODIFIED if known else frozenset(),
        )
        if response.status == 304 and known:
            return known
        return self._call(response)

    async def watch_call(self, call_id: str, *, wait: float = 30.0) -> AsyncIterator[CallInfo]:
        """The call now, then after each change; the last one has ended."""
        call = await self.get_call(call_id)
        yield call
        while call.state != "ended":
            later = await self.get_call(call_id, wait=wait, known=call)
            if later is not call:
                call = later
                yield call

    async def list_calls(
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
        """Your calls, the newest first: the live ones, and those that are remembered. `limit`: of one page."""
        query: dict[str, Any] = {"live": live, "state": state, "direction": direction, "number": number}
        query |= {"since": since, "until": until, "limit": limit}
        async for page in self._pages("/calls", query, CallPage):
            for call in page.calls:
                yield call

    async def hangup(self, call_id: str) -> None:
        """Hang up, at any moment of a call; decline one that rings."""
        await self._transport.send("DELETE", f"/call/{_in_path(call_id)}")

    async def hold(self, call_id: str) -> CallInfo:
        return await self._command(call_id, "hold", {"held": True})

    async def unhold(self, call_id: str) -> CallInfo:
        return await self._command(call_id, "hold", {"held": False})

    async def transfer(self, call_id: str, target: str, *, idempotency_key: str | None = None) -> CallInfo:
        """Blind transfer. How it goes on is seen by `watch_call` and `events`.

        Args:
            call_id: The call's id.
            target: The number to connect the other party with.
            idempotency_key: Makes the request safe to repeat; here and below.
        """
        return await self._command(call_id, "transfer", {"target": target}, idempotency_key)

    async def attended_transfer(
        self, call_id: str, other_call_id: str, *, idempotency_key: str | None = None
    ) -> CallInfo:
        return await self._command(call_id, "transfer", {"toCallId": other_call_id}, idempotency_key)

    async def add_party(self, call_id: str, target: str, *, idempotency_key: str | None = None) -> CallInfo:
        return await self._command(call_id, "parties", {"target": target}, idempotency_key)

    async def merge(self, call_id: str, other_call_id: str, *, idempotency_key: str | None = None) -> CallInfo:
        """The party of another call becomes one of this call; the other call ends."""
        return await self._command(call_id, "parties", {"fromCallId": other_call_id}, idempotency_key)

    async def drop_party(self, call_id: str, party: int) -> None:
        await self._transport.send("DELETE", f"/call/{_in_path(call_id)}/parties/{party}")

    async def leave(self, call_id: str) -> CallInfo:
        return await self._command(call_id, "leave", {})

    async def record(self, call_id: str, action: Literal["start", "pause", "resume", "stop"] = "start") -> CallInfo:
        return await self._command(call_id, "record", {"action": action})

    async def send_dtmf(self, call_id: str, digits: str) -> CallInfo:
        return await self._command(call_id, "dtmf", {"digits": digits})

    async def post_feedback(self, call_id: str, score: int, issue: str | None = None, comment: str = "") -> None:
        body: dict[str, Any] = {"score": score, "comment": comment} | ({"issue": issue} if issue else {})
        await self._transport.send("POST", f"/call/{_in_path(call_id)}/feedback", body=body)

    # --- recordings and CDRs ----------------------------------------------------------------

    async def list_recordings(
        self,
        *,
        call_id: str | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[api_models.RecordingData]:
        """The newest first. `limit`: of one page."""
        query = {"callId": call_id, "since": since, "until": until, "limit": limit}
        async for page in self._pages("/recordings", query, api_models.RecordingPage):
            for recording in page.recordings:
                yield recording

    async def get_recording(self, name: str) -> api_models.RecordingData:
        return self._read(await self._transport.send("GET", f"/recordings/{_in_path(name)}"), api_models.RecordingData)

    async def download_recording(self, name: str, path: str | Path) -> api_models.RecordingData:
        """Download into a WAV file, which is there when it is complete. Raises DownloadFailed, OSError also."""
        recording = await self.get_recording(name)
        await download.to_file(self._transport, recording, Path(path))
        return recording

    async def delete_recording(self, name: str) -> None:
        await self._transport.send("DELETE", f"/recordings/{_in_path(name)}")

    async def list_cdrs(
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
    ) -> AsyncIterator[api_models.Cdr]:
        """Call detail records, the newest first. `limit`: of one page."""
        query: dict[str, Any] = {
            "user": user,
            "direction": direction,
            "outcome": outcome and outcome.value,
            "number": number,
        }
        query |= {"match": match, "since": since, "until": until, "minSeconds": min_seconds, "limit": limit}
        async for page in self._pages("/cdrs", query, api_models.CdrPage):
            for cdr in page.cdrs:
                yield cdr

    async def get_cdr(self, call_id: str) -> api_models.Cdr:
        return self._read(await self._transport.send("GET", f"/cdrs/{_in_path(call_id)}"), api_models.Cdr)

    # --- people ------------------------------------------------------------------------

    async def list_people(self) -> list[PersonSummary]:
        return self._read(await self._transport.send("GET", "/people"), api_models.Directory).people

    async def get_preferences(self, *, user: str | None = None) -> CallPreferences:
        """`user`: whose, if the server asks for no sign-in."""
        response = await self._transport.send("GET", "/me/preferences", query={"user": user})
        return self._read(response, CallPreferences)

    async def set_preferences(self, preferences: CallPreferences, *, user: str | None = None) -> CallPreferences:
        """Replace all of them; returns what is stored."""
        response = await self._transport.send("PUT", "/me/preferences", query={"user": user}, body=preferences)
        return self._read(response, CallPreferences)

    # --- the server --------------------------------------------------------------------

    async def get_config(self) -> api_models.ConfigData:
        return self._read(await self._transport.send("GET", "/config"), api_models.ConfigData)

    async def get_health(self) -> Health:
        """Whether calls can be placed. No Problem is raised for a server that is unavailable."""
        return self._read(await self._transport.send("GET", "/health", also_ok=_UNAVAILABLE), Health)

    async def get_stats(self) -> api_models.StatsData:
        """Counts of calls, now and since the server's start."""
        return self._read(await self._transport.send("GET", "/stats"), api_models.StatsData)

    async def get_live(self) -> api_models.LiveData:
        """The live calls, and Asterisk's channels and bridges."""
        return self._read(await self._transport.send("GET", "/live"), api_models.LiveData)

    def events(self, last_id: int | None = None) -> AsyncIterator[api_models.EventData]:
        """The server's events, without end. A broken stream is resumed where it broke.

        Args:
            last_id: Begin after this event, if the server still has it; 0: the oldest. None: with the next one.
        """
        return event_stream.events(self._transport, last_id)

    # --- inside ------------------------------------------------------------------------

    async def _command(self, call_id: str, verb: str, body: dict[str, Any], key: str | None = None) -> CallInfo:
        headers = {IDEMPOTENCY_KEY: key} if key else None
        return self._call(
            await self._transport.send("POST", f"/call/{_in_path(call_id)}/{verb}", body=body, headers=headers)
        )

    def _call(self, response: HttpResponse) -> CallInfo:
        return msgspec.structs.replace(self._read(response, CallInfo), etag=response.headers.get("ETag", ""))

    async def _pages(self, path: str, query: Mapping[str, Any], kind: type[Page]) -> AsyncIterator[Page]:
        """The pages, each by the cursor of the one before."""
        cursor: str | None = None
        while True:
            page = self._read(await self._transport.send("GET", path, query={**query, "cursor": cursor}), kind)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def _read(self, response: HttpResponse, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(response.body, type=kind)
        except msgspec.MsgspecError as error:
            raise ConnectionFailed(self.url, f"the response is not understood: {error}", response.status) from error


def _in_path(name: str) -> str:
    """As one segment of a path, whatever characters a call id has."""
    return quote(name, safe="")
