"""Redis freezes, is killed, was started carelessly: what was promised holds, and what was not promised did not happen."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modules.call_queue_manager import CallQueue, Records, Store, connect, make_durable, read_after
from modules.calls import Event, Report, State
from modules.calls.errors import NotFound, Unavailable
from tests.phone_calls import a_call
from tests.redis_server import DURABLE, OwnRedis

pytestmark = [pytest.mark.redis, pytest.mark.timeout(60)]


def queue_on(store: Store) -> CallQueue:
    return CallQueue(store, lease_s=7, retention_s=3600)


async def test_while_redis_hangs_i_am_told_so_and_my_call_is_not_made_later(own_redis: OwnRedis) -> None:
    """503 means no: when Redis wakes up, the request that timed out is not obeyed after all."""
    store = await own_redis.start(*DURABLE)
    first, call = a_call(datetime.now(UTC)), a_call(datetime.now(UTC))
    await queue_on(store).enqueue(first)
    own_redis.freeze()
    with pytest.raises(Unavailable, match="Nothing was accepted"):
        await queue_on(store).enqueue(call)
    own_redis.thaw()
    awake = await connect(own_redis.url)
    assert await queue_on(awake).waiting() == {"ready": 1, "scheduled": 0, "held": 0}
    with pytest.raises(NotFound):
        await Records(awake, lease_s=7, retention_s=3600).load(call.call_id)
    await queue_on(store).enqueue(call)
    assert (await queue_on(awake).waiting())["ready"] == 2
    await store.close()
    await awake.close()


async def test_every_acknowledged_call_survives_a_power_cut(own_redis: OwnRedis) -> None:
    """What I was told is accepted is there after Redis was killed in the middle of it all."""
    store = await own_redis.start(*DURABLE)
    acknowledged: list[str] = []
    enough = asyncio.Event()

    async def place() -> None:
        while True:
            call = a_call(datetime.now(UTC))
            await queue_on(store).enqueue(call)
            acknowledged.append(call.call_id)
            if len(acknowledged) == 200:
                enough.set()

    clients = [asyncio.create_task(place(), name=f"client {number}") for number in range(8)]
    await enough.wait()
    own_redis.kill()
    answers = await asyncio.gather(*clients, return_exceptions=True)
    await store.close()
    assert all(isinstance(answer, Unavailable) for answer in answers), answers
    again = await own_redis.start(*DURABLE)
    records = Records(again, lease_s=7, retention_s=3600)
    for call_id in acknowledged:
        assert (await records.load(call_id)).state is State.QUEUED
    waiting = await queue_on(again).waiting()
    assert waiting["ready"] >= len(acknowledged)
    assert len(await read_after(again, "0", count=100_000)) == waiting["ready"]
    await again.close()


async def test_states_survive_a_power_cut_as_well(own_redis: OwnRedis) -> None:
    """'Dialing' was written before the dial; after a crash of Redis nobody thinks that the phone has not rung."""
    store = await own_redis.start(*DURABLE)
    queue, records = queue_on(store), Records(store, lease_s=7, retention_s=3600)
    await queue.enqueue(a_call(datetime.now(UTC)))
    held = await queue.claim(limit=1, calls_per_second=1, lease_s=7)
    assert held
    for report in (Report(Event.CLAIMED, room="r"), Report(Event.DIALING)):
        await records.report(held.call.call_id, report, token=held.token)
    own_redis.kill()
    await store.close()
    again = await own_redis.start(*DURABLE)
    records = Records(again, lease_s=7, retention_s=3600)
    call = await records.load(held.call.call_id)
    assert (call.state, call.dials) == (State.RINGING, 1)
    assert await records.renew(held) == call.version
    await again.close()


async def test_a_redis_that_forgets_is_made_to_remember(own_redis: OwnRedis) -> None:
    """Somebody started Redis without a thought; the fleet changes that before it accepts the first call."""
    store = await own_redis.start()
    await store.client.set("from before", "kept")
    assert await make_durable(store) is True
    assert await make_durable(store) is False
    call = a_call(datetime.now(UTC))
    await queue_on(store).enqueue(call)
    own_redis.kill()
    await store.close()
    again = await own_redis.start(*DURABLE)
    assert await Records(again, lease_s=7, retention_s=3600).load(call.call_id) == replace(call, version=1)
    assert await again.client.get("from before") == "kept"
    await again.close()


async def test_a_redis_that_will_not_be_told_is_named_with_what_to_write(own_redis: OwnRedis) -> None:
    """Where the operator forbids CONFIG, I read which two lines belong into the configuration."""
    store = await own_redis.start("--rename-command", "CONFIG", "")
    with pytest.raises(Unavailable, match=r"appendonly yes.*appendfsync always"):
        await make_durable(store)
    await store.close()


async def test_no_redis_at_all_is_a_clear_answer() -> None:
    """A wrong REDIS_URL says that Redis cannot be reached, not a stack trace."""
    with pytest.raises(Unavailable, match="Redis cannot be reached"):
        await connect("redis://127.0.0.1:1/0")


async def test_a_clock_that_was_set_while_i_ran_costs_no_call(own_redis: OwnRedis) -> None:
    """My laptop slept for an hour, or somebody set its clock: the next call is accepted, and nobody loses the call they hold."""
    store = await own_redis.start(*DURABLE)
    records = Records(store, lease_s=7, retention_s=3600)
    await queue_on(store).enqueue(a_call(datetime.now(UTC)))
    held = await queue_on(store).claim(limit=10, calls_per_second=10, lease_s=7)
    assert held and held.token == 1
    for hour_off in (-3600, 3600):
        wrong = replace(store.clock, offset_s=store.clock.offset_s + hour_off, measured_s=0.0)
        store.clock = wrong
        await queue_on(store).enqueue(a_call(datetime.now(UTC)))
        assert abs(store.clock.offset_s - wrong.offset_s + hour_off) < 60
    assert await records.renew(held)
    assert await queue_on(store).overdue(gap_s=3) == ([], [])
    await store.close()
