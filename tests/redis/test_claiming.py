"""Waiting calls are taken in order, each by one taker, and never more of them than there is room for."""

import asyncio
from datetime import timedelta

import pytest

from modules.call_queue_manager import CallQueue, Records, Store, connect, keys
from modules.calls import Event, Outcome, Priority, Report
from tests.fleet_clock import Claim, Clock, Enqueue

pytestmark = pytest.mark.redis


async def taken(claim: Claim, most: int = 100) -> list[str]:
    """Claim until nothing is left; return the ids in the order in which they were taken."""
    found: list[str] = []
    while held := await claim(limit=most, calls_per_second=100):
        found.append(held.call.call_id)
    return found


async def test_calls_are_taken_in_the_order_in_which_they_came(enqueue: Enqueue, claim: Claim) -> None:
    """First come, first called."""
    placed = [(await enqueue()).call_id for _ in range(20)]
    assert await taken(claim) == placed


async def test_high_goes_before_normal_and_normal_before_low(enqueue: Enqueue, claim: Claim) -> None:
    """An urgent call does not wait behind a hundred others, and equals keep their order."""
    order = [Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.NORMAL, Priority.LOW, Priority.HIGH]
    placed = [(await enqueue(priority=priority)).call_id for priority in order]
    assert await taken(claim) == [placed[index] for index in (2, 5, 1, 3, 0, 4)]


async def test_a_scheduled_call_waits_for_its_time(enqueue: Enqueue, claim: Claim, clock: Clock) -> None:
    """A call for three o'clock is not made at two."""
    later = await enqueue(not_before=clock.now() + timedelta(hours=1))
    assert await claim() is None
    clock.passes(minutes=59)
    assert await claim() is None
    clock.passes(minutes=2)
    held = await claim()
    assert held
    assert held.call.call_id == later.call_id


async def test_scheduled_calls_are_taken_in_the_order_of_their_times(enqueue: Enqueue, claim: Claim, clock: Clock) -> None:
    """Whoever is due first goes first, whenever it was asked for; and priority still counts."""
    hours = {"late": 3, "early": 1, "middle": 2}
    placed = {name: (await enqueue(not_before=clock.now() + timedelta(hours=n))).call_id for name, n in hours.items()}
    urgent = await enqueue(not_before=clock.now() + timedelta(hours=4), priority=Priority.HIGH)
    clock.passes(hours=5)
    assert await taken(claim) == [urgent.call_id, placed["early"], placed["middle"], placed["late"]]


async def test_a_time_in_the_past_means_now(enqueue: Enqueue, claim: Claim, clock: Clock) -> None:
    """A call whose earliest moment has passed is simply next."""
    await enqueue(not_before=clock.now() - timedelta(hours=1))
    assert await claim()


async def test_no_more_calls_are_held_than_the_limit(enqueue: Enqueue, claim: Claim, records: Records) -> None:
    """With room for two, the third waits until one has ended."""
    for _ in range(3):
        await enqueue()
    first = await claim(limit=2)
    assert first and await claim(limit=2)
    assert await claim(limit=2) is None
    await records.report(first.call.call_id, Report(Event.CANCELLED), token=first.token)
    assert await claim(limit=2)


async def test_a_slot_is_taken_until_its_lease_is_given_back_or_seized(enqueue: Enqueue, claim: Claim, clock: Clock) -> None:
    """A dead holder's call still occupies the line, so nobody takes its slot before the reaper has hung up."""
    await enqueue()
    await enqueue()
    assert await claim(limit=1)
    clock.passes(minutes=5)
    assert await claim(limit=1) is None


async def test_no_more_calls_are_placed_than_the_carrier_will_soon_take(
    enqueue: Enqueue, claim: Claim, records: Records
) -> None:
    """At one call a second it is useless to fill ten rooms with agents that wait for their turn."""
    for _ in range(5):
        await enqueue()
    held = [await claim(calls_per_second=1) for _ in range(3)]
    assert [bool(taken) for taken in held] == [True, True, False]
    assert held[0]
    await records.report(held[0].call.call_id, Report(Event.CLAIMED, room="r"), token=held[0].token)
    assert await claim(calls_per_second=1) is None
    await records.report(held[0].call.call_id, Report(Event.DIALING), token=held[0].token)
    assert await claim(calls_per_second=1)


