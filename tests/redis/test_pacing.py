"""The carrier's limit: however many workers ask, and however slowly they act, no second holds more dials than allowed."""

import asyncio
import random

import pytest

from modules.call_queue_manager import Held, Pacing, Records, Store, connect, keys
from modules.calls import Event, Report
from tests.fleet_clock import Claim, Enqueue

pytestmark = pytest.mark.redis


async def redis_s(store: Store) -> float:
    """Redis's own time, which is the same for every worker."""
    seconds, micros = await store.client.time()
    return float(seconds) + float(micros) / 1e6


async def dials(redis_url: str, per_second: float, workers: int, each: int, slowest_s: float) -> list[float]:
    """Let `workers` dial `each` times; return when each dial reached the carrier, by Redis's clock."""
    arrived: list[float] = []
    chance = random.Random(4)

    async def worker() -> None:
        store = await connect(redis_url)
        pacing = Pacing(store, "trunk", per_second)
        for _ in range(each):
            ticket = await pacing.turn("")
            await asyncio.sleep(chance.uniform(0, slowest_s))  # an agent that is slow between its turn and its dial
            arrived.append(await redis_s(store))
            await pacing.left(ticket)
        await store.close()

    async with asyncio.TaskGroup() as tasks:
        for number in range(workers):
            tasks.create_task(worker(), name=f"worker {number}")
    return sorted(arrived)


def closest(arrived: list[float], count: int) -> float:
    """The shortest span that holds `count` + 1 dials."""
    return min(later - earlier for earlier, later in zip(arrived, arrived[count:], strict=False))


async def test_no_second_holds_more_dials_than_allowed(store: Store, redis_url: str) -> None:
    """Eight workers, ten dials a second: the carrier never counts eleven in any second."""
    arrived = await dials(redis_url, per_second=10, workers=8, each=4, slowest_s=0)
    assert len(arrived) == 32
    assert closest(arrived, 10) >= 1.0


async def test_a_worker_that_is_slow_to_dial_does_not_break_the_limit(store: Store, redis_url: str) -> None:
    """Turns are given in time but used late, and still no second holds too many."""
    arrived = await dials(redis_url, per_second=5, workers=6, each=2, slowest_s=0.8)
    assert len(arrived) == 12
    assert closest(arrived, 5) >= 1.0


async def test_half_a_call_a_second_is_one_in_two_seconds(store: Store, redis_url: str) -> None:
    """Slow carriers are kept to, too."""
    arrived = await dials(redis_url, per_second=0.8, workers=3, each=1, slowest_s=0)
    assert closest(arrived, 1) >= 1.25


async def test_a_fraction_is_never_rounded_up(store: Store) -> None:
    """2.7 calls a second are two."""
    pacing = Pacing(store, "trunk", 2.7)
    for _ in range(2):
        await pacing.left(await pacing.turn(""))
    third = asyncio.create_task(pacing.turn(""))
    await store.client.time()
    assert not third.done()
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)


async def test_calls_are_dialled_in_the_order_in_which_they_were_claimed(
    store: Store, enqueue: Enqueue, claim: Claim, records: Records
) -> None:
    """The queue's order is kept up to the phone, even where a later call's agent was ready first."""
    held = []
    for _ in range(3):
        await enqueue()
        found = await claim()
        assert found
        await records.report(found.call.call_id, Report(Event.CLAIMED, room="r"), token=found.token)
        held.append(found)
    order: list[str] = []

    async def agent(mine: Held) -> None:
        pacing = Pacing(store, "trunk", 10)
        ticket = await pacing.turn(mine.call.call_id)
        order.append(mine.call.call_id)
        await records.report(mine.call.call_id, Report(Event.DIALING), token=mine.token)
        await pacing.left(ticket)

    async with asyncio.TaskGroup() as tasks:
        for mine in reversed(held):
            tasks.create_task(agent(mine), name=f"agent of {mine.call.call_id}")
    assert order == [mine.call.call_id for mine in held]


async def test_trunks_have_limits_of_their_own(store: Store) -> None:
    """A busy trunk does not slow another."""
    async with asyncio.timeout(1):
        await Pacing(store, "one", 1).turn("")
        await Pacing(store, "two", 1).turn("")


async def test_a_worker_that_dies_with_a_turn_blocks_it_only_for_a_while(store: Store) -> None:
    """A turn nobody uses is given up after some seconds, and its key goes away by itself."""
    ticket = await Pacing(store, "trunk", 1).turn("")
    score = float(await store.call("ZSCORE", keys.pace("trunk"), ticket))
    assert 4.5 < score / 1000 - await redis_s(store) <= 6  # the window, and then the grace
    assert 0 < await store.client.pttl(keys.pace("trunk")) <= 70_000


async def test_a_turn_that_was_given_up_is_not_revived(store: Store) -> None:
    """A worker that comes back after a minute does not hold up the others."""
    pacing = Pacing(store, "trunk", 1)
    ticket = await pacing.turn("")
    await store.client.zrem(keys.pace("trunk"), ticket)
    await pacing.left(ticket)
    assert await store.client.zcard(keys.pace("trunk")) == 0
