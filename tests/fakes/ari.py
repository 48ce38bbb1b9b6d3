"""A tiny Asterisk that speaks as much ARI as the client uses, with knobs to make it fail.

    async with FakeAri() as pbx:
        pbx.far_side = Answers(after=0.1)     # what a dialled channel meets
        pbx.refuse["bridges.addChannel"] = 500
        ari = Ari(pbx.url, pbx.user, pbx.password, "ari-bridge")

`channels` and `bridges` hold what is left; `requests` what was asked, in order.
`freeze` and `thaw` stop and wake the whole of it, `restart` makes another one of it.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import WSMsgType, encode_basic_auth, web

from tests.fakes.ari_docs import OPERATIONS, Operation, api_docs
from tests.fakes.far_side import BUSY as BUSY
from tests.fakes.far_side import CONGESTION as CONGESTION
from tests.fakes.far_side import NO_ANSWER as NO_ANSWER
from tests.fakes.far_side import Answers as Answers
from tests.fakes.far_side import Fails as Fails
from tests.fakes.far_side import FarSide as FarSide
from tests.fakes.far_side import RingsForEver as RingsForEver
from tests.fakes.people import FakePeople
from tests.fakes.recordings import FakeRecordings

OWNERSHIP = {"asterisk.getGlobalVar", "asterisk.setGlobalVar", "events.userEvent"}
"""What a client asks now and then to know whether the application is its own: tests of calls look past it."""
REASONS = {"normal": 16, "busy": 17, "congestion": 34, "no_answer": 19, "unallocated": 1}


@dataclass
class FakeChannel:
    id: str
    name: str
    state: str = "Down"
    in_app: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    dtmf: str = ""  # sent to it
    muted: bool = False  # both ways

    def json(self) -> dict[str, Any]:
        nobody = {"name": "", "number": ""}
        return {"id": self.id, "name": self.name, "state": self.state, "caller": nobody, "connected": nobody}


class FakeAri(FakePeople, FakeRecordings):
    user = "tester"
    password = "only in this test"

    def __init__(self, *, version: str = "22.10.0") -> None:
        super().__init__()
        self.version = version
        self.far_side: FarSide = Answers()
        self.far_sides: dict[str, FarSide] = {}  # endpoint → what this one meets, in place of `far_side`
        self.refuse: dict[str, int] = {}  # operation → HTTP status
        self.delay: dict[str, float] = {}  # operation → seconds
        self.slow = 0.0  # seconds before every answer
        self.hang: set[str] = set()  # operations that are never answered
        self.garble: set[str] = set()  # operations whose answer is not JSON
        self.lose: set[str] = set()  # operations that are done, but never answered
        self.changes_left: int | None = None  # so many more requests that change something are done, then none
        self.last_unanswered = False  # the last of them is never answered
        self.severed = False  # they are used up, and another one came, or that last one was done
        self.mute: set[str] = set()  # types of events that are not sent
        self.channels: dict[str, FakeChannel] = {}
        self.bridges: dict[str, list[str]] = {}  # the channels in each
        self.bridge_names: dict[str, str] = {}
        self.stale_bridges: dict[str, list[str]] = {}  # destroyed, and still listed, as Asterisk 16 does now and then
        self.music: dict[str, str] = {}  # bridges that music plays to → its class
        self.continued: dict[str, dict[str, str]] = {}  # channels sent on in the dialplan, with their variables
        self.dialplan_talks = False  # whether these go on there, or are hung up at once
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.variables: dict[str, str] = {}  # global ones
        self.connections = 0  # event streams that were opened, ever
        self._starts = 1
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._transports: set[asyncio.Transport] = set()  # of the event streams
        self._awake = asyncio.Event()  # not set while it is frozen
        self._awake.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/ari/api-docs/{name}", self._docs)
        app.router.add_get("/ari/events", self._events)
        for operation in OPERATIONS:
            app.router.add_route(operation.method, f"/ari{operation.path}", self._handler(operation))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}/ari"

    async def stop(self) -> None:
        """Gone at once; `start` brings it back on the same port, with the channels that it had."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.drop_stream()
        await self._runner.cleanup()

    def freeze(self) -> None:
        """As SIGSTOP: it accepts connections and takes what is sent, but answers nothing, not even pings."""
        self._awake.clear()

    def thaw(self) -> None:
        """As SIGCONT: it goes on where it was, and deals with all that came meanwhile."""
        self._awake.set()

    async def kill(self) -> None:
        """As kill -9: connections are cut, channels and bridges are gone. `start` brings another one."""
        for transport in list(self._transports):
            transport.abort()
        await self.stop()
        self._starts += 1
        self.channels.clear()
        self.bridges.clear()
        self.stale_bridges.clear()
        self.music.clear()
        self.tape.clear()
        self.variables.clear()

    async def restart(self) -> None:
        """Killed and there again at once, on the same port, with another startup time and nothing in it."""
        await self.kill()
        await self.start()

    def count(self, operation: str) -> int:
        return Counter(name for name, _ in self.requests)[operation]

    async def drop_stream(self) -> None:
        """Close every event stream; channels and bridges live on."""
        for socket in list(self._sockets.values()):
            await socket.close()
        self._sockets.clear()

    async def send_text(self, text: str, app: str = "ari-bridge") -> None:
        """Any text as an event, also what is malformed."""
        if app in self._sockets:
            with suppress(ConnectionError):  # who listened is gone
                await self._sockets[app].send_str(text)

    async def emit(self, type: str, **fields: Any) -> None:
        if type in self.mute:
            return
        await self._awake.wait()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        await self.send_text(json.dumps({"type": type, "timestamp": now, "application": "ari-bridge", **fields}))

    async def end(self, channel_id: str, cause: int = 16) -> None:
        """The far side hangs up: all events of it, in Asterisk's order."""
        channel = self.channels.pop(channel_id)
        await self._leave_bridge(channel)
        await self.emit("StasisEnd", channel=channel.json())
        await self.emit("ChannelDestroyed", channel=channel.json(), cause=cause, cause_txt="")

    async def call_in(self, channel_id: str, number: str, *, args: list[str] | None = None) -> None:
        """A phone calls `number`: the dialplan's Stasis(ari-bridge,inbound,number), or with other `args`."""
        channel = self.channels[channel_id] = FakeChannel(channel_id, f"PJSIP/{channel_id}", "Ring", in_app=True)
        caller = {"name": "Caller", "number": "42"}
        arguments = ["inbound", number] if args is None else args
        await self.emit("StasisStart", channel={**channel.json(), "caller": caller}, args=arguments)

    def _bridge(self, bridge_id: str) -> dict[str, Any]:
        name, members = (
            self.bridge_names.get(bridge_id, ""),
            self.bridges.get(bridge_id, self.stale_bridges.get(bridge_id, [])),
        )
        return {"id": bridge_id, "name": name, "bridge_type": "mixing", "channels": members}

    async def _leave_bridge(self, channel: FakeChannel) -> None:
        for bridge_id, members in list(self.bridges.items()):
            if channel.id in members:
                members.remove(channel.id)
                await self.emit("ChannelLeftBridge", bridge=self._bridge(bridge_id), channel=channel.json())

    def _refuse_stranger(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != encode_basic_auth(self.user, self.password, "utf-8"):
            raise web.HTTPUnauthorized(text='{"message": "Authentication required"}')

    async def _docs(self, request: web.Request) -> web.Response:
        await self._awake.wait()
        self._refuse_stranger(request)
        self.requests.append(("api-docs", {}))
        return web.json_response(api_docs(request.match_info["name"]))

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        await self._awake.wait()
        self._refuse_stranger(request)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        app = request.query["app"]
        if app in self._sockets:
            await self.emit("ApplicationReplaced")
        self._sockets[app] = socket
        self.connections += 1
        transport = request.transport
        assert transport
        self._transports.add(transport)
        async for message in socket:
            await self._awake.wait()
            if message.type is WSMsgType.ERROR:
                break
            if message.type is WSMsgType.PING and not socket.closed:
                await socket.pong(message.data)
        self._transports.discard(transport)
        if self._sockets.get(app) is socket:
            del self._sockets[app]
        return socket

    def _handler(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.Response]]:
        act: Callable[[dict[str, Any]], Awaitable[Any]] = getattr(self, "_" + operation.name.replace(".", "_"))

        async def handle(request: web.Request) -> web.Response:
            await self._awake.wait()
            self._refuse_stranger(request)
            asked: dict[str, Any] = {**request.query, **request.match_info}
            if request.can_read_body:
                asked.update(await request.json())
            aside = operation.name in OWNERSHIP
            if not aside:
                self.requests.append((operation.name, asked))
            left = 1 if aside else self._count_change(operation)
            if operation.name in self.hang or left < 0:
                await asyncio.Event().wait()
            await asyncio.sleep(self.slow + self.delay.get(operation.name, 0))
            await self._awake.wait()
            if operation.name in self.refuse:
                return web.json_response({"message": "refused by the test"}, status=self.refuse[operation.name])
            if operation.name in self.garble:
                return web.Response(text="<html>")
            answer = await act(asked)
            last = left == 0 and self.last_unanswered
            self.severed = self.severed or last
            if operation.name in self.lose or last:
                await asyncio.Event().wait()
            if isinstance(answer, web.Response):
                return answer
            return web.Response(status=204) if answer is None else web.json_response(answer)

        return handle

    def _count_change(self, operation: Operation) -> int:
        """How many may follow; below 0 it is one too many."""
        if self.changes_left is None or operation.method == "GET":
            return 1
        self.changes_left -= 1
        self.severed = self.severed or self.changes_left < 0
        return self.changes_left

    def _channel(self, asked: dict[str, Any]) -> FakeChannel:
        try:
            return self.channels[asked["channelId"]]
        except KeyError:
            raise web.HTTPNotFound(text='{"message": "Channel not found"}') from None

    def _soon(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _asterisk_getInfo(self, asked: dict[str, Any]) -> Any:
        started = f"2026-01-01T00:00:{self._starts:02}.000+0000"
        return {"system": {"version": self.version}, "status": {"startup_time": started}}

    async def _asterisk_getGlobalVar(self, asked: dict[str, Any]) -> Any:
        return {"value": self.variables.get(asked["variable"], "")}

    async def _asterisk_setGlobalVar(self, asked: dict[str, Any]) -> None:
        self.variables[asked["variable"]] = asked["value"]

    async def _events_userEvent(self, asked: dict[str, Any]) -> None:
        if asked["application"] not in self._sockets and not self.channels:
            raise web.HTTPNotFound(text='{"message": "Application not found"}')
        about = {**asked.get("variables", {}), "eventname": asked["eventName"]}
        await self.emit("ChannelUserevent", eventname=asked["eventName"], userevent=about)

    async def _applications_get(self, asked: dict[str, Any]) -> Any:
        return {"name": asked["applicationName"], "channel_ids": list(self.channels), "bridge_ids": list(self.bridges)}

    async def _applications_filter(self, asked: dict[str, Any]) -> Any:
        return {"name": asked["applicationName"]}

    async def _applications_subscribe(self, asked: dict[str, Any]) -> Any:
        if self.watch(asked["eventSource"]):
            return await self._applications_get(asked)
        if asked["eventSource"].removeprefix("channel:") not in self.channels:
            raise web.HTTPUnprocessableEntity(text='{"message": "Event source does not exist"}')
        return await self._applications_get(asked)

    async def _applications_unsubscribe(self, asked: dict[str, Any]) -> Any:
        return await self._applications_get(asked)

    async def _channels_list(self, asked: dict[str, Any]) -> Any:
        return [channel.json() for channel in self.channels.values()]

    async def _channels_get(self, asked: dict[str, Any]) -> Any:
        return self._channel(asked).json()

    async def _channels_create(self, asked: dict[str, Any]) -> Any:
        channel = FakeChannel(asked["channelId"], asked["endpoint"], variables=asked.get("variables", {}))
        self.channels[channel.id] = channel
        self._soon(self._enter(channel, *filter(None, asked.get("appArgs", "").split(","))))
        return channel.json()

    async def _channels_externalMedia(self, asked: dict[str, Any]) -> Any:
        channel = FakeChannel(asked["channelId"], f"UnicastRTP/{asked['external_host']}", "Up")
        self.channels[channel.id] = channel
        self._soon(self._enter(channel))
        where = {"UNICASTRTP_LOCAL_ADDRESS": "127.0.0.1", "UNICASTRTP_LOCAL_PORT": "12000"}
        return {**channel.json(), "channelvars": where}

    async def _enter(self, channel: FakeChannel, *args: str) -> None:
        channel.in_app = True
        await self.emit("StasisStart", channel=channel.json(), args=args)

    async def _channels_dial(self, asked: dict[str, Any]) -> None:
        channel = self._channel(asked)
        if not channel.in_app:
            raise web.HTTPConflict(text='{"message": "Channel not in Stasis application"}')
        self._soon(self._play(channel, self.far_sides.get(channel.name, self.far_side)))

    async def _play(self, channel: FakeChannel, far_side: FarSide) -> None:
        await self.emit("Dial", peer=channel.json(), dialstatus="")
        channel.state = "Ringing"
        await self.emit("ChannelStateChange", channel=channel.json())
        await self.emit("Dial", peer=channel.json(), dialstatus="RINGING")
        if isinstance(far_side, RingsForEver):
            if far_side.early:
                await self.emit("Dial", peer=channel.json(), dialstatus="PROGRESS")
            return
        await asyncio.sleep(far_side.after)
        if channel.id not in self.channels:
            return
        if isinstance(far_side, Fails):
            await self.emit("Dial", peer=channel.json(), dialstatus=far_side.dialstatus)
            await self.end(channel.id, far_side.cause)
            return
        channel.state = "Up"
        await self.emit("ChannelStateChange", channel=channel.json())
        await self.emit("Dial", peer=channel.json(), dialstatus="ANSWER")

    async def _channels_ring(self, asked: dict[str, Any]) -> None:
        self._channel(asked)

    async def _channels_answer(self, asked: dict[str, Any]) -> None:
        channel = self._channel(asked)
        channel.state = "Up"
        await self.emit("ChannelStateChange", channel=channel.json())

    async def _channels_hangup(self, asked: dict[str, Any]) -> None:
        channel = self._channel(asked)
        cause = int(asked.get("reason_code", REASONS.get(asked.get("reason", "normal"), 16)))
        await self.end(channel.id, cause)

    async def _channels_mute(self, asked: dict[str, Any]) -> None:
        self._channel(asked).muted = True

    async def _channels_unmute(self, asked: dict[str, Any]) -> None:
        self._channel(asked).muted = False

    async def _channels_sendDTMF(self, asked: dict[str, Any]) -> None:
        self._channel(asked).dtmf += asked["dtmf"]

    async def _channels_setChannelVar(self, asked: dict[str, Any]) -> None:
        self._channel(asked).variables[asked["variable"]] = asked["value"]

    async def _channels_getChannelVar(self, asked: dict[str, Any]) -> Any:
        channel, name = self._channel(asked), asked["variable"]
        found = self.function(name)
        unset = "1" if name.startswith("DIALPLAN_EXISTS(") else "0"
        return {"value": channel.variables.get(name, unset) if found is None else found}

    async def _channels_continueInDialplan(self, asked: dict[str, Any]) -> None:
        channel = self._channel(asked)
        if not self.dialplan_talks:
            del self.channels[channel.id]
        self.continued[channel.id] = channel.variables
        await self._leave_bridge(channel)
        await self.emit("StasisEnd", channel=channel.json())

    async def _bridges_list(self, asked: dict[str, Any]) -> Any:
        return [self._bridge(bridge_id) for bridge_id in (*self.bridges, *self.stale_bridges)]

    async def _bridges_get(self, asked: dict[str, Any]) -> Any:
        if asked["bridgeId"] not in self.stale_bridges:
            self._members(asked)
        return self._bridge(asked["bridgeId"])

    async def _bridges_createWithId(self, asked: dict[str, Any]) -> Any:
        self.bridges[asked["bridgeId"]] = []
        self.bridge_names[asked["bridgeId"]] = asked.get("name", "")
        return self._bridge(asked["bridgeId"])

    async def _bridges_addChannel(self, asked: dict[str, Any]) -> None:
        members = self._members(asked)
        channel = self.channels.get(asked["channel"])
        if channel is None or not channel.in_app:
            raise web.HTTPUnprocessableEntity(text='{"message": "Channel not in Stasis application"}')
        if channel.id in members:
            return
        await self._leave_bridge(channel)  # Asterisk moves it
        members.append(channel.id)
        await self.emit("ChannelEnteredBridge", bridge=self._bridge(asked["bridgeId"]), channel=channel.json())

    async def _bridges_removeChannel(self, asked: dict[str, Any]) -> None:
        members = self._members(asked)
        channel = self.channels.get(asked["channel"])
        if channel is None:
            raise web.HTTPBadRequest(text='{"message": "Channel not found"}')
        if channel.id not in members:
            raise web.HTTPUnprocessableEntity(text='{"message": "Channel not in this bridge"}')
        await self._leave_bridge(channel)

    async def _bridges_startMoh(self, asked: dict[str, Any]) -> None:
        self._members(asked)
        self.music[asked["bridgeId"]] = asked.get("mohClass", "default")

    async def _bridges_stopMoh(self, asked: dict[str, Any]) -> None:
        self._members(asked)
        if self.music.pop(asked["bridgeId"], None) is None:
            raise web.HTTPConflict(text='{"message": "Bridge isn\'t playing music"}')

    async def _bridges_destroy(self, asked: dict[str, Any]) -> None:
        self._members(asked)
        bridge = self._bridge(asked["bridgeId"])
        del self.bridges[asked["bridgeId"]]
        self.music.pop(asked["bridgeId"], None)
        await self.finish_of_bridge(asked["bridgeId"])
        await self.emit("BridgeDestroyed", bridge=bridge)

    def _members(self, asked: dict[str, Any]) -> list[str]:
        try:
            return self.bridges[asked["bridgeId"]]
        except KeyError:
            if asked["bridgeId"] in self.stale_bridges:
                raise web.HTTPConflict(text='{"message": "Bridge not in Stasis application"}') from None
            raise web.HTTPNotFound(text='{"message": "Bridge not found"}') from None
