"""What happened, as it happens: the event stream's one entry type and the two ways to read it. Written only by Lua scripts."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modules.call_queue_manager import keys
from modules.call_queue_manager.connection import Store

BLOCK_MS = 1000
"""Longest blocking read. A connection used for it needs `connect(..., blocking_s=1)`."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One entry. `id` is the Redis stream id ("1763700000000-0"), ascending over all calls; `data` is as the type defines."""

    id: str
    call_id: str
    type: str
    at: datetime
    data: dict[str, Any]


async def read_after(
    store: Store, after: str, *, call_id: str | None = None, count: int = 200, block: bool = False
) -> list[StreamEvent]:
    """Return up to `count` events after the id `after` ("0" = all), of one call or of all; wait for one when `block`."""
    stream = keys.call_events(call_id) if call_id else keys.EVENTS
    waiting: list[Any] = ["BLOCK", BLOCK_MS] if block else []
    found = await store.call("XREAD", "COUNT", count, *waiting, "STREAMS", stream, after)
    entries: list[Any] = found[0][1] if found else []
    return [_event(entry_id, fields) for entry_id, fields in entries]


async def latest_id(store: Store) -> str:
    """Return the newest event's id, "0" where there is none."""
    newest = await store.call("XREVRANGE", keys.EVENTS, "+", "-", "COUNT", 1)
    return str(newest[0][0]) if newest else "0"


async def follow(store: Store, after: str, *, call_id: str | None = None) -> AsyncIterator[StreamEvent | None]:
    """Yield events as they come, and None once a second while nothing comes. Raises Unavailable when Redis goes away."""
    while True:
        events = await read_after(store, after, call_id=call_id, block=True)
        for event in events:
            after = event.id
            yield event
        if not events:
            yield None


def _event(entry_id: str, fields: Any) -> StreamEvent:
    named: dict[str, str] = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    return StreamEvent(
        entry_id, named["call_id"], named["type"], datetime.fromisoformat(named["at"]), json.loads(named["data"])
    )
