"""Fifty calls at once into a small fleet: never more at a time or in a second than allowed, in order, and all of them."""

import asyncio

import pytest

from modules.call_queue_manager import connect
from tests.callers import caller_of
from tests.fleets import running

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(400)]

AT_ONCE, PER_SECOND = 4, 2
TALKS, HANGS_UP_AT_ONCE = "+12025550111", "+12025550107"
CALLS = [TALKS, *[HANGS_UP_AT_ONCE] * 4] * 10


async def test_fifty_calls_keep_to_the_limits_and_to_their_order() -> None:
    """I queued fifty calls; the carrier never saw more than four at once or two in any second, and all were completed."""
    env = {"MAX_CONCURRENT_CALLS": str(AT_ONCE), "CALLS_PER_SECOND": str(PER_SECOND)}
    async with running(env=env) as fleet:
        caller = caller_of(fleet)
        placed = [await caller.place(number, personality="short_notice") for number in CALLS]
        ended = await asyncio.gather(*(caller.end_of(call_id, within_s=300) for call_id in placed))
        dials = sorted(await caller.dials(), key=lambda dial: float(dial["arrived_monotonic_s"]))
        await caller.http.aclose()
        assert {call["outcome"] for call in ended} == {"completed"}
        assert [dial["call_id"] for dial in dials] == placed
        _at_once(dials)
        _per_second(dials)
        await _nothing_lives_for_ever(fleet.settings.redis_url)


async def test_a_full_worker_takes_the_next_call_as_soon_as_one_has_ended() -> None:
    """My fleet has room for one call. Each call began when the one before had ended; none had to be placed a second time."""
    async with running(env={"WORKER_SLOTS": "1", "CALLS_PER_SECOND": "4"}) as fleet:
        caller = caller_of(fleet)
        placed = [await caller.place(TALKS, personality="short_notice") for _ in range(4)]
        ended = await asyncio.gather(*(caller.end_of(call_id, within_s=120) for call_id in placed))
        await caller.http.aclose()
    assert {call["outcome"] for call in ended} == {"completed"}
    assert [call["attempts"]["placed"] for call in ended] == [1, 1, 1, 1]


def _at_once(dials: list[dict[str, str]]) -> None:
    changes = [(dial["arrived_at"], 1) for dial in dials] + [(dial["ended_at"], -1) for dial in dials]
    talking = most = 0
    for _, change in sorted(changes):
        talking += change
        most = max(most, talking)
    assert most <= AT_ONCE


def _per_second(dials: list[dict[str, str]]) -> None:
    arrived = [float(dial["arrived_monotonic_s"]) for dial in dials]
    spans = [later - earlier for earlier, later in zip(arrived, arrived[PER_SECOND:], strict=False)]
    assert min(spans) >= 1.0


async def _nothing_lives_for_ever(redis_url: str) -> None:
    store = await connect(redis_url)
    try:
        assert [key async for key in store.client.scan_iter() if await store.client.ttl(key) == -1] == []
    finally:
        await store.close()
