"""Server-sent events on the wire: one frame per event, a comment every few seconds, an end for whoever does not read."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.types import Message, Send

from modules.call_queue_manager import StreamEvent

QUIET_S = 5.0
"""A comment is sent after this long without an event, so that proxies and clients see a living connection."""
_TAKES_S = 15.0
_AGAIN_MS = 1000


class EventStream(StreamingResponse):
    """A streaming answer that gives up on a client that has not read for a while."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[bytes], status_code: int = 200) -> None:
        super().__init__(frames, status_code, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def stream_response(self, send: Send) -> None:
        """Send every frame; end the answer where one is not taken in time."""

        async def patient(message: Message) -> None:
            async with asyncio.timeout(_TAKES_S):
                await send(message)

        try:
            await super().stream_response(patient)
        except TimeoutError:
            return


def frame(event: StreamEvent) -> bytes:
    """Return one event; `id` is what a client sends as Last-Event-ID to go on after it."""
    data = {"id": event.id, "call_id": event.call_id, "type": event.type, "at": event.at.isoformat(), "data": event.data}
    return format_sse_event(data_str=json.dumps(data), event=event.type, id=event.id)


def opening() -> bytes:
    """Return the first frame: how soon to come back after a broken connection."""
    return format_sse_event(retry=_AGAIN_MS, comment="voicefleet events")


def quiet() -> bytes:
    """Return what is sent while nothing happens."""
    return bytes(KEEPALIVE_COMMENT)
