"""One at a time: whoever changes the stored trunks holds a lock in Redis, and learns when it has lost it."""

import asyncio

import pytest

from modules.call_queue_manager import Store, exclusive, keys
from modules.calls.errors import Unavailable
from modules.sip_management.loop import alone

pytestmark = pytest.mark.redis


async def test_twenty_at_once_go_one_after_the_other(store: Store) -> None:
    """However many come, nobody is inside together with another."""
    inside, most = 0, 0

    async def work() -> None:
        nonlocal inside, most
        async with exclusive(store, keys.TRUNKS_LOCK) as still_mine:
            inside, most = inside + 1, max(most, inside + 1)
            await still_mine()
            inside -= 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert most == 1
    assert not await store.client.exists(keys.TRUNKS_LOCK), "nothing is left behind"


async def test_who_slept_through_the_lock_is_told_before_the_next_step(store: Store) -> None:
    """A machine that was stopped for too long must not go on: another may have taken over, and keeps the lock."""
    with pytest.raises(Unavailable, match="lock was lost"):
        async with exclusive(store, keys.TRUNKS_LOCK) as still_mine:
            await store.client.delete(keys.TRUNKS_LOCK)  # as if its time had run out
            async with exclusive(store, keys.TRUNKS_LOCK) as still_theirs:
                await still_theirs()
                await still_mine()


async def test_the_lock_of_a_dead_holder_ends_by_itself(store: Store) -> None:
    """A process killed with the lock in its hands keeps nobody out for longer than the lock lives."""
    async with exclusive(store, keys.TRUNKS_LOCK, life_s=30):
        assert 0 < await store.client.pttl(keys.TRUNKS_LOCK) <= 30_000


async def test_who_cannot_get_in_is_told(store: Store) -> None:
    """While somebody else is at it for longer than I want to wait, I hear that, and nothing is changed."""
    async with exclusive(store, keys.TRUNKS_LOCK):
        with pytest.raises(Unavailable, match="Somebody else"):
            async with exclusive(store, keys.TRUNKS_LOCK, wait_s=0.1):
                pytest.fail("two are inside")


async def test_a_looped_call_has_the_line_for_itself(store: Store) -> None:
    """Two doctors at once: the first keeps the second out for as long as its own call takes."""
    entered = asyncio.Event()

    async def second() -> None:
        async with alone(store):
            entered.set()

    async with alone(store):
        waiting = asyncio.create_task(second())
        life_ms = await store.client.pttl(keys.LOOP_LOCK)
        assert 0 < life_ms <= 12_000, "one who was killed keeps the next out for seconds only"
        async with asyncio.timeout(30):
            while (now_ms := await store.client.pttl(keys.LOOP_LOCK)) <= life_ms:
                life_ms = now_ms
                await asyncio.sleep(0.05)
        assert not entered.is_set()
    await waiting
    assert entered.is_set() and not await store.client.exists(keys.LOOP_LOCK)
