"""What the queue's tests share: waiting calls, time that passes when a test says so, a Redis of one's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from modules.call_queue_manager import CallQueue, Held, Store, connect
from modules.calls import Call
from tests.fleet_clock import Claim, Clock, Enqueue
from tests.phone_calls import a_call
from tests.redis_server import OwnRedis, Wire


@pytest.fixture
def clock(store: Store) -> Clock:
    return Clock(store)


@pytest.fixture
def enqueue(queue: CallQueue, clock: Clock) -> Enqueue:
    """Queue a call with these facts and return it."""

    async def put(**facts: Any) -> Call:
        call = a_call(clock.now(), **facts)
        await queue.enqueue(call)
        return call

    return put


@pytest.fixture
def claim(queue: CallQueue) -> Claim:
    """Take the next call, with room for ten unless the test says otherwise."""

    async def take(limit: int = 10, calls_per_second: float = 10, lease_s: float = 7) -> Held | None:
        return await queue.claim(limit=limit, calls_per_second=calls_per_second, lease_s=lease_s)

    return take


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    """A redis-server that this test may freeze and kill."""
    server = OwnRedis(tmp_path)
    yield server
    server.kill()


@pytest.fixture
async def wire(store: Store, redis_url: str) -> AsyncIterator[tuple[Wire, Store]]:
    """A connection to Redis over a wire that can lose answers."""
    wire = Wire(urlsplit(redis_url).port or 0)
    far = await connect(await wire.open(), blocking_s=1)
    yield wire, far
    await far.close()
    await wire.close()
