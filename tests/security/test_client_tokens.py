"""Client tokens that are asked for more than they may, outlive what made them, or are somebody else's."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import jwt
import pytest

from ari_bridge.accounts import passwords
from ari_bridge.hooks import CallEnded
from frontend.app import App
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import PASSWORD, Page, SignIn
from tests.security.test_api_keys import PAGE, basic, bearer, made, status

OpenPage = Callable[[], Awaitable[Page]]
ALL = ("tokens:create", "dial", "receive", "record", "monitor:read")


async def token(
    http: aiohttp.ClientSession, key: tuple[str, str], expected: int = 201, origin: str = "", **wanted: Any
) -> dict[str, Any]:
    headers = basic(key) | ({"Origin": origin} if origin else {})
    async with http.post("/tokens", json=wanted, headers=headers) as response:
        assert response.status == expected, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


def with_token(made_token: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made_token['token']}"}


def guest_of(key: tuple[str, str], digits: str = "0123456789abcdef") -> str:
    return f"guest-{key[0].removeprefix('ab_')}-{digits}"


async def place(
    http: aiohttp.ClientSession, headers: dict[str, str], target: str = "600"
) -> tuple[int, dict[str, Any]]:
    async with http.post("/invite", json={"target": target, "sdp": OFFER}, headers=headers) as response:
        return response.status, await response.json()


async def test_a_token_is_the_user_with_the_grants_that_it_was_made_with(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, page: OpenPage
) -> None:
    pbx.far_side = Answers()
    key = await made(app, *ALL)
    given = await token(http, key, user="1001")
    assert given["grants"] == ["dial", "receive", "record"] and given["user"] == "1001"
    opened = await page()
    assert (await opened.ask("registered", type="register", user="1001", token=given["token"]))["type"] == "registered"
    call_id = (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    assert app.calls.get(call_id).user == "1001"
    assert await status(http, with_token(given), f"/call/{call_id}") == 200
    assert await status(http, with_token(await token(http, key, user="1002")), f"/call/{call_id}") == 404
    assert await status(http, with_token(given), "/live") == 403
    assert await status(http, with_token(await token(http, key, user="1001", grants=["monitor"])), "/live") == 200
    dials = await token(http, key, user="1001", grants=["dial"])
    only = await page()
    assert (await only.ask("registered", type="register", user="1001", token=dials["token"]))["type"] == "registered"
    assert len(app.pages.of_user("1001")) == 1, "a page rings whose token may not receive"
    placed = await only.ask("answer", type="offer", target="600", sdp=OFFER)
    refused = await only.ask("recording", type="record", callId=placed["callId"], action="start")
    assert refused["code"] == "forbidden"
    listens = await page()
    receive = await token(http, key, user="1001", grants=["receive"])
    await listens.ask("registered", type="register", user="1001", token=receive["token"])
    assert (await listens.ask("answer", type="offer", target="600", sdp=OFFER))["code"] == "forbidden"
    assert (await place(http, with_token(receive)))[0] == 403
    told = await (await page()).ask("registered", type="register", user="1002", token=given["token"])
    assert told["code"] == "unauthorized"


async def test_no_token_has_more_than_its_key(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    weak = await made(app, "tokens:create", "dial")
    assert (await token(http, weak, user="1001"))["grants"] == ["dial"]
    for grants in (["receive"], ["dial", "monitor"], ["record"]):
        await token(http, weak, 403, user="1001", grants=grants)
    await token(http, weak, 400, user="1001", grants=["calls:control"])
    for lifetime in (59, 86401, -1):
        await token(http, weak, 400, user="1001", lifetimeSeconds=lifetime)
    await token(http, weak, 400, user="1001", metadata={"a": "b" * 257})
    await token(http, await made(app, "dial"), 403, user="1001")
    own = await token(http, await made(app, "dial"))  # of its own: less than itself
    assert own["user"].startswith("ab_") and own["grants"] == ["dial"]
    await token(http, await made(app, *ALL), 400, user=own["user"])
    for headers in (await sign_in("9001"), with_token(await token(http, weak, user="1001"))):
        async with http.post("/tokens", json={"user": "1002"}, headers=headers) as response:
            assert response.status == 403
    soon = await made(app, *ALL, expires_at=time.time() + 90)
    assert (await token(http, soon, user="1001"))["expiresAt"] <= time.time() + 90
    few = await made(app, *ALL, users=["1001"])
    await token(http, few, user="1001")
    await token(http, few, 400, user="1002")


async def test_no_role_gives_a_token_more(app: App, http: aiohttp.ClientSession, page: OpenPage) -> None:
    given = await token(http, await made(app, *ALL), user="1001", grants=["receive"])
    opened = await page()
    await opened.ask("registered", type="register", user="1001", token=given["token"])
    await app.accounts.set_roles("1001", ["admin"])
    assert (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["code"] == "forbidden"
    assert await status(http, with_token(given), "/live") == 403


async def test_a_token_is_no_sign_in(app: App, http: aiohttp.ClientSession) -> None:
    headers = with_token(await token(http, await made(app, *ALL), user="1001"))
    async with http.delete("/session", headers=headers) as response:
        assert response.status == 400
    change = {"oldPassword": PASSWORD, "newPassword": "four other words, all long"}
    async with http.post("/me/password", json=change, headers=headers) as response:
        assert response.status == 400
    async with http.delete("/sessions", headers=headers) as response:
        assert response.status == 400
    assert await status(http, headers, "/me/second-factor") == 400


@pytest.mark.parametrize("what", ["key revoked", "key rotated", "user locked", "user removed", "everywhere"])
async def test_a_token_dies_with_its_key_and_with_its_user(
    app: App, http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn, what: str
) -> None:
    key = await made(app, *ALL)
    given = await token(http, key, user="1001")
    opened = await page()
    await opened.ask("registered", type="register", user="1001", token=given["token"])
    async with http.get("/events", headers=with_token(given)) as stream:
        match what:
            case "key revoked":
                await app.accounts.api_keys.revoke(key[0])
            case "key rotated":
                await app.accounts.api_keys.rotate(key[0], 0)
            case "user locked":
                await app.accounts.set_locked("1001", True)
            case "user removed":
                await app.accounts.remove("1001")
            case "everywhere":
                async with http.delete("/sessions", headers=await sign_in("1001")) as response:
                    assert response.status == 204
        async with asyncio.timeout(10):
            while (frame := await opened.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert frame.data == 4401
            await stream.content.read()
    assert await status(http, with_token(given)) == 401


async def test_after_its_time_a_token_begins_nothing_and_its_call_goes_on(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, page: OpenPage
) -> None:
    pbx.far_side = Answers()
    key = await made(app, *ALL)
    given = await token(http, key, user="1001")
    claims: dict[str, Any] = jwt.decode(given["token"], options={"verify_signature": False})
    assert app.access
    soon = app.access.issuer.signer.sign(
        claims | {"exp": int(time.time()) - 118}
    )  # and clocks may differ by two minutes
    opened = await page()
    await opened.ask("registered", type="register", user="1001", token=soon)
    call_id = (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    ended = await opened.told("error")
    assert (ended["code"], ended["field"]) == ("unauthorized", "token")
    assert not app.pages.of_user("1001")
    for begins in (
        {"type": "offer", "target": "600", "sdp": OFFER},
        {"type": "add-party", "callId": call_id, "target": "600"},
    ):
        assert (await opened.ask("answer", **begins))["code"] == "unauthorized"
    assert (await opened.ask("hold", type="hold", callId=call_id, held=True))["type"] == "hold"
    assert (await opened.ask("registered", type="register", user="1001", token=given["token"]))["type"] == "registered"
    assert (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["type"] == "answer"


@pytest.mark.parametrize("change", ["sub", "uid", "key", "grants", "signature", "expired"])
async def test_a_forged_token_is_refused(app: App, http: aiohttp.ClientSession, change: str) -> None:
    given = await token(http, await made(app, *ALL), user="1001", grants=["dial"])
    claims: dict[str, Any] = jwt.decode(given["token"], options={"verify_signature": False})
    access = app.access
    assert access
    changes: dict[str, dict[str, Any]] = {
        "sub": {"sub": "1002"},
        "uid": {"uid": "external:1001"},
        "key": {"key": "ab_000000000000"},
        "grants": {"grants": ["calls:control"]},
        "signature": {},
        "expired": {"exp": int(time.time()) - 121},
    }
    changed = claims | changes[change]
    forged = jwt.encode(changed, "x" * 48) if change == "signature" else access.issuer.signer.sign(changed)
    seen = await status(http, {"Authorization": f"Bearer {forged}"}, "/calls")
    if change == "grants":  # our own signature: even then it has no more than the key
        assert (await place(http, {"Authorization": f"Bearer {forged}"}))[0] == 403
        assert seen == 200
    else:
        assert seen == 401


async def test_only_the_numbers_of_the_token(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, page: OpenPage
) -> None:
    pbx.far_side = Answers()
    given = await token(http, await made(app, *ALL), user="1001", numbers=["600", "70*"])
    headers = with_token(given)
    for target, expected in (("600", 201), ("6 00", 201), ("7001", 201), ("601", 403), ("6000", 403), ("+70", 403)):
        answered, problem = await place(http, headers, target)
        assert answered == expected, (target, problem)
        if expected == 403:
            assert problem["rule"] == "the numbers of the token"
    opened = await page()
    await opened.ask("registered", type="register", user="1001", token=given["token"])
    assert (await opened.ask("answer", type="offer", target="601", sdp=OFFER))["code"] == "forbidden"
    call_id = (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    for command in ({"type": "add-party", "target": "601"}, {"type": "transfer", "target": "601"}):
        assert (await opened.ask("party", callId=call_id, **command))["code"] == "forbidden"
    assert (await opened.ask("party", type="add-party", callId=call_id, target="7002"))["type"] == "party"
    assert (await opened.ask("preferences", type="preferences", forwardAlways="601"))["code"] == "forbidden"
    async with http.put("/me/preferences", json={"forwardAlways": "601"}, headers=headers) as response:
        assert response.status == 403
    async with http.put("/me/preferences", json={"forwardAlways": "7001"}, headers=headers) as response:
        assert response.status == 200
    listens = await token(http, await made(app, *ALL), user="1001", grants=["receive"])
    async with http.put("/me/preferences", json={"forwardAlways": "7001"}, headers=with_token(listens)) as response:
        assert response.status == 403


# --- a name that no user has -----------------------------------------------------------------


async def test_who_gets_the_name_as_a_user_shares_nothing_with_it(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, page: OpenPage, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    key = await made(app, *ALL)
    customer = await token(http, key, user="customer-7")
    opened = await page()
    await opened.ask("registered", type="register", user="customer-7", token=customer["token"])
    call_id = (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    assert await status(http, with_token(await token(http, key, user="customer-7")), f"/call/{call_id}") == 200
    await app.accounts.add("customer-7", passwords.hash_password(PASSWORD))
    async with asyncio.timeout(10):
        while (frame := await opened.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert frame.data == 4401
    assert await status(http, with_token(customer)) == 401
    assert await status(http, await sign_in("customer-7"), f"/call/{call_id}") == 404
    async with http.post(
        "/invite", json={"target": "600", "sdp": OFFER}, headers=await sign_in("customer-7")
    ) as answer:
        of_user = (await answer.json())["callId"]
    await app.accounts.rename("customer-7", "7007")
    after = with_token(await token(http, key, user="customer-7"))
    assert await status(http, after, f"/call/{of_user}") == 404
    await app.accounts.add("customer-8", passwords.hash_password(PASSWORD))
    async with http.post(
        "/invite", json={"target": "600", "sdp": OFFER}, headers=await sign_in("customer-8")
    ) as answer:
        of_user = (await answer.json())["callId"]
    await app.accounts.remove("customer-8")
    after = with_token(await token(http, key, user="customer-8"))
    assert await status(http, after, f"/call/{of_user}") == 404


# --- a key that anybody can read in a page ------------------------------------------------------


async def test_a_visitor_with_the_key_of_a_page_is_a_guest(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, page: OpenPage, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    key = await made(app, "tokens:create", "dial", "receive", origins=[PAGE])
    for user in (None, "1001", "2005", "guest-1", guest_of(key, "0123"), guest_of(("ab_000000000000", ""))):
        await token(http, key, 400, PAGE, **({"user": user} if user else {}))
    await token(http, key, 401, "", user=guest_of(key))
    visitor, other = guest_of(key), guest_of(key, "f" * 20)
    given = await token(http, key, 201, PAGE, user=visitor)
    headers = with_token(given) | {"Origin": PAGE}
    assert await status(http, with_token(given)) == 401, "the token works outside of the pages of the key"
    answered, call = await place(http, headers)
    assert answered == 201 and app.calls.get(call["callId"]).user == visitor
    assert app.calls.get(call["callId"]).caller == f"guest-{key[0].removeprefix('ab_')}"
    stranger = with_token(await token(http, key, 201, PAGE, user=other)) | {"Origin": PAGE}
    assert await status(http, stranger, f"/call/{call['callId']}") == 404
    for path in ("/people", "/live", "/keys"):
        assert await status(http, headers, path) == 403
    async with http.put("/me/preferences", json={"doNotDisturb": True}, headers=headers) as response:
        assert response.status == 403
    opened = await page()
    async with aiohttp.ClientSession() as browser, browser.ws_connect(app.ws_url, headers={"Origin": PAGE}) as socket:
        guest = Page(socket)
        told = await guest.ask("registered", type="register", user=visitor, token=given["token"])
        assert told["type"] == "registered"
        colleague = (await sign_in("1001"))["Authorization"].removeprefix("Bearer ")
        await opened.ask("registered", type="register", user="1001", token=colleague)
        people = (await opened.told("people"))["people"]
        assert not any("guest" in one["number"] for one in people)
        await socket.send_json({"type": "ping", "id": 1})
        seen: list[str] = []
        while not seen or seen[-1] != "pong":
            seen.append((await socket.receive_json(timeout=10))["type"])
        assert not {"people", "people-changed", "preferences"} & set(seen)
    lists = await made(app, "tokens:create", "dial", origins=[PAGE], users=["1001"])
    await token(http, lists, 201, PAGE, user="1001")
    await token(http, lists, 400, PAGE, user="1002")


async def test_all_guests_of_a_key_together_make_no_more_calls_than_it_may(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri
) -> None:
    pbx.far_side = Answers()
    key = await made(app, "tokens:create", "dial", origins=[PAGE], max_calls=2)
    answers = []
    for digits in ("1" * 16, "2" * 16, "3" * 16):
        given = await token(http, key, 201, PAGE, user=guest_of(key, digits))
        answers.append((await place(http, with_token(given) | {"Origin": PAGE}))[0])
    assert answers == [201, 201, 429]
    other = await made(app, "tokens:create", "dial", origins=[PAGE])
    given = await token(http, other, 201, PAGE, user=guest_of(other))
    assert (await place(http, with_token(given) | {"Origin": PAGE}))[0] == 201
    assert (await place(http, bearer(await made(app, "dial"))))[0] == 201


async def record_of(http: aiohttp.ClientSession, headers: dict[str, str], call: str) -> dict[str, Any]:
    """The call detail record, which is written some time after the call's end."""
    async with asyncio.timeout(10):
        while True:
            async with http.get(f"/cdrs/{call}", headers=headers) as response:
                if response.status == 200:
                    found: dict[str, Any] = await response.json()
                    return found
            await asyncio.sleep(0.05)


