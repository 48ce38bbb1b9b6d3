"""How calls stand, asked for over HTTP: one that is waited for, and the list of them."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from ari_bridge.call_store.status import StoreState
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.outcomes import Cause, Outcome
from frontend.api.routes import call_list
from frontend.app import App
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import PHONE
from frontend.auth.principal import Principal
from frontend.http import long_poll
from frontend.settings import Settings
from tests.component.conftest import until
from tests.fakes.ari import FakeAri, RingsForEver
from tests.offers import OFFER


async def place(http: aiohttp.ClientSession, call_id: str) -> None:
    async with http.post("/invite", json={"target": "600", "sdp": OFFER, "callId": call_id}) as response:
        assert response.status == 201


async def show(
    http: aiohttp.ClientSession, call_id: str, wait: float = 0, tag: str | None = None
) -> tuple[int, dict[str, Any], str]:
    """Status, the call ({} where it was not told), and its tag."""
    headers = {"If-None-Match": tag} if tag else {}
    async with http.get(f"/call/{call_id}", params={"wait": str(wait)} if wait else {}, headers=headers) as response:
        call = await response.json() if response.status == 200 else {}
        return response.status, call, response.headers.get("ETag", "")


@pytest.fixture
async def ringing(http: aiohttp.ClientSession, pbx: FakeAri, app: App) -> str:
    pbx.far_side = RingsForEver()
    await place(http, "call")
    await until(lambda: app.calls.get("call").state is CallState.RINGING)
    return "call"


class TestWaiting:
    async def test_the_answer_comes_at_the_next_change(
        self, http: aiohttp.ClientSession, app: App, ringing: str
    ) -> None:
        waiting = asyncio.create_task(show(http, ringing, 60))
        await until(lambda: app.watchers.waiting == 1)
        app.calls.hangup(ringing)
        status, call, _ = await waiting
        assert (status, call["outcome"]) == (200, "cancelled")
        assert app.watchers.waiting == 0

    async def test_after_the_wait_it_comes_as_the_call_stands(self, http: aiohttp.ClientSession, ringing: str) -> None:
        assert (await show(http, ringing, 1))[:1] == (200,)

    async def test_a_tag_tells_what_is_known(self, http: aiohttp.ClientSession, app: App, ringing: str) -> None:
        _, _, tag = await show(http, ringing)
        assert (await show(http, ringing, 0, tag))[0] == 304
        assert (await show(http, ringing, 1, f'"other", W/{tag}')) == (304, {}, tag)
        assert (await show(http, ringing, 60, '"other"'))[0] == 200, "at once"
        app.calls.hangup(ringing)
        status, call, after = await show(http, ringing, 60, tag)
        assert (status, call["outcome"]) == (200, "cancelled")
        assert after != tag

    async def test_each_answer_is_another_and_the_last_one_is_the_end(
        self, http: aiohttp.ClientSession, pbx: FakeAri, app: App
    ) -> None:
        await place(http, "call")
        seen: list[str] = []
        tags: list[str] = []
        async with asyncio.timeout(10):
            while not seen or seen[-1] != "ended":
                status, call, tag = await show(http, "call", 10 if tags else 0, tags[-1] if tags else None)
                assert status == 200
                seen.append(call["state"])
                tags.append(tag)
                if seen[-1] == "accepted":
                    app.calls.hangup("call")
        assert "accepted" in seen
        assert len(tags) == len(set(tags))

    async def test_one_that_has_ended_changes_no_more(
        self, http: aiohttp.ClientSession, app: App, ringing: str
    ) -> None:
        app.calls.hangup(ringing)
        await until(lambda: app.calls.get(ringing).state is CallState.ENDED)
        status, _, tag = await show(http, ringing, 60)
        assert status == 200, "at once"
        assert (await show(http, ringing, 1, tag))[0] == 304

    @pytest.mark.parametrize("wait", ["-1", "61", "1.5", "soon", ""])
    async def test_a_bad_wait(self, http: aiohttp.ClientSession, ringing: str, wait: str) -> None:
        async with http.get(f"/call/{ringing}", params={"wait": wait}) as response:
            assert response.status == 400
            assert (await response.json())["field"] == "wait"

    async def test_only_so_many_wait(
        self, http: aiohttp.ClientSession, app: App, ringing: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(long_poll, "MAX_WAITERS", 2)
        waiting = [asyncio.create_task(show(http, ringing, 60)) for _ in range(2)]
        await until(lambda: app.watchers.waiting == 2)
        async with http.get(f"/call/{ringing}?wait=60") as response:
            assert response.status == 429
            assert int(response.headers["Retry-After"]) >= 1
        assert (await show(http, ringing))[0] == 200, "who does not wait is not refused"
        app.calls.hangup(ringing)
        await asyncio.gather(*waiting)

    async def test_a_client_that_goes_away_makes_room(
        self, http: aiohttp.ClientSession, app: App, ringing: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(long_poll, "CHECK_INTERVAL_S", 0.02)
        waiting = asyncio.create_task(show(http, ringing, 60))
        await until(lambda: app.watchers.waiting == 1)
        waiting.cancel()
        await until(lambda: app.watchers.waiting == 0)

    async def test_a_server_that_is_replaced_lets_nobody_wait(
        self, http: aiohttp.ClientSession, app: App, ringing: str
    ) -> None:
        waiting = asyncio.create_task(show(http, ringing, 60))
        await until(lambda: app.watchers.waiting == 1)
        await app.drain(0)
        assert (await waiting)[0] == 200
        assert (await show(http, ringing, 60))[0] == 200


def a_call(number: int, **values: Any) -> Call:
    ended = {"state": CallState.ENDED, "outcome": Outcome.COMPLETED, "cause": Cause(16, "Normal", 200), "ended_at": 9.0}
    call = Call(f"call{number}", Direction.OUTBOUND, "600", "1000", 1000.0 + number, user="alice")
    return replace(call, **(ended | values))


async def listed(http: aiohttp.ClientSession, **asked: Any) -> tuple[list[str], str | None]:
    async with http.get("/calls", params=asked) as response:
        assert response.status == 200, await response.text()
        page = await response.json()
    return [call["callId"] for call in page["calls"]], page["nextCursor"]


async def all_listed(http: aiohttp.ClientSession, **asked: Any) -> list[str]:
    found, cursor = await listed(http, **asked)
    while cursor:
        more, cursor = await listed(http, **asked, cursor=cursor)
        found += more
    return found


class TestTheList:
    async def test_newest_first_page_by_page_while_calls_begin(self, http: aiohttp.ClientSession, app: App) -> None:
        for number in range(10):
            app.store.save(a_call(number))
        first, cursor = await listed(http, limit=4)
        assert first == ["call9", "call8", "call7", "call6"]
        app.store.save(a_call(10))
        rest, following = await listed(http, limit=4, cursor=cursor)
        assert rest == ["call5", "call4", "call3", "call2"]
        assert await listed(http, limit=4, cursor=following) == (["call1", "call0"], None)

    @pytest.mark.parametrize(
        ("asked", "numbers"),
        [
            ({}, [4, 3, 2, 1, 0]),
            ({"live": "true"}, []),
            ({"live": "false"}, [4, 3, 2, 1, 0]),
            ({"state": "ended"}, [4, 3, 2, 1, 0]),
            ({"state": "accepted"}, []),
            ({"direction": "inbound"}, [3]),
            ({"number": "070"}, [4, 3]),
            ({"since": "1003"}, [4, 3]),
            ({"until": "1003"}, [2, 1, 0]),
            ({"since": "1001", "until": "1003"}, [2, 1]),
            ({"number": "nobody"}, []),
        ],
    )
    @pytest.mark.parametrize("limit", [1, 2, 50])
    async def test_filters(
        self, http: aiohttp.ClientSession, app: App, asked: dict[str, str], numbers: list[int], limit: int
    ) -> None:
        changed: dict[int, dict[str, Any]] = {3: {"direction": Direction.INBOUND, "caller": "0701"}}
        changed[4] = {"target": "+49 0702"}
        for number in range(5):
            app.store.save(a_call(number, **changed.get(number, {})))
        assert await all_listed(http, **asked, limit=limit) == [f"call{number}" for number in numbers]

    async def test_live_calls(self, http: aiohttp.ClientSession, app: App, ringing: str) -> None:
        app.store.save(a_call(1))
        assert (await listed(http))[0] == ["call", "call1"]
        for asked in ({"live": "true"}, {"state": "ringing"}, {"since": str(time.time() - 60)}):
            assert await listed(http, **asked) == (["call"], None)
        assert (await listed(http, state="accepted"))[0] == []
        assert (await listed(http, live="false"))[0] == ["call1"]

    async def test_where_few_fit_a_page_may_be_short(
        self, http: aiohttp.ClientSession, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call_list, "READ_BATCH_SIZE", 2)
        monkeypatch.setattr(call_list, "MAX_CALLS_READ", 6)
        for number in range(20):
            app.store.save(a_call(number, target="700" if number in (1, 18) else "600"))
        found, cursor = await listed(http, number="700")
        assert found == ["call18"] and cursor
        assert await all_listed(http, number="700") == ["call18", "call1"]

    async def test_also_what_is_set_aside(self, http: aiohttp.ClientSession, app: App) -> None:
        app.store.save(a_call(1))
        app.store.status.state = StoreState.DEGRADED
        app.store.save(a_call(2))
        assert (await listed(http))[0] == ["call2", "call1"]
        app.store.status.state = StoreState.HEALTHY

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "201"}, "limit"),
            ({"state": "busy"}, "state"),
            ({"live": "yes"}, "live"),
            ({"direction": "up"}, "direction"),
            ({"since": "-1"}, "since"),
            ({"since": "nan"}, "since"),
            ({"since": "2", "until": "1"}, "since"),
            ({"number": ""}, "number"),
            ({"cursor": "x"}, "cursor"),
            ({"page": "2"}, "page"),
        ],
    )
    async def test_what_is_wrong_is_named(self, http: aiohttp.ClientSession, asked: dict[str, str], field: str) -> None:
        async with http.get("/calls", params=asked) as response:
            assert response.status == 400
            assert (await response.json())["field"] == field


class TestWithAuthentication:
    @pytest.fixture
    def settings(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
        monkeypatch.setattr(  # no password is hashed for this
            Authenticator, "principal_of", lambda access, token, *more: Principal(token, f"usr_{token}", grants=PHONE)
        )
        monkeypatch.setattr(Authenticator, "holds", lambda access, principal: True)
        return settings.model_copy(update={"enable_authentication": True})

    async def test_everybody_sees_their_own(self, app: App) -> None:
        app.store.save(a_call(1))
        app.store.save(a_call(2, user="bob"))
        app.store.save(a_call(3, user=None, users=frozenset({"alice", "bob"}), direction=Direction.INBOUND))
        app.store.save(a_call(4, user=None))
        for user, numbers in {"alice": [3, 1], "bob": [3, 2], "carol": []}.items():
            async with aiohttp.ClientSession(app.url, headers={"Authorization": f"Bearer {user}"}) as http:
                assert await all_listed(http) == [f"call{number}" for number in numbers]
                async with http.get("/call/call2") as response:
                    assert response.status == (200 if user == "bob" else 404)

    async def test_of_each_user_only_so_many_wait(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(long_poll, "MAX_WAITERS_PER_USER", 1)
        async with (
            aiohttp.ClientSession(app.url, headers={"Authorization": "Bearer alice"}) as alice,
            aiohttp.ClientSession(app.url, headers={"Authorization": "Bearer bob"}) as bob,
        ):
            for user, http in (("alice", alice), ("bob", bob)):
                await place(http, f"of.{user}")
            await until(lambda: {call.state for call in app.calls.live()} == {CallState.UP})
            waiting = asyncio.create_task(show(alice, "of.alice", 60))
            await until(lambda: app.watchers.waiting == 1)
            async with alice.get("/call/of.alice?wait=60") as response:
                assert response.status == 429
            others = asyncio.create_task(show(bob, "of.bob", 60))
            await until(lambda: app.watchers.waiting == 2)
            for user in ("alice", "bob"):
                app.calls.hangup(f"of.{user}")
            await asyncio.gather(waiting, others)
