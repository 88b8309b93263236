"""No body larger than the cap and none slower than the limit, whatever its headers claim. Read whole, before the app sees it."""

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api_server.errors import BodyTooLarge, BodyTooSlow
from modules.api_server.problems import answer
from modules.calls.errors import VoicefleetError

ARRIVES_WITHIN_S = 20.0
_PIECE = 256 * 1024


class _Gone(Exception):
    """The client hung up before its body was complete."""


class BodyCap:
    """ASGI middleware. Holds at most `limit_bytes` and one chunk per request in memory; `others` by path have other limits."""

    def __init__(
        self, app: ASGIApp, limit_bytes: int, others: Mapping[str, int] | None = None, within_s: float = ARRIVES_WITHIN_S
    ) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._others = others or {}
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            limit = self._others.get(scope.get("path", ""), self._limit_bytes)
            body = await _whole(Headers(scope=scope), receive, limit, self._within_s)
        except VoicefleetError as error:
            response = answer(error)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        except _Gone:
            return
        await self._app(scope, _replayed(body, receive), send)


async def _whole(headers: Headers, receive: Receive, limit: int, within_s: float) -> bytes:
    too_large = BodyTooLarge(f"A body may have {limit} bytes at most here.")
    claimed = headers.get("content-length", "")
    if claimed.isdecimal() and int(claimed[:20]) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                body += message.get("body", b"")
                if len(body) > limit:
                    raise too_large
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise BodyTooSlow(f"The body did not arrive within {within_s:g} s.") from None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return the body again, in pieces: whoever takes a large one apart lets others have their turn in between."""
    starts = iter(range(0, max(len(body), 1), _PIECE))

    async def replay() -> Message:
        start = next(starts, None)
        if start is None:
            return await receive()
        if start:
            await asyncio.sleep(0)
        return {"type": "http.request", "body": body[start : start + _PIECE], "more_body": start + _PIECE < len(body)}

    return replay
