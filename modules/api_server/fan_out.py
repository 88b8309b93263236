"""One reader of the event stream, any number of listeners. A listener misses nothing: what happened before it came is read
from Redis, what happens afterwards is handed on; one that does not keep up is let go and resumes with its last id.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from modules.api_server.parts import Part
from modules.call_queue_manager import Store, StreamEvent, follow, latest_id, read_after
from modules.calls.errors import Unavailable
from modules.metrics_logger import get_logger

log = get_logger(__name__)
BUFFER = 512
"""Events one listener may be behind before it is let go."""
_REDIS_PAUSE_S = 0.5
_PAGE = 200


class Listener:
    """One open event stream."""

    def __init__(self, call_id: str | None) -> None:
        self.call_id = call_id
        self.over = False
        self._waiting: asyncio.Queue[StreamEvent | None] = asyncio.Queue(BUFFER)

    def offer(self, event: StreamEvent) -> None:
        """Hand an event over, or let go of a listener that is too far behind."""
        if self.call_id not in (None, event.call_id):
            return
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.end()

    def end(self) -> None:
        """Let go of this listener; whoever reads it comes back with its last id."""
        self.over = True
        with suppress(asyncio.QueueFull):
            self._waiting.put_nowait(None)

    async def next(self, within_s: float) -> StreamEvent | None:
        """Return the next event, or None when there is none in time. Raises EOFError when this stream must end."""
        if self.over:
            raise EOFError
        try:
            async with asyncio.timeout(within_s):
                event = await self._waiting.get()
        except TimeoutError:
            return None
        if event is None:
            raise EOFError
        return event


class FanOut:
    """The reader and its listeners."""

    def __init__(self, listening: Part[Store]) -> None:
        self._listening = listening
        self._listeners: set[Listener] = set()
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many event streams are open."""
        return len(self._listeners)

    async def run(self) -> None:
        """Read until closed; wait while Redis is away, then go on where it stopped."""
        after: str | None = None
        while not self._closed:
            try:
                store = await self._listening.get()
                after = after or await latest_id(store)
                async for event in follow(store, after):
                    if self._closed:
                        return
                    if event is not None:
                        after = event.id
                        for listener in list(self._listeners):
                            listener.offer(event)
            except Unavailable:
                await asyncio.sleep(_REDIS_PAUSE_S)
            except Exception:
                self._end_all()  # they resume by reading their own streams; this reader starts anew at the end
                raise

    def _end_all(self) -> None:
        for listener in self._listeners:
            listener.end()

    def close(self) -> None:
        """End every stream, so that the server can stop; clients come back to another process or after the restart."""
        self._closed = True
        self._end_all()

    @contextmanager
    def listening(self, call_id: str | None) -> Iterator[Listener]:
        """Open a listener for one call, or for all."""
        listener = Listener(call_id)
        self._listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)


async def since(store: Store, after: str, listener: Listener, quiet_s: float) -> AsyncIterator[StreamEvent | None]:
    """Yield what happened after the id `after` and then what happens; None where nothing came for `quiet_s`.

    Reads from Redis until that has caught up, so that nothing between the last id and the first live event is missed.
    """
    while found := await read_after(store, after, call_id=listener.call_id, count=_PAGE):
        for past in found:
            after = past.id
            yield past
        if listener.over:
            return
    while True:
        try:
            event = await listener.next(quiet_s)
        except EOFError:
            return
        if event is None or _later(event.id, after):
            after = event.id if event else after
            yield event


def _later(left: str, right: str) -> bool:
    return stream_id(left) > stream_id(right)


def stream_id(text: str) -> tuple[int, int]:
    """Return a stream id as two numbers that compare as Redis compares them. Raises ValueError."""
    milliseconds, _, sequence = text.partition("-")
    return int(milliseconds), int(sequence or 0)
