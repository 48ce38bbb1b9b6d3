"""Stands between Playwright and a Firefox that is older than the WebDriver BiDi that Playwright speaks.

Run as `bidi.py FIREFOX ARGUMENT…` in place of Firefox. Playwright 1.65 opens no context where a command is unknown that
Firefox ESR 153 has not: it is answered here, as done. And what Playwright evaluates in a page counts as a press there:
no page of its is ever as silent as one that nobody has pressed. Here it does not count. All else goes through as it is.
"""

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

ANSWERED_HERE = {"emulation.setMediaFeaturesOverride"}
"""Sets light or dark: no test with Firefox asks for either."""
LISTENING = re.compile(rb"(?<=WebDriver BiDi listening on )ws://\S+")
LONGEST_LINE = 1 << 20


class Relay:
    """`firefox`: the address at which the real one listens."""

    def __init__(self, firefox: str) -> None:
        self._firefox = firefox

    async def listen(self) -> str:
        """The address at which Playwright is served, until the process ends."""
        app = web.Application()
        app.router.add_get("/session", self._serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        return f"ws://{host}:{port}"

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        near = web.WebSocketResponse(max_msg_size=0)
        await near.prepare(request)
        async with ClientSession() as http, http.ws_connect(f"{self._firefox}/session", max_msg_size=0) as far:
            back = asyncio.create_task(self._pass_back(far, near))
            async for message in near:
                if message.type is WSMsgType.TEXT:
                    await self._command(message.data, near, far)
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
        return near

    async def _command(self, text: str, near: web.WebSocketResponse, far: ClientWebSocketResponse) -> None:
        command = json.loads(text)
        if command["method"] in ANSWERED_HERE:
            await near.send_json({"type": "success", "id": command["id"], "result": {}})
        else:
            if command.get("params", {}).pop("userActivation", None):
                text = json.dumps(command)
            await far.send_str(text)

    async def _pass_back(self, far: ClientWebSocketResponse, near: web.WebSocketResponse) -> None:
        async for message in far:
            if message.type is WSMsgType.TEXT:
                await near.send_str(message.data)
        await near.close()


async def main(command: list[str]) -> int:
    """Runs Firefox until it ends, and tells Playwright the relay's address in place of its own."""
    firefox = await asyncio.create_subprocess_exec(*command, stderr=PIPE, limit=LONGEST_LINE)
    assert firefox.stderr
    async for line in firefox.stderr:
        if address := LISTENING.search(line):
            line = LISTENING.sub((await Relay(address[0].decode()).listen()).encode(), line)
        sys.stderr.buffer.write(line)
        sys.stderr.flush()
    return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
