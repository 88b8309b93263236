"""From a claimed call to a room with an agent on its way, or to a clear end; and two orchestrators never do it twice."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import time, timedelta

import pytest

from modules.call_queue_manager import DoNotCall, Records
from modules.calls import Event, Outcome, Report, State
from modules.calls.gate import Policy
from modules.calls.retry import FRUITLESS_PLACINGS
from tests.orchestrator.conftest import Desk
from tests.room_service import RoomService

pytestmark = pytest.mark.redis

WaitUntil = Callable[..., Awaitable[None]]


async def test_a_placed_call_has_a_room_with_an_agent_on_its_way(desk: Desk, livekit: RoomService) -> None:
    """My call is taken: a room of its own exists, and the agent is told which attempt it is for, and no number."""
    held = await desk.claimed()
    await desk.placer().place(held)
    call = await desk.now(held)
    assert (call.state, call.attempt, call.room) == (State.PLACING, 1, f"{call.call_id}-1")
    (dispatch,) = livekit.rooms[call.room or ""].agents
    assert dispatch.agent_name == "voicefleet"
    assert json.loads(dispatch.metadata) == {
        "schema_version": 1, "call_id": call.call_id, "attempt": 1, "token": held.token,
    }  # fmt: skip
    assert call.to_number not in str(livekit.rooms)


async def test_a_room_closes_by_itself_if_no_agent_ever_comes(desk: Desk, livekit: RoomService) -> None:
    """Nothing is left behind when everything of ours dies at once."""
    held = await desk.placed()
    room = livekit.rooms[held.call.room or ""]
    assert 0 < room.empty_timeout <= 120
    assert 0 < room.departure_timeout <= 20


async def test_livekit_away_means_a_safe_retry_and_in_the_end_a_clear_no(desk: Desk, livekit: RoomService) -> None:
    """No room could be made: nothing was dialled, so it is tried again by itself, and ends as our own fault."""
    livekit.failing = "unavailable"
    call = await desk.queued()
    for attempt in range(1, FRUITLESS_PLACINGS + 1):
        desk.clock.passes(minutes=1)
        held = await desk.queue.claim(limit=1, calls_per_second=1, lease_s=7)
        assert held
        await desk.placer().place(held)
        assert (await desk.now(held)).attempt == attempt
    ended = await desk.records.load(call.call_id)
    assert (ended.state, ended.outcome, ended.dials) == (State.ENDED, Outcome.INFRASTRUCTURE, 0)
    assert ended.reason == "LiveKit could not make a room."
    assert await desk.queue.waiting() == {"ready": 0, "scheduled": 0, "held": 0}


async def test_livekit_back_after_a_moment_is_not_noticed_by_anybody(desk: Desk, livekit: RoomService) -> None:
    """One failed room, then a good one: my call goes on as its second placing, with no dial used up."""
    livekit.failing = "internal"
    held = await desk.claimed()
    await desk.placer().place(held)
    waiting = await desk.now(held)
    assert (waiting.state, waiting.last_outcome) == (State.QUEUED, Outcome.INFRASTRUCTURE)
    livekit.failing = ""
    desk.clock.passes(seconds=2)
    again = await desk.queue.claim(limit=1, calls_per_second=1, lease_s=7)
    assert again
    await desk.placer().place(again)
    placed = await desk.now(again)
    assert (placed.state, placed.attempt, placed.dials) == (State.PLACING, 2, 0)
    assert list(livekit.rooms) == [f"{placed.call_id}-2"]


async def test_a_livekit_that_is_not_there_at_all_is_the_same(desk: Desk, livekit: RoomService) -> None:
    """A refused connection is treated like a refusal."""
    await livekit.close()
    held = await desk.claimed()
    await desk.placer().place(held)
    assert (await desk.now(held)).last_outcome is Outcome.INFRASTRUCTURE


async def test_a_number_the_gate_refuses_ends_as_blocked_with_the_reason(desk: Desk, livekit: RoomService) -> None:
    """The rules were tightened while my call waited; it is not made, and I read why."""
    held = await desk.claimed()
    await desk.placer(Policy(frozenset({"DE"}))).place(held)
    call = await desk.now(held)
    assert (call.state, call.outcome) == (State.ENDED, Outcome.BLOCKED)
    assert call.reason.startswith("country_not_allowed: ")
    assert livekit.made == []
    assert (await desk.queue.waiting())["held"] == 0


async def test_outside_calling_hours_a_call_waits_for_the_morning(desk: Desk, livekit: RoomService) -> None:
    """Nobody is rung at night; my call keeps its place for the morning."""
    hour = desk.clock.now().hour
    closed = Policy(frozenset({"US"}), (time((hour + 20) % 23), time((hour + 20) % 23, 30)))
    held = await desk.claimed(expires_at=desk.clock.now() + timedelta(days=5), to_number="+13105550100")
    await desk.placer(closed).place(held)
    call = await desk.now(held)
    assert (call.state, call.attempt) == (State.QUEUED, 0)
    assert call.not_before and call.not_before > desk.clock.now()
    assert livekit.made == []
    assert await desk.queue.waiting() == {"ready": 0, "scheduled": 1, "held": 0}


async def test_while_paused_calls_go_back_and_come_again(desk: Desk, livekit: RoomService) -> None:
    """The stop switch empties no queue; when it is lifted, calls go on."""
    await desk.queue.pause(True)
    held = await desk.claimed()
    await desk.placer().place(held)
    assert (await desk.now(held)).state is State.QUEUED
    await desk.queue.pause(False)
    desk.clock.passes(seconds=10)
    again = await desk.queue.claim(limit=1, calls_per_second=1, lease_s=7)
    assert again
    await desk.placer().place(again)
    assert (await desk.now(again)).state is State.PLACING


async def test_who_texts_stop_while_their_call_waits_is_not_called(desk: Desk, livekit: RoomService) -> None:
    """The call was accepted a minute before; it ends as blocked, says why, and no room is made."""
    held = await desk.claimed()
    await DoNotCall(desk.store).add(held.call.to_number, "text_message")
    await desk.placer().place(held)
    call = await desk.now(held)
    assert (call.outcome, call.reason.partition(":")[0], livekit.made) == (Outcome.BLOCKED, "do_not_call", [])


async def test_a_call_that_expired_just_before_is_not_placed(desk: Desk, livekit: RoomService) -> None:
    """Late is late."""
    held = await desk.claimed(expires_at=desk.clock.now() + timedelta(minutes=1))
    desk.clock.passes(minutes=1)
    await desk.placer().place(held)
    assert (await desk.now(held)).outcome is Outcome.EXPIRED
    assert livekit.made == []


async def test_a_call_cancelled_at_the_last_moment_gets_no_room(desk: Desk, livekit: RoomService, records: Records) -> None:
    """I took it back between claim and room: no agent is sent, the slot is free again."""
    held = await desk.claimed()
    await records.report(held.call.call_id, Report(Event.CANCELLED), release=False)
    await desk.placer().place(held)
    assert livekit.made == []
    assert (await desk.queue.waiting())["held"] == 0


async def test_an_orchestrator_that_was_replaced_places_nothing(desk: Desk, livekit: RoomService) -> None:
    """It hung for a minute, somebody else took the call; when it comes back it makes no second room."""
    held = await desk.claimed()
    desk.clock.passes(minutes=1)
    assert await desk.queue.seize(held.call.call_id)
    await desk.placer().place(held)
    assert livekit.made == []
    assert (await desk.now(held)).state is State.QUEUED


async def test_two_orchestrators_side_by_side_place_every_call_once(
    desk: Desk, livekit: RoomService, wait_until: WaitUntil
) -> None:
    """Start as many orchestrators as you like: each call gets exactly one room."""
    await desk.a_worker(slots=50)
    calls = [await desk.queued() for _ in range(20)]
    stop = asyncio.Event()
    busy = desk.settings.model_copy(update={"max_concurrent_calls": 50, "calls_per_second": 20.0})

    async def all_placed() -> bool:
        return len(livekit.made) >= len(calls)

    async with asyncio.TaskGroup() as tasks:
        for number in range(2):
            tasks.create_task(desk.orchestrator(busy).run(stop), name=f"orchestrator {number}")
        await wait_until(all_placed, within_s=20)
        stop.set()
    assert sorted(livekit.made) == sorted(f"{call.call_id}-1" for call in calls)
    assert {(await desk.records.load(call.call_id)).attempt for call in calls} == {1}


async def test_without_a_worker_nothing_is_claimed(desk: Desk, livekit: RoomService, wait_until: WaitUntil) -> None:
    """A call waits in the queue, where it can be seen, rather than in a room where nobody comes."""
    await desk.queued()
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.orchestrator().run(stop), name="orchestrator")
        await _looked_around(desk)
        assert await desk.queue.waiting() == {"ready": 1, "scheduled": 0, "held": 0}
        await desk.a_worker()

        async def placed() -> bool:
            return len(livekit.made) == 1

        await wait_until(placed, within_s=20)
        stop.set()


async def test_while_livekit_is_away_calls_wait_instead_of_using_up_their_attempts(
    desk: Desk, livekit: RoomService, wait_until: WaitUntil
) -> None:
    """LiveKit was down for longer than a call's retries last: none was given up, and when it came back they were placed."""
    livekit.failing = "unavailable"
    calls = [await desk.queued() for _ in range(10)]
    stop = asyncio.Event()

    async def two_placed() -> bool:
        await desk.a_worker()
        return len(livekit.made) >= 2

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.orchestrator().run(stop), name="orchestrator")
        for _ in range(FRUITLESS_PLACINGS):
            await desk.a_worker()
            await _looked_around(desk)
            desk.clock.passes(seconds=10)
        seen = [await desk.records.load(call.call_id) for call in calls]
        livekit.failing = ""
        await wait_until(two_placed, within_s=20)
        stop.set()
    assert {call.state for call in seen} == {State.QUEUED}
    assert max(call.attempt for call in seen) <= 1


async def _looked_around(desk: Desk) -> None:
    """Wait until the reaper has looked twice: by then the orchestrator has had many chances to claim."""
    seen: set[str] = set()
    async with asyncio.timeout(10):
        while len(seen) < 2:
            if last := await desk.store.call("HGET", "vf:reaper", "last_ms"):
                seen.add(last)
            await asyncio.sleep(0.05)


async def test_an_orchestrator_survives_a_call_it_cannot_place(
    desk: Desk, livekit: RoomService, wait_until: WaitUntil
) -> None:
    """One record that makes no sense does not stop the calls behind it."""
    await desk.a_worker()
    odd, good = await desk.queued(), await desk.queued()
    record = odd.to_json() | {"state": "ringing"}  # in the queue, and yet ringing: some hand was in the store
    await desk.store.call("HSET", f"vf:call:{odd.call_id}", "record", json.dumps(record))
    stop = asyncio.Event()

    async def placed() -> bool:
        return livekit.made == [f"{good.call_id}-1"]

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.orchestrator().run(stop), name="orchestrator")
        await wait_until(placed, within_s=20)
        stop.set()
