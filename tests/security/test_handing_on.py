"""A key that manages users or keys gets no further by those that it makes or takes over."""

import time
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import User
from frontend.app import App
from frontend.auth.grants import PHONE
from tests.security.conftest import SignIn
from tests.security.test_api_keys import bearer, made

ADMIN, USER = "9001", "1001"
MANAGER = ("users:manage", *PHONE)


async def ask(
    http: aiohttp.ClientSession, key: tuple[str, str] | dict[str, str], method: str, path: str, body: Any = None
) -> tuple[int, dict[str, Any]]:
    headers = {**(key if isinstance(key, dict) else bearer(key)), "If-Match": "*"}
    async with http.request(method, path, json=body, headers=headers) as response:
        return response.status, await response.json() if response.status != 204 else {}


def found(app: App, name: str) -> User:
    user = app.accounts.find(name)
    assert user
    return user


# --- users ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["admin", "operator", "supervisor", "auditor"])
async def test_a_key_makes_nobody_who_may_do_more(app: App, http: aiohttp.ClientSession, role: str) -> None:
    key = await made(app, *MANAGER)
    user = found(app, USER)
    status, problem = await ask(http, key, "POST", "/users", {"name": "1005", "roles": ["user", role]})
    assert (status, problem["code"]) == (403, "forbidden") and app.accounts.find("1005") is None
    status, _ = await ask(http, key, "PUT", f"/users/{user.id}", {"roles": [role]})
    assert status == 403 and found(app, USER) == user
    status, _ = await ask(http, await made(app, "users:manage"), "POST", "/users", {"name": "1005", "roles": ["user"]})
    assert status == 403, "not even somebody who dials"


CHANGES = [
    ("PUT", "", {"roles": ["user"]}),
    ("PUT", "/name", {"name": "1009"}),
    ("PUT", "/lock", {"locked": False}),
    ("POST", "/password", None),
    ("DELETE", "/second-factor", None),
    ("DELETE", "", None),
]


@pytest.mark.parametrize(("method", "part", "body"), CHANGES)
async def test_a_key_takes_nobody_over_who_may_do_more(
    app: App, http: aiohttp.ClientSession, method: str, part: str, body: Any
) -> None:
    await app.accounts.set_roles("1002", ["admin"])
    key, admin = await made(app, *MANAGER), found(app, ADMIN)
    status, problem = await ask(http, key, method, f"/users/{admin.id}{part}", body)
    assert (status, problem["code"]) == (403, "forbidden") and found(app, ADMIN) == admin


@pytest.mark.parametrize(("method", "part", "body"), CHANGES)
async def test_it_manages_those_who_may_do_no_more(
    app: App, http: aiohttp.ClientSession, method: str, part: str, body: Any
) -> None:
    status, problem = await ask(http, await made(app, *MANAGER), method, f"/users/{found(app, USER).id}{part}", body)
    assert status in (200, 204) or problem["code"] != "forbidden", problem


async def test_it_may_lock_and_sign_out_anybody(app: App, http: aiohttp.ClientSession) -> None:
    await app.accounts.set_roles("1002", ["admin"])
    key, path = await made(app, "users:manage"), f"/users/{found(app, ADMIN).id}"
    assert (await ask(http, key, "DELETE", f"{path}/sessions"))[0] == 200
    assert (await ask(http, key, "PUT", f"{path}/lock", {"locked": True}))[0] == 200
    assert (await ask(http, key, "PUT", f"{path}/lock", {"locked": False}))[0] == 403


async def test_it_gives_no_wider_class_of_service(app: App, http: aiohttp.ClientSession) -> None:
    key, user = await made(app, *MANAGER, class_of_service="internal"), found(app, USER)
    new = {"name": "1005", "roles": ["user"], "classOfService": "unrestricted"}
    status, problem = await ask(http, key, "POST", "/users", new)
    assert (status, problem["field"]) == (403, "classOfService")
    change = {"roles": ["user"], "classOfService": "unrestricted"}
    assert (await ask(http, key, "PUT", f"/users/{user.id}", change))[0] == 403
    assert (await ask(http, key, "POST", "/users", new | {"classOfService": "internal"}))[0] == 201
    await app.accounts.set_class_of_service(USER, "unrestricted")
    assert (await ask(http, key, "POST", f"/users/{user.id}/password"))[0] == 403
    wide = await made(app, *MANAGER, class_of_service="unrestricted")
    assert (await ask(http, wide, "POST", f"/users/{user.id}/password"))[0] == 200


