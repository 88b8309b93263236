"""No body larger than the cap and none slower than the limit, whatever its headers claim. Read whole, before the app sees it."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api_server.errors import BodyTooLarge, BodyTooSlow
from modules.api_server.problems import answer
from modules.calls.errors import VoicefleetError

ARRIVES_WITHIN_S = 20.0


class _Gone(Exception):
    """The client hung up before its body was complete."""


class BodyCap:
    """ASGI middleware. Holds at most `limit_bytes` and one chunk per request in memory."""

    def __init__(self, app: ASGIApp, limit_bytes: int, within_s: float = ARRIVES_WITHIN_S) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._whole(Headers(scope=scope), receive)
        except VoicefleetError as error:
            response = answer(error)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        except _Gone:
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)

    async def _whole(self, headers: Headers, receive: Receive) -> bytes:
        claimed = headers.get("content-length", "")
        if claimed.isdecimal() and int(claimed[:20]) > self._limit_bytes:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._within_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    body += message.get("body", b"")
                    if len(body) > self._limit_bytes:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise BodyTooSlow(f"The body did not arrive within {self._within_s:g} s.") from None

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"A body may have {self._limit_bytes} bytes at most.")