async def test_the_metadata_of_a_token_is_in_its_calls_and_nobody_else_chooses_it(
    app: App, http: aiohttp.ClientSession, page: OpenPage, pbx: FakeAri, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    told: list[dict[str, Any]] = []
    app.hooks.tap(lambda event: told.append(event.data()) if isinstance(event, CallEnded) else None)
    given = with_token(await token(http, await made(app, *ALL), user="1001", metadata={"order": "4711"}))
    for headers, wanted in ((given, {"order": "4711"}), (await sign_in("1001"), {})):
        async with http.post(
            "/invite", json={"target": "600", "sdp": OFFER, "metadata": {"order": "1"}}, headers=headers
        ) as response:
            call = (await response.json())["callId"]
        async with http.get(f"/call/{call}", headers=headers) as response:
            assert (await response.json())["metadata"] == wanted
        async with http.delete(f"/call/{call}", headers=headers) as response:
            assert response.status == 204
        assert (await record_of(http, headers, call))["metadata"] == wanted
        assert [one["metadata"] for one in told if one["callId"] == call] == [wanted]


async def test_the_metadata_of_who_accepts_a_call_is_in_it(
    app: App, http: aiohttp.ClientSession, page: OpenPage, pbx: FakeAri
) -> None:
    given = await token(http, await made(app, *ALL), user="1001", metadata={"order": "4711"})
    opened = await page()
    await opened.ask("registered", type="register", user="1001", token=given["token"])
    await pbx.call_in("caller-1", "0301234567", args=["inbound", "1001"])
    call = (await opened.told("incoming-call"))["callId"]
    await opened.ask("answer", type="offer", callId=call, sdp=OFFER)
    assert app.calls.get(call).metadata == {"order": "4711"}