# --- keys -----------------------------------------------------------------------------------

BOUNDS: dict[str, Any] = {
    "networks": ["127.0.0.0/8", "10.1.0.0/16"],
    "users": ["1001", "1002"],
    "max_calls": 2,
    "class_of_service": "national",
}
SCOPES = ("keys:manage", "dial", "tokens:create")


async def test_a_key_of_a_key_has_its_bounds(app: App, http: aiohttp.ClientSession) -> None:
    ends = round(time.time()) + 3600.0
    key = await made(app, *SCOPES, **BOUNDS, expires_at=ends)
    status, child = await ask(http, key, "POST", "/keys", {"label": "child", "scopes": ["dial"]})
    assert status == 201
    assert {name: child[name] for name in ("addresses", "users", "maxCalls", "classOfService", "expiresAt")} == {
        "addresses": BOUNDS["networks"],
        "users": BOUNDS["users"],
        "maxCalls": 2,
        "classOfService": "national",
        "expiresAt": ends,
    }
    narrow = {"addresses": ["10.1.2.0/24"], "users": ["1001"], "maxCalls": 1, "expiresAt": ends - 60}
    status, child = await ask(http, key, "POST", "/keys", {"label": "narrow", "scopes": ["dial"], **narrow})
    assert status == 201 and child.items() >= narrow.items()


@pytest.mark.parametrize(
    ("wider", "field"),
    [
        ({"addresses": ["0.0.0.0/0"]}, "addresses"),
        ({"addresses": ["127.0.0.0/8", "192.0.2.1"]}, "addresses"),
        ({"addresses": ["::/0"]}, "addresses"),
        ({"users": ["1001", "9001"]}, "users"),
        ({"maxCalls": 3}, "maxCalls"),
        ({"classOfService": "unrestricted"}, "classOfService"),
        ({"classOfService": "internal"}, "classOfService"),
        ({"expiresAt": time.time() + 86400}, "expiresAt"),
    ],
)
async def test_a_key_makes_none_that_goes_further(
    app: App, http: aiohttp.ClientSession, wider: dict[str, Any], field: str
) -> None:
    key = await made(app, *SCOPES, **BOUNDS, expires_at=time.time() + 3600)
    status, problem = await ask(http, key, "POST", "/keys", {"label": "x", "scopes": ["dial"], **wider})
    assert (status, problem["code"], problem["field"]) == (403, "forbidden", field)


@pytest.mark.parametrize("lacks", [*BOUNDS, "expires_at"])
async def test_a_key_gets_no_secret_of_one_that_goes_further(app: App, http: aiohttp.ClientSession, lacks: str) -> None:
    bounds = {**BOUNDS, "expires_at": time.time() + 3600}
    key = await made(app, *SCOPES, **bounds)
    free, _ = await made(app, "dial", **{name: value for name, value in bounds.items() if name != lacks})
    assert (await ask(http, key, "POST", f"/keys/{free}/rotate"))[0] == 403
    same, _ = await made(app, "dial", **bounds)
    assert (await ask(http, key, "POST", f"/keys/{same}/rotate"))[0] == 200


async def test_a_page_for_guests_makes_no_key_for_users(app: App, http: aiohttp.ClientSession) -> None:
    page = "https://phone.example.com"
    key = {**bearer(await made(app, *SCOPES, origins=[page])), "Origin": page}
    new = {"label": "x", "scopes": ["tokens:create"]}
    status, child = await ask(http, key, "POST", "/keys", new)
    assert (status, child["origins"]) == (201, [page])
    for wider in ({"users": ["9001"]}, {"origins": ["https://other.example.com"]}, {"maxCalls": 11}):
        assert (await ask(http, key, "POST", "/keys", new | wider))[0] == 403


async def test_there_is_no_key_of_an_unknown_class(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    new = {"label": "x", "scopes": ["dial"], "classOfService": "golden"}
    for who in (await sign_in(ADMIN), bearer(await made(app, *SCOPES))):
        status, problem = await ask(http, who, "POST", "/keys", new)
        assert (status, problem["field"]) == (400, "classOfService")
    new["classOfService"] = "unrestricted"
    assert (await ask(http, await sign_in(ADMIN), "POST", "/keys", new))[0] == 201