@pytest.mark.parametrize("event", [Event.CANCELLED, Event.BLOCKED])
async def test_a_call_that_ends_before_it_dials_frees_its_place(
    enqueue: Enqueue, claim: Claim, records: Records, event: Event
) -> None:
    """What was refused or taken back does not hold up the calls behind it."""
    for _ in range(3):
        await enqueue()
    held = await claim(calls_per_second=1)
    assert held and await claim(calls_per_second=1) and await claim(calls_per_second=1) is None
    await records.report(held.call.call_id, Report(event), token=held.token)
    assert await claim(calls_per_second=1)


async def test_many_takers_at_once_never_get_the_same_call(redis_url: str, enqueue: Enqueue, queue: CallQueue) -> None:
    """Ten orchestrators ask at the same moment; each call goes to one of them."""
    placed = {(await enqueue()).call_id for _ in range(40)}
    stores = [await connect(redis_url) for _ in range(10)]
    queues = [CallQueue(store, lease_s=7, retention_s=60) for store in stores]
    asked = (queues[n % 10].claim(limit=100, calls_per_second=100, lease_s=7) for n in range(60))
    held = [found for found in await asyncio.gather(*asked) if found]
    for store in stores:
        await store.close()
    assert sorted(found.call.call_id for found in held) == sorted(placed)
    assert len({(found.call.call_id, found.token) for found in held}) == 40
    assert (await queue.waiting())["held"] == 40


async def test_a_cancelled_call_is_never_taken(enqueue: Enqueue, claim: Claim, records: Records, clock: Clock) -> None:
    """I took it back while it waited or slept; nobody is rung."""
    now = await enqueue()
    later = await enqueue(not_before=clock.now() + timedelta(minutes=1))
    for call in (now, later):
        await records.report(call.call_id, Report(Event.CANCELLED))
    clock.passes(minutes=5)
    assert await claim() is None


async def test_a_queue_entry_without_a_record_is_passed_over(store: Store, enqueue: Enqueue, claim: Claim) -> None:
    """Somebody deleted a record by hand; the calls behind it are not held up."""
    gone, kept = await enqueue(), await enqueue()
    await store.call("DEL", keys.call(gone.call_id))
    held = await claim()
    assert held
    assert held.call.call_id == kept.call_id
    await store.call("DEL", keys.DEADLINES)


async def test_the_stop_switch_is_for_the_whole_fleet(store: Store, queue: CallQueue) -> None:
    """One person stops dialling everywhere, and lets it go on."""
    assert not await queue.paused()
    await queue.pause(True)
    assert await CallQueue(store, lease_s=1, retention_s=1).paused()
    await queue.pause(False)
    assert not await queue.paused()


async def test_the_queue_says_what_waits(queue: CallQueue, enqueue: Enqueue, claim: Claim, clock: Clock) -> None:
    """I can see how many calls are ready, asleep and under way."""
    await enqueue()
    await enqueue()
    await enqueue(not_before=clock.now() + timedelta(hours=1))
    await claim()
    assert await queue.waiting() == {"ready": 1, "scheduled": 1, "held": 1}


async def test_a_call_that_our_own_fault_held_up_keeps_its_place(
    enqueue: Enqueue, claim: Claim, records: Records, clock: Clock
) -> None:
    """My call was next, and its agent crashed before anything was dialled: it does not start again at the end of the line."""
    first = await enqueue()
    others = [(await enqueue()).call_id for _ in range(5)]
    held = await claim()
    assert held
    await records.report(first.call_id, Report(Event.CLAIMED, room="first-1"), token=held.token)
    soon = clock.now() + timedelta(seconds=1)
    await records.report(
        first.call_id, Report(Event.ATTEMPT_FAILED, Outcome.INFRASTRUCTURE, "Its agent crashed.", retry_at=soon), token=held.token
    )
    clock.passes(seconds=2)
    assert await taken(claim) == [first.call_id, *others]
