"""LiveKit says that a phone has left. A living agent is not disturbed by that; a dead one's call ends within seconds."""

import pytest

from modules.call_queue_manager import CallQueue, Held, Records, Store
from modules.calls import Call, Disposition, Event, Outcome, Report, State
from modules.calls.deadlines import SILENT_S
from modules.calls.second_truth import LEG_LEFT
from tests.orchestrator.conftest import Desk
from tests.room_service import RoomService

pytestmark = pytest.mark.redis

LEASE_S = 600.0


@pytest.fixture
def queue(store: Store) -> CallQueue:
    """The queue of a fleet whose leases are long, so that nothing here ends by itself."""
    return CallQueue(store, lease_s=LEASE_S, retention_s=3600)


@pytest.fixture
def records(store: Store) -> Records:
    return Records(store, lease_s=LEASE_S, retention_s=3600)


async def talking(desk: Desk, *, ringing: bool = False, **facts: object) -> Held:
    held = await desk.placed(**facts)
    for event in (Event.DIALING,) if ringing else (Event.DIALING, Event.ANSWERED):
        await desk.records.report(held.call.call_id, Report(event), token=held.token)
    await desk.records.renew(held)
    return Held(await desk.records.load(held.call.call_id), held.token)


async def seen_leaving(desk: Desk, held: Held, leg_end: str, room: str | None = None) -> bool:
    await desk.records.remark(held.call.call_id, LEG_LEFT, {"room": room or held.call.room, "leg_end": leg_end})
    return await desk.records.doubt(held.call, silent_s=SILENT_S)


async def reaped(desk: Desk, held: Held) -> Call:
    await desk.queue.overdue(gap_s=1e9)
    await desk.reaper().sweep()
    return await desk.now(held)


async def test_a_dead_agents_call_ends_as_soon_as_its_phone_has_left(desk: Desk, livekit: RoomService) -> None:
    """The worker was killed ten seconds ago, the callee hangs up: the call ends now, not when ten minutes of lease are over."""
    held = await talking(desk)
    desk.clock.passes(seconds=10)
    assert (await reaped(desk, held)).state is State.IN_PROGRESS
    assert await seen_leaving(desk, held, "hung_up")
    call = await reaped(desk, held)
    assert (call.state, call.outcome) == (State.ENDED, Outcome.AGENT_FAILED)
    assert call.reason == "Its worker stopped answering. The other side had hung up."
    assert livekit.rooms == {}


async def test_a_living_agent_keeps_its_call(desk: Desk) -> None:
    """It hears the last words out, renews meanwhile, and reports the end itself."""
    held = await talking(desk)
    assert await seen_leaving(desk, held, "hung_up")
    for _ in range(5):
        desk.clock.passes(seconds=1)
        assert await desk.records.renew(held) is not None
        assert (await reaped(desk, held)).state is State.IN_PROGRESS
    hung_up = Report(Event.HUNG_UP, reason="The callee hung up.")
    call, disposition = await desk.records.report(held.call.call_id, hung_up, token=held.token)
    assert (disposition, call.outcome) == (Disposition.APPLIED, Outcome.COMPLETED)


async def test_an_agent_that_dies_after_the_phone_left_is_missed_within_seconds(desk: Desk) -> None:
    """It was alive when the phone left and never wrote the end."""
    held = await talking(desk)
    assert await seen_leaving(desk, held, "hung_up")
    desk.clock.passes(seconds=SILENT_S - 1)
    assert (await reaped(desk, held)).state is State.IN_PROGRESS
    desk.clock.passes(seconds=2)
    assert (await reaped(desk, held)).state is State.ENDED


async def test_saying_it_twice_changes_nothing(desk: Desk) -> None:
    """Left, then the room finished, then the same again: the lease is shortened once."""
    held = await talking(desk)
    assert [await desk.records.doubt(held.call, silent_s=SILENT_S) for _ in range(3)] == [True, False, False]


async def test_who_has_moved_on_is_not_doubted(desk: Desk) -> None:
    """Between the look and the doubt the agent wrote something: it lives."""
    held = await talking(desk, ringing=True)
    await desk.records.report(held.call.call_id, Report(Event.ANSWERED), token=held.token)
    assert not await desk.records.doubt(held.call, silent_s=SILENT_S)


async def test_a_new_holder_does_not_inherit_the_silence_of_the_old_one(desk: Desk) -> None:
    """The reaper has just taken the call: it gets its time."""
    held = await talking(desk)
    desk.clock.passes(seconds=60)
    seized = await desk.queue.seize(held.call.call_id, force=True)
    assert seized
    assert not await desk.records.doubt(seized.call, silent_s=SILENT_S)


@pytest.mark.parametrize(("leg_end", "outcome"), [
    ("rejected", Outcome.DECLINED), ("unavailable", Outcome.NO_ANSWER), ("lost", Outcome.INDETERMINATE),
    ("hung_up", Outcome.INDETERMINATE),
])  # fmt: skip
async def test_what_livekit_saw_decides_what_a_lost_ringing_call_was(desk: Desk, leg_end: str, outcome: Outcome) -> None:
    """The worker died while it rang; the phone's own end is known all the same."""
    held = await talking(desk, ringing=True)
    desk.clock.passes(seconds=SILENT_S + 1)
    await seen_leaving(desk, held, leg_end)
    assert (await reaped(desk, held)).outcome is outcome


async def test_what_was_seen_in_an_older_attempts_room_does_not_count(desk: Desk) -> None:
    """The first attempt's phone was refused; the second one's fate is still unknown."""
    held = await talking(desk, ringing=True)
    desk.clock.passes(seconds=SILENT_S + 1)
    await seen_leaving(desk, held, "rejected", room=f"{held.call.call_id}-0")
    assert (await reaped(desk, held)).outcome is Outcome.INDETERMINATE
