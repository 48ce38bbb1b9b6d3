"""`python -m tests.bench.gates [--calls N] [--users N]`: what it costs that not everybody may do everything.

Two servers in one process, each beside a tiny Asterisk and a tiny rtpengine, without sign-in and with it, get the same
calls in turn. With sign-in a call passes token, grants, dial permissions and limits, and leaves its audit entries.
The second server has 10,000 users. Milliseconds of this process, so the ratio counts, and not the figure.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import structlog
from argon2 import PasswordHasher

from ari_bridge.accounts import passwords
from ari_bridge.fsm.call import CallState
from deploy.demo.steps import say
from frontend.app import App
from tests.bench.figures import Figures, ratio
from tests.fakes.ari import Answers
from tests.offers import OFFER
from tests.security.servers import Server, serving

PASSWORD = "correct horse battery staple"
ADMIN = "user00000"
ROUNDS = 10
LOCKED = 20
MANY = {"max_calls_per_user": 1000, "max_legs_per_user": 1000, "max_legs_per_minute": 10_000}

passwords.hasher = PasswordHasher(
    time_cost=1, memory_cost=8, parallelism=1
)  # the hash is the guesser's cost, not the gates'


def users_file(folder: Path, users: int) -> Path:
    """`users` of them, all with the same password; the first is an admin."""
    hashed = passwords.hasher.hash(PASSWORD)
    lines = [f"user{number:05}:{hashed}" for number in range(users)]
    lines[0] += ":user,admin"
    path = folder / "users"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


async def timed(run: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    await run()
    return (time.perf_counter() - began) * 1000


async def sign_in(http: aiohttp.ClientSession, user: str) -> str:
    async with http.post("/session", json={"user": user, "password": PASSWORD}) as response:
        return str((await response.json())["token"])


async def call(http: aiohttp.ClientSession, app: App, headers: dict[str, str]) -> float:
    """CPU milliseconds of one call, from its request until all is released."""
    before = time.process_time()
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}, headers=headers) as response:
        assert response.status == 201, await response.text()
        call_id = (await response.json())["callId"]
    app.calls.hangup(call_id)
    async with asyncio.timeout(10):
        while app.calls.get(call_id).state is not CallState.ENDED:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    return (time.process_time() - before) * 1000


async def until_closed(http: aiohttp.ClientSession, server: Server, admin: dict[str, str], number: int) -> float:
    """Milliseconds from the request that locks a user until the user's WebSocket is closed."""
    name = f"user{number:05}"
    async with aiohttp.ClientSession() as browser, browser.ws_connect(server.app.ws_url) as ws:
        await ws.send_json({"type": "register", "user": name, "token": await sign_in(http, name)})
        while (await ws.receive_json())["type"] != "registered":
            pass
        async with http.get("/users", params={"search": name}, headers=admin) as response:
            [user] = (await response.json())["users"]
        lock = {**admin, "If-Match": f'"{user["revision"]}"'}
        began = time.perf_counter()
        async with http.put(f"/users/{user['id']}/lock", json={"locked": True}, headers=lock) as response:
            assert response.status == 200, await response.text()
        async with asyncio.timeout(10):
            while (await ws.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                pass
        return (time.perf_counter() - began) * 1000


async def run(calls: int, users: int) -> None:
    async with AsyncExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        file = await asyncio.to_thread(users_file, folders[1], users)
        began = time.perf_counter()
        with_users = {"enable_authentication": True, "users_file": file, "phone_book": "600=Echo", **MANY}
        closed = await stack.enter_async_context(serving(folders[1], **with_users))
        say(f"start with {users} users to import: {time.perf_counter() - began:.1f} s")
        opened = await stack.enter_async_context(serving(folders[0], phone_book="600=Echo", **MANY))
        for server in (opened, closed):
            server.pbx.far_side = Answers()
        http_opened = await stack.enter_async_context(aiohttp.ClientSession(opened.app.url))
        http = await stack.enter_async_context(aiohttp.ClientSession(closed.app.url))
        admin = {"Authorization": f"Bearer {await sign_in(http, ADMIN)}"}
        say(f"a page of users, ms: {_shown(Figures.of([await _page(http, admin) for _ in range(20)]))}")

        costs: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for _ in range(max(1, calls // ROUNDS)):
                costs[0].append(await call(http_opened, opened.app, {}))
            for _ in range(max(1, calls // ROUNDS)):
                costs[1].append(await call(http, closed.app, admin))
        without, signed_in = map(Figures.of, costs)
        times = ratio(signed_in, without)
        say(f"CPU of a call, ms: without sign-in {_shown(without)}, with all gates {_shown(signed_in)}: × {times:.2f}")

        ended = [await until_closed(http, closed, admin, number) for number in range(1, min(LOCKED, users - 1) + 1)]
        say(f"from a user's lock to the end of the user's WebSocket, ms: {_shown(Figures.of(ended))}")


async def _page(http: aiohttp.ClientSession, admin: dict[str, str]) -> float:
    async def ask() -> None:
        async with http.get("/users", params={"search": "user0"}, headers=admin) as response:
            assert response.status == 200, await response.text()
            await response.read()

    return await timed(ask)


def _shown(figures: Figures | None) -> str:
    return f"{figures.median:.1f} / {figures.p95:.1f} ({figures.least:.1f})" if figures else "-"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gates", description=__doc__)
    parser.add_argument("--calls", type=int, default=200, help="calls of each server (default 200)")
    parser.add_argument("--users", type=int, default=10_000, help="users of the server with sign-in (default 10000)")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(run(given.calls, given.users))


if __name__ == "__main__":
    main()
