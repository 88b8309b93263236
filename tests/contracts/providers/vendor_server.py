"""A vendor on loopback: a real HTTP and websocket server that answers as a test says and keeps what it was asked.

Wire formats are in the tests, one file per kind of model.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Reply = Callable[[web.WebSocketResponse, Any], Awaitable[None]]

SOUND = bytes(3200)  # 0.1 s at 16 kHz, 16 bit


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class VendorServer:
    """What tests hold in hands."""

    url: str = ""
    answer: Answer | None = None
    asked: list[Asked] = field(default_factory=list)
    said: list[Any] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def sends(self, lines: list[str], kind: str = "text/event-stream", after_s: float = 0) -> None:
        """Answers with these lines, one by one, the first `after_s` later."""

        async def answer(request: web.Request) -> web.StreamResponse:
            await self._wait(after_s)
            response = web.StreamResponse(headers={"Content-Type": kind})
            await response.prepare(request)
            for line in lines:
                await response.write(f"{line}\n".encode())
            await response.write_eof()
            return response

        self.answer = answer

    def sends_body(self, body: bytes, kind: str, status: int = 200) -> None:
        """Answers with one body."""

        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers={"Content-Type": kind})

        self.answer = answer

    def refuses(self, status: int) -> None:
        """Answers with a status and an error nobody should see: it repeats the key."""
        self.sends_body(b'{"error": {"message": "bad key vendor-key", "code": %d}}' % status, "application/json", status)

    def hangs(self) -> None:
        """Takes the request and never answers."""

        async def answer(request: web.Request) -> web.StreamResponse:
            await self.closing.wait()
            return web.Response()

        self.answer = answer

    def talks(self, reply: Reply) -> None:
        """Takes a websocket; `reply` is asked for each message, and once with None at the start."""

        async def answer(request: web.Request) -> web.StreamResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await reply(socket, None)
            async for message in socket:
                told = json.loads(message.data) if message.type is WSMsgType.TEXT else message.data
                self.said.append(told)
                await reply(socket, told)
            return socket

        self.answer = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = b"" if request.headers.get("Upgrade", "").lower() == "websocket" else await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        assert self.answer is not None
        return await self.answer(request)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return


def encoded(sound: bytes) -> str:
    return base64.b64encode(sound).decode()


@asynccontextmanager
async def vendor_server() -> AsyncIterator[VendorServer]:
    """Run one on a free port."""
    server = VendorServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.closing.set()
        await runner.cleanup()
