"""Whoever takes a call holds it under a lease, and says "still here" every second. Who falls silent is replaced for good."""

import pytest

from modules.call_queue_manager import CallQueue, Fenced, Records
from modules.calls import Event, Report
from tests.fleet_clock import Clock
from tests.phone_calls import a_call

pytestmark = pytest.mark.redis


async def test_a_call_is_taken_by_one(queue: CallQueue, clock: Clock) -> None:
    """Two orchestrators ask; one gets it."""
    await queue.enqueue(a_call(clock.now()))
    first = await queue.claim(limit=10, calls_per_second=10, lease_s=7)
    second = await queue.claim(limit=10, calls_per_second=10, lease_s=7)
    assert first is not None
    assert second is None


async def test_a_silent_holder_loses_its_call_and_its_say(queue: CallQueue, records: Records, clock: Clock) -> None:
    """After seven silent seconds somebody else may take the call. If the old holder wakes up, nobody listens to it."""
    await queue.enqueue(a_call(clock.now()))
    old = await queue.claim(limit=10, calls_per_second=10, lease_s=7)
    assert old is not None

    clock.passes(seconds=8)
    new = await queue.seize(old.call.call_id)
    assert new is not None

    with pytest.raises(Fenced):
        await records.report(old.call.call_id, Report(Event.CLAIMED), token=old.token)
    await records.report(new.call.call_id, Report(Event.CLAIMED), token=new.token)


async def test_a_holder_that_says_still_here_keeps_its_call(queue: CallQueue, records: Records, clock: Clock) -> None:
    """However long the conversation."""
    await queue.enqueue(a_call(clock.now()))
    held = await queue.claim(limit=10, calls_per_second=10, lease_s=7)
    assert held is not None
    for _ in range(20):
        clock.passes(seconds=5)
        assert await records.renew(held)
        assert await queue.seize(held.call.call_id) is None
