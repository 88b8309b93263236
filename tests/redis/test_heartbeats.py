"""Which workers live, and how many calls they can hold: only who has spoken a moment ago counts."""

import pytest

from modules.call_queue_manager import Store, Worker, Workers, keys
from tests.fleet_clock import Clock

pytestmark = pytest.mark.redis


async def test_a_worker_that_beats_is_counted_with_its_slots(store: Store) -> None:
    """The fleet knows how much it can do now."""
    workers = Workers(store)
    await workers.beat(Worker("a", slots=8, active=3))
    await workers.beat(Worker("b", slots=0, active=2))  # it drains
    assert sorted(await workers.alive(), key=lambda worker: worker.worker_id) == [Worker("a", 8, 3), Worker("b", 0, 2)]


async def test_a_silent_worker_is_forgotten(store: Store, clock: Clock) -> None:
    """Five seconds after its last word nobody reckons with it."""
    workers = Workers(store)
    await workers.beat(Worker("a", 8, 0))
    clock.passes(seconds=4)
    await workers.beat(Worker("b", 8, 0))
    clock.passes(seconds=2)
    assert [worker.worker_id for worker in await workers.alive()] == ["b"]


async def test_a_worker_that_says_goodbye_is_gone_at_once(store: Store) -> None:
    """An orderly end does not wait for silence."""
    workers = Workers(store)
    await workers.beat(Worker("a", 8, 0))
    await workers.leave("a")
    assert await workers.alive() == []
    assert await store.call("EXISTS", keys.worker("a"), keys.WORKERS) == 0


async def test_a_worker_whose_heart_is_gone_but_whose_name_is_left_does_not_count(store: Store) -> None:
    """Its slots were written with its heartbeat and went with it."""
    workers = Workers(store)
    await workers.beat(Worker("a", 8, 0))
    await store.call("DEL", keys.worker("a"))
    assert await workers.alive() == []


async def test_the_last_word_counts(store: Store) -> None:
    """A worker that begins to drain is believed at once."""
    workers = Workers(store)
    await workers.beat(Worker("a", 8, 0))
    await workers.beat(Worker("a", 0, 5))
    assert await workers.alive() == [Worker("a", 0, 5)]
