"""A call is accepted once, or not at all: whoever asks, however often, over whatever connection."""

import asyncio

import pytest

from modules.call_queue_manager import CallQueue, Enqueued, Held, Records, Repeat, Store, keys, read_after
from modules.calls import Event, Priority, Report, State
from modules.calls.errors import IdempotencyMismatch, NotFound, Unavailable
from tests.fleet_clock import Claim, Clock, Enqueue
from tests.phone_calls import a_call
from tests.redis_server import Wire

pytestmark = pytest.mark.redis


async def test_fifty_identical_requests_at_once_make_one_call(queue: CallQueue, clock: Clock) -> None:
    """My client retried wildly; one person is called once."""
    same = Repeat("owner", "key-1", "body")
    answers = await asyncio.gather(*(queue.enqueue(a_call(clock.now()), same) for _ in range(50)))
    assert sorted(what for what, _ in answers) == [Enqueued.KNOWN] * 49 + [Enqueued.NEW]
    assert len({call_id for _, call_id in answers}) == 1
    assert await queue.waiting() == {"ready": 1, "scheduled": 0, "held": 0}


async def test_the_same_key_with_another_body_is_refused(queue: CallQueue, clock: Clock) -> None:
    """I am told that I used a key twice for two different calls, and no second call is made."""
    await queue.enqueue(a_call(clock.now()), Repeat("owner", "key-1", "body"))
    with pytest.raises(IdempotencyMismatch) as refused:
        await queue.enqueue(a_call(clock.now()), Repeat("owner", "key-1", "another body"))
    assert refused.value.field == "Idempotency-Key"
    assert (await queue.waiting())["ready"] == 1


async def test_two_owners_may_use_the_same_key(queue: CallQueue, clock: Clock) -> None:
    """Somebody else's key never answers me with somebody else's call."""
    mine, _ = await queue.enqueue(a_call(clock.now()), Repeat("me", "key-1", "body"))
    yours, _ = await queue.enqueue(a_call(clock.now()), Repeat("you", "key-1", "body"))
    assert (mine, yours) == (Enqueued.NEW, Enqueued.NEW)


async def test_without_a_key_every_request_is_a_call(queue: CallQueue, clock: Clock) -> None:
    """Only those who send a key are protected from repeating themselves."""
    for _ in range(3):
        await queue.enqueue(a_call(clock.now()))
    assert (await queue.waiting())["ready"] == 3


async def test_a_repeat_after_the_calls_end_still_answers_with_that_call(
    queue: CallQueue, records: Records, clock: Clock
) -> None:
    """A late repeat of my request does not ring the same person again."""
    same = Repeat("owner", "key-1", "body")
    _, call_id = await queue.enqueue(a_call(clock.now()), same)
    await records.report(call_id, Report(Event.CANCELLED))
    assert await queue.enqueue(a_call(clock.now()), same) == (Enqueued.KNOWN, call_id)


async def test_an_idempotency_key_is_kept_as_long_as_promised(store: Store, queue: CallQueue, clock: Clock) -> None:
    """The first answer is remembered for retention_s, and what is stored does not show the key."""
    await queue.enqueue(a_call(clock.now()), Repeat("owner", "my-secret-key", "body"))
    stored = keys.idempotency("owner", "my-secret-key")
    assert "my-secret-key" not in stored
    assert 3590 < await store.client.ttl(stored) <= 3600


async def test_an_answer_that_came_too_late_accepted_nothing(
    store: Store, queue: CallQueue, records: Records, clock: Clock
) -> None:
    """When I was answered 503 because Redis was slow, my call is not made behind my back afterwards."""
    call = a_call(clock.now())
    clock.passes(seconds=-4)  # the request was made four seconds before Redis got to see it
    with pytest.raises(Unavailable, match="too late"):
        await queue.enqueue(call, Repeat("owner", "key-1", "body"))
    assert [key async for key in store.client.scan_iter()] == []
    with pytest.raises(NotFound):
        await records.load(call.call_id)


async def test_a_request_whose_answer_was_lost_is_accepted_once(
    wire: tuple[Wire, Store], queue: CallQueue, store: Store, clock: Clock
) -> None:
    """The network broke after Redis had said yes; asking again over a new connection changes nothing."""
    bad_wire, far = wire
    call = a_call(clock.now())
    bad_wire.lose_the_next_answer()
    assert await CallQueue(far, lease_s=7, retention_s=60).enqueue(call) == (Enqueued.NEW, call.call_id)
    assert (await queue.waiting())["ready"] == 1
    assert len(await read_after(store, "0")) == 1


async def test_asking_again_never_takes_a_call_back_from_its_holder(queue: CallQueue, claim: Claim, clock: Clock) -> None:
    """Even if the repeat arrives when an agent already has the call, the agent keeps it."""
    call = a_call(clock.now())
    await queue.enqueue(call)
    held = await claim()
    assert await queue.enqueue(call) == (Enqueued.NEW, call.call_id)
    assert await queue.waiting() == {"ready": 0, "scheduled": 0, "held": 1}
    assert isinstance(held, Held)


async def test_a_report_whose_answer_was_lost_is_made_once(
    wire: tuple[Wire, Store], enqueue: Enqueue, claim: Claim, records: Records, store: Store
) -> None:
    """The network broke after Redis had written 'placing'; the writer goes on as if nothing had been."""
    bad_wire, far = wire
    call = await enqueue()
    held = await claim()
    assert held
    distant = Records(far, lease_s=7, retention_s=60)
    await distant.load(call.call_id)  # the scripts and the connection are warm
    with_lost_answer = _losing_the_save(bad_wire, far)
    changed, _ = await Records(with_lost_answer, lease_s=7, retention_s=60).report(
        call.call_id, Report(Event.CLAIMED, room="r"), token=held.token
    )
    assert (changed.state, changed.attempt, changed.version) == (State.PLACING, 1, 2)
    assert await records.load(call.call_id) == changed
    assert [event.type for event in await read_after(store, "0")] == ["call.queued", "call.placing"]


def _losing_the_save(wire: Wire, store: Store) -> Store:
    class Losing(Store):
        async def run(self, script: str, keys: list[str], args: list[object]) -> object:
            if script == "save":
                wire.lose_the_next_answer()
            return await super().run(script, keys, args)

    return Losing(store.client, store.clock)


async def test_an_accepted_call_is_told_on_the_stream_with_its_whole_record(enqueue: Enqueue, store: Store) -> None:
    """Whoever listens learns everything about my call from the event itself."""
    call = await enqueue(priority=Priority.HIGH)
    (event,) = await read_after(store, "0")
    assert (event.type, event.call_id, event.data["event"]) == ("call.queued", call.call_id, "accepted")
    assert event.data["to_number"] == call.to_number
    assert event.at == call.created_at
    assert [own.id for own in await read_after(store, "0", call_id=call.call_id)] == [event.id]


async def test_what_redis_keeps_of_an_ended_call_goes_after_its_time(
    store: Store, records: Records, enqueue: Enqueue
) -> None:
    """Redis forgets; history remembers."""
    call = await enqueue()
    await records.report(call.call_id, Report(Event.CANCELLED))
    for key in (keys.call(call.call_id), keys.call_events(call.call_id)):
        assert 3590 < await store.client.ttl(key) <= 3600
    assert [key async for key in store.client.scan_iter() if await store.client.ttl(key) == -1] == []

