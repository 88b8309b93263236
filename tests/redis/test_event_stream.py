"""Listening: everybody hears everything once, in order, from wherever they stopped, and is told when there is nothing."""

import asyncio

import pytest

from modules.call_queue_manager import Records, Store, StreamEvent, connect, follow, latest_id, read_after
from modules.calls import Event, Report
from modules.calls.errors import Unavailable
from tests.fleet_clock import Enqueue
from tests.redis_server import DURABLE, OwnRedis

pytestmark = pytest.mark.redis


async def heard(store: Store, after: str, count: int, call_id: str | None = None) -> list[StreamEvent]:
    """Follow the stream until `count` events have come."""
    events: list[StreamEvent] = []
    async with asyncio.timeout(20):
        async for event in follow(store, after, call_id=call_id):
            if event:
                events.append(event)
            if len(events) == count:
                break
    return events


async def test_a_listener_hears_what_happens_while_it_listens(store: Store, redis_url: str, enqueue: Enqueue) -> None:
    """I open the stream first and place a call then; its events come as they happen."""
    ear = await connect(redis_url, blocking_s=1)
    listening = asyncio.create_task(heard(ear, await latest_id(store), 3), name="listener")
    placed = [(await enqueue()).call_id for _ in range(3)]
    assert [event.call_id for event in await listening] == placed
    await ear.close()


async def test_a_listener_to_one_call_hears_nothing_of_others(
    store: Store, redis_url: str, enqueue: Enqueue, records: Records
) -> None:
    """Following my call shows my call."""
    mine, other = await enqueue(), await enqueue()
    ear = await connect(redis_url, blocking_s=1)
    listening = asyncio.create_task(heard(ear, "0", 2, mine.call_id), name="listener")
    for call in (other, mine):
        await records.report(call.call_id, Report(Event.CANCELLED))
    assert [(event.call_id, event.type) for event in await listening] == [
        (mine.call_id, "call.queued"), (mine.call_id, "call.ended"),
    ]  # fmt: skip
    await ear.close()


async def test_while_nothing_happens_a_listener_is_told_so(store: Store) -> None:
    """Once in a while I get a sign of life, so that I can see whether anybody still listens to me."""
    async with asyncio.timeout(20):
        async for event in follow(store, "0"):
            assert event is None
            break


async def test_a_listener_that_comes_back_misses_nothing(store: Store, enqueue: Enqueue) -> None:
    """I remember the last id and ask for what came after it, in pieces if it was much."""
    placed = [(await enqueue()).call_id for _ in range(25)]
    found: list[StreamEvent] = []
    after = "0"
    while events := await read_after(store, after, count=10):
        found += events
        after = events[-1].id
    assert [event.call_id for event in found] == placed
    assert after == await latest_id(store)
    assert [event.id for event in found] == sorted((event.id for event in found), key=_order)


def _order(event_id: str) -> tuple[int, int]:
    ms, _, number = event_id.partition("-")
    return int(ms), int(number)


async def test_an_empty_stream_begins_at_nought(store: Store) -> None:
    """On a new fleet there is nothing to hear."""
    assert await latest_id(store) == "0"
    assert await read_after(store, "0") == []


async def test_when_redis_goes_a_listener_is_told(own_redis: OwnRedis) -> None:
    """A stream does not hang silently: it ends with 'unavailable', and can be opened again from the last id."""
    store = await own_redis.start(*DURABLE)
    stream = follow(store, "0")
    assert await anext(stream) is None
    own_redis.kill()
    with pytest.raises(Unavailable):
        await anext(stream)
    await store.close()
