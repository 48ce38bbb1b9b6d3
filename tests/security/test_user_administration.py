"""Managing users over HTTP: who may, what is refused, and that it is in force at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import Accounts, passwords
from frontend.api.routes import dial_permissions, user_endpoints
from frontend.app import App
from frontend.settings import Settings
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import PASSWORD, USERS, Page, SignIn
from tests.security.servers import serving

OpenPage = Callable[[], Awaitable[Page]]
ADMIN, USER, OTHER = "9001", "1001", "1002"


class Admin:
    """Requests of one user, as whom they are allowed or not."""

    def __init__(self, app: App, http: aiohttp.ClientSession, headers: dict[str, str]) -> None:
        self._app, self._http, self._headers = app, http, headers

    def path(self, name: str, part: str = "") -> str:
        user = self._app.accounts.find(name)
        return f"/users/{user.id if user else name}{part}"

    async def ask(self, method: str, path: str, body: Any = None, match: str = "*") -> tuple[int, Any, str]:
        """Status, body, and ETag."""
        headers = {**self._headers, "If-Match": match}
        async with self._http.request(method, path, json=body, headers=headers) as response:
            text = await response.read()
            return (
                response.status,
                await response.json(content_type=None) if text else {},
                response.headers.get("ETag", ""),
            )


@pytest.fixture
async def admin(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> Admin:
    return Admin(app, http, await sign_in(ADMIN))


# --- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [user for user in USERS if user != ADMIN])
async def test_only_who_manages_users_does_anything_here(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, user: str
) -> None:
    before = app.accounts.find(OTHER)
    asking = Admin(app, http, await sign_in(user))
    assert before
    body = {"name": "1005", "roles": ["admin"], "locked": True}
    for endpoint in (*user_endpoints.ENDPOINTS, *dial_permissions.ENDPOINTS):
        status, problem, _ = await asking.ask(endpoint.method, endpoint.path.replace("{userId}", before.id), body)
        assert (status, problem["code"]) == (403, "forbidden"), endpoint.name
        assert app.accounts.find(OTHER) == before


async def test_nobody_does_it_without_signing_in(app: App, http: aiohttp.ClientSession) -> None:
    status, problem, _ = await Admin(app, http, {}).ask("GET", "/users")
    assert (status, problem["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("user", USERS)
async def test_everybody_may_ask_what_the_own_rights_are(
    http: aiohttp.ClientSession, sign_in: SignIn, user: str
) -> None:
    async with http.get("/me", headers=await sign_in(user)) as response:
        me = await response.json()
    assert (me["user"], me["roles"]) == (user, [USERS[user]])
    assert ("users:manage" in me["grants"]) is (user == ADMIN)


async def test_where_sign_in_is_off_there_are_no_users(tmp_path: Any) -> None:
    async with serving(tmp_path) as server, aiohttp.ClientSession(server.app.url) as http:
        async with http.get("/users") as response:
            assert (response.status, (await response.json())["code"]) == (409, "sign_in_off")


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("PUT", "/lock", {"locked": True}),
        ("PUT", "", {"roles": ["user"]}),
        ("DELETE", "", None),
        ("POST", "/password", None),
    ],
)
async def test_nobody_shuts_the_own_account_out(app: App, admin: Admin, method: str, part: str, body: Any) -> None:
    await app.accounts.set_roles(OTHER, ["admin"])  # not even where another admin is left
    before = app.accounts.find(ADMIN)
    status, problem, _ = await admin.ask(method, admin.path(ADMIN, part), body)
    assert (status, problem["code"]) == (409, "own_account")
    assert app.accounts.find(ADMIN) == before


@pytest.mark.parametrize("what", ["lock", "demote", "remove"])
async def test_an_admin_is_left_whatever_happens_meanwhile(
    app: App, settings: Settings, admin: Admin, what: str
) -> None:
    await app.accounts.set_roles(OTHER, ["admin"])
    beside = Accounts(settings.state_dir, settings.users_file)  # the command line, at the same time
    await beside.open()
    doing: Awaitable[Any] = {
        "lock": lambda: beside.set_locked(ADMIN, True),
        "demote": lambda: beside.set_roles(ADMIN, ["user"]),
        "remove": lambda: beside.remove(ADMIN),
    }[what]()
    gone, (status, _, _) = await asyncio.gather(
        doing, admin.ask("PUT", admin.path(OTHER, "/lock"), {"locked": True}), return_exceptions=True
    )
    await beside.close()
    again = Accounts(settings.state_dir, settings.users_file)
    await again.open()
    left = [user.name for user in again.all() if user.administers]
    await again.close()
    refused = [isinstance(gone, Exception), status != 200]
    assert refused.count(True) == 1, (gone, status)
    assert len(left) == 1


@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("PUT", "", {"roles": ["supervisor"]}),
        ("PUT", "/name", {"name": "1009"}),
        ("PUT", "/lock", {"locked": True}),
        ("POST", "/password", None),
        ("DELETE", "/sessions", None),
        ("DELETE", "", None),
    ],
)
async def test_what_was_changed_meanwhile_is_not_overwritten(
    app: App, admin: Admin, method: str, part: str, body: Any
) -> None:
    _, _, seen = await admin.ask("GET", admin.path(OTHER))
    await app.accounts.update(OTHER, display_name="Purchasing")
    path, before = admin.path(OTHER, part), app.accounts.find(OTHER)
    assert (await admin.ask(method, path, body, match=seen))[:2][0] == 412
    assert app.accounts.find(OTHER) == before
    _, _, now = await admin.ask("GET", admin.path(OTHER))
    assert (await admin.ask(method, path, body, match=now))[0] in (200, 204)
    assert (await admin.ask(method, path, body, match="17"))[1]["field"] == "If-Match"


async def test_what_is_wrong_is_said_with_its_field(admin: Admin) -> None:
    new = {"name": "1005", "roles": ["user"]}
    for change, code, field in (
        ({"name": USER}, "user_exists", "name"),
        ({"name": "no spaces"}, "invalid_request", "name"),
        ({"roles": []}, "invalid_request", "roles"),
        ({"roles": ["king"]}, "invalid_request", "roles[0]"),
        ({"classOfService": "golden"}, "invalid_request", "classOfService"),
        ({"displayName": "two\nlines"}, "invalid_request", "displayName"),
    ):
        status, problem, _ = await admin.ask("POST", "/users", new | change)
        assert (status // 100, problem["code"], problem.get("field")) == (4, code, field), problem
    for path in ("/users/usr_0", "/users/usr_0/connections"):
        assert (await admin.ask("GET", path))[1]["code"] == "unknown_user"


# --- what is done ---------------------------------------------------------------------------


async def test_a_user_from_the_first_day_to_the_last(
    app: App, settings: Settings, http: aiohttp.ClientSession, admin: Admin, capfd: pytest.CaptureFixture[str]
) -> None:
    status, made, tag = await admin.ask("POST", "/users", {"name": "1005", "roles": ["agent"], "displayName": " Pat "})
    assert status == 201 and made["user"]["displayName"] == "Pat" and made["user"]["mustChangePassword"]
    assert made["user"]["effectiveClass"] == "internal"
    user = admin.path("1005")
    async with http.post("/session", json={"user": "1005", "password": made["password"]}) as response:
        assert (response.status, (await response.json())["code"]) == (401, "password_change_required")
    change = {"roles": ["user"], "displayName": "Pat", "classOfService": "national"}
    status, changed, tag = await admin.ask("PUT", user, change, match=tag)
    assert (status, changed["roles"], changed["effectiveClass"]) == (200, ["user"], "national")
    _, again, tag = await admin.ask("POST", f"{user}/password", match=tag)
    assert again["password"] != made["password"]
    for password, code in ((made["password"], "unauthorized"), (again["password"], "password_change_required")):
        async with http.post("/session", json={"user": "1005", "password": password}) as response:
            assert (response.status, (await response.json())["code"]) == (401, code)
    _, _, tag = await admin.ask("PUT", f"{user}/name", {"name": "1006"}, match=tag)
    status, shown, _ = await admin.ask("GET", user, match=tag)
    assert (shown["name"], shown["displayName"]) == ("1006", "Pat")
    assert [person.name for person in app.user_services.directory._people().values() if person.number == "1006"] == [
        "Pat"
    ]
    assert (await admin.ask("DELETE", user, match=tag))[0] == 204
    assert (await admin.ask("GET", user))[0] == 404
    logged = "".join(capfd.readouterr())
    assert "user removed" in logged
    for secret in (made["password"], again["password"]):
        assert secret not in logged
        assert secret.encode() not in (settings.state_dir / "accounts.db").read_bytes()


async def test_the_list_is_searched_and_paged(app: App, admin: Admin) -> None:
    await app.accounts.update(USER, display_name="Purchasing")
    await app.accounts.set_locked(OTHER, True)

    async def names(query: str) -> list[str]:
        found: list[str] = []
        cursor = ""
        while True:
            _, page, _ = await admin.ask("GET", f"/users?{query}&limit=2{cursor}")
            found += [user["name"] for user in page["users"]]
            if not page["nextCursor"]:
                assert page["total"] == len(found)
                return found
            cursor = f"&cursor={page['nextCursor']}"

    assert await names("search=") == sorted(USERS)
    assert await names("search=PURCH") == [USER]
    assert await names("search=200") == ["2001", "2002", "2003"]
    assert await names("role=auditor") == ["2003"]
    assert await names("locked=true") == [OTHER]


async def test_which_rule_decides_is_what_decides(app: App, admin: Admin) -> None:
    _, shown, _ = await admin.ask("GET", "/dial-permissions")
    assert {one["name"] for one in shown["classes"] if one["builtIn"]} >= {"internal", "national", "unrestricted"}
    _, check, _ = await admin.ask("GET", f"/dial-permissions/check?user={USER}&number=1002")
    assert (check["allowed"], check["rule"]) == (True, "internal: allow internal")
    _, check, _ = await admin.ask("GET", f"/dial-permissions/check?user={USER}&number=%2B43155555")
    assert not check["allowed"] and check["rule"].startswith("internal: no rule allows")
    assert (await admin.ask("GET", "/dial-permissions/check?user=nobody&number=1"))[1]["code"] == "unknown_user"


# --- at once --------------------------------------------------------------------------------


async def registered(page: OpenPage, sign_in: SignIn, user: str) -> Page:
    opened = await page()
    token = (await sign_in(user))["Authorization"].removeprefix("Bearer ")
    assert (await opened.ask("registered", type="register", user=user, token=token))["type"] == "registered"
    return opened


@pytest.mark.parametrize(
    ("method", "part", "body"), [("PUT", "/lock", {"locked": True}), ("DELETE", "/sessions", None)]
)
async def test_who_is_locked_or_signed_out_is_out_within_a_second(
    app: App, admin: Admin, page: OpenPage, sign_in: SignIn, method: str, part: str, body: Any
) -> None:
    opened = await registered(page, sign_in, OTHER)
    _, shown, _ = await admin.ask("GET", admin.path(OTHER, "/connections"))
    [connection] = shown["connections"]
    assert connection["address"] == "127.0.0.1" and connection["takesCalls"]
    assert (await admin.ask(method, admin.path(OTHER, part), body))[0] == 200
    async with asyncio.timeout(10):
        while (frame := await opened.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    assert frame.data == 4401


async def test_an_open_page_loses_a_role_with_its_user(
    app: App, pbx: FakeAri, admin: Admin, http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    opened = await registered(page, sign_in, "2001")
    async with http.get("/events", headers=await sign_in("2001")) as stream:
        assert (await admin.ask("PUT", admin.path("2001"), {"roles": ["auditor"]}))[0] == 200
        async with asyncio.timeout(10):
            await stream.content.read()  # of all calls: it ends
    assert (await opened.told("unregistered"))["type"] == "unregistered"
    refused = await opened.ask("answer", type="offer", target="600", sdp=OFFER)
    assert (refused["type"], refused["code"]) == ("error", "forbidden")


@pytest.mark.parametrize("what", ["lock", "remove"])
async def test_no_call_outlives_its_user(
    app: App, pbx: FakeAri, admin: Admin, page: OpenPage, sign_in: SignIn, what: str
) -> None:
    pbx.far_side = Answers()
    opened = await registered(page, sign_in, OTHER)
    call_id = (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    if what == "lock":
        await admin.ask("PUT", admin.path(OTHER, "/lock"), {"locked": True})
    else:
        await admin.ask("DELETE", admin.path(OTHER))
    async with asyncio.timeout(5):  # the grace is longer
        while app.calls.get(call_id).state.live:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_an_emergency_call_goes_on(app: App, pbx: FakeAri, admin: Admin, page: OpenPage, sign_in: SignIn) -> None:
    pbx.far_side = Answers()
    opened = await registered(page, sign_in, OTHER)
    emergency = (await opened.ask("answer", type="offer", target="112", sdp=OFFER))["callId"]
    other = (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    await admin.ask("PUT", admin.path(OTHER, "/lock"), {"locked": True})
    async with asyncio.timeout(5):
        while app.calls.get(other).state.live:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert app.calls.get(emergency).state.live


async def test_a_user_with_a_call_is_shown_so(
    app: App, pbx: FakeAri, admin: Admin, page: OpenPage, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    opened = await registered(page, sign_in, OTHER)
    call_id = (await opened.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    _, shown, _ = await admin.ask("GET", admin.path(OTHER))
    assert (shown["calls"], shown["connections"]) == (1, 1)
    _, found, _ = await admin.ask("GET", admin.path(OTHER, "/limits"))
    used = {one["what"]: (one["used"], one["rule"]) for one in found["limits"]}
    assert used["legs"] == (1, "MAX_LEGS_PER_USER") and used["legs_per_minute"] == (1, "MAX_LEGS_PER_MINUTE")
    _, open_, _ = await admin.ask("GET", admin.path(OTHER, "/connections"))
    assert open_["connections"][0]["calls"] == [call_id]


async def test_a_rename_does_not_begin_what_was_used_of_the_limits_anew(app: App) -> None:
    limits = app.calls._leg_limits

    def legs_of_day(user: str) -> float:
        return next(limit.used for limit in limits.usage_of(user, time.time()) if limit.what == "legs_per_day")

    for _ in range(2):
        limits.start_leg("1001", "600")
    await app.accounts.rename("1001", "1009")
    assert legs_of_day("1009") == 2
    await app.accounts.add("1001", passwords.hash_password(PASSWORD), roles=("user",))
    assert legs_of_day("1001") == 0, "the next one of the name has used nothing"
