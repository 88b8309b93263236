"""Calls whose agent is gone, calls that are too late, rooms that belong to nobody: all of them come to an end."""

import time
from datetime import timedelta

import pytest

from modules.call_queue_manager import Held, Store, read_after
from modules.calls import Call, Event, Outcome, Report, State
from tests.orchestrator.conftest import Desk
from tests.room_service import RoomService

pytestmark = pytest.mark.redis


async def told(desk: Desk, held: Held, *events: Event) -> None:
    for event in events:
        await desk.records.report(held.call.call_id, Report(event), token=held.token)


async def swept(desk: Desk, held: Held, seconds: float = 8) -> Call:
    """Let the holder be silent for so long, let a reaper look, and return the call."""
    reaper = desk.reaper()
    await desk.queue.overdue(gap_s=1e9)
    desk.clock.passes(seconds=seconds)
    await desk.queue.overdue(gap_s=1e9)  # somebody looked just now: no outage, no grace
    await reaper.sweep()
    return await desk.now(held)


async def test_an_agent_that_never_came_is_replaced(desk: Desk, livekit: RoomService) -> None:
    """The worker died before it dialled: nobody was rung, so the call is placed again in another room."""
    held = await desk.placed()
    call = await swept(desk, held)
    assert (call.state, call.last_outcome, call.dials) == (State.QUEUED, Outcome.INFRASTRUCTURE, 0)
    assert livekit.rooms == {}
    desk.clock.passes(seconds=5)
    again = await desk.queue.claim(limit=1, calls_per_second=1, lease_s=7)
    assert again
    await desk.placer().place(again)
    assert list(livekit.rooms) == [f"{call.call_id}-2"]


async def test_an_agent_lost_while_it_rang_is_never_replaced(desk: Desk, livekit: RoomService) -> None:
    """Somebody may have been rung: the call ends as indeterminate, the phone stops ringing, nobody is rung twice."""
    held = await desk.placed(max_attempts=5)
    await told(desk, held, Event.DIALING)
    call = await swept(desk, held)
    assert (call.state, call.outcome, call.dials) == (State.ENDED, Outcome.INDETERMINATE, 1)
    assert livekit.rooms == {}
    assert await desk.queue.waiting() == {"ready": 0, "scheduled": 0, "held": 0}


async def test_an_agent_lost_in_conversation_leaves_nobody_on_a_silent_line(desk: Desk, livekit: RoomService) -> None:
    """The line is cut, and the call says that our agent failed."""
    held = await desk.placed()
    await told(desk, held, Event.DIALING, Event.ANSWERED)
    call = await swept(desk, held)
    assert (call.state, call.outcome, call.reason) == (State.ENDED, Outcome.AGENT_FAILED, "Its worker stopped answering.")
    assert livekit.rooms == {}


async def test_a_claim_nobody_followed_up_goes_back_to_the_queue(desk: Desk, livekit: RoomService) -> None:
    """The orchestrator died with my call in its hand; the next one takes it up, and no attempt is used."""
    held = await desk.claimed()
    call = await swept(desk, held)
    assert (call.state, call.attempt) == (State.QUEUED, 0)
    assert await desk.queue.waiting() == {"ready": 0, "scheduled": 1, "held": 0}
    desk.clock.passes(seconds=1)
    assert await desk.queue.claim(limit=1, calls_per_second=1, lease_s=7)


async def test_a_cancelled_call_with_a_dead_agent_is_hung_up(desk: Desk, livekit: RoomService) -> None:
    """I cancelled and the agent that should hang up is dead: the reaper cuts the line and frees the slot."""
    held = await desk.placed()
    await told(desk, held, Event.DIALING, Event.ANSWERED)
    await desk.records.report(held.call.call_id, Report(Event.CANCELLED), release=False)
    call = await swept(desk, held)
    assert (call.outcome, livekit.rooms) == (Outcome.CANCELED, {})
    assert (await desk.queue.waiting())["held"] == 0


async def test_a_living_agent_is_left_alone(desk: Desk, livekit: RoomService) -> None:
    """Whoever says 'still here' keeps its call."""
    held = await desk.placed()
    desk.clock.passes(seconds=5)
    await desk.records.renew(held)
    assert (await swept(desk, held, seconds=5)).state is State.PLACING
    assert len(livekit.rooms) == 1


@pytest.mark.parametrize(("events", "outcome", "late_s"), [
    ([Event.DIALING], Outcome.INDETERMINATE, 30 + 15 + 1),
    ([Event.DIALING, Event.ANSWERED], Outcome.AGENT_FAILED, 600 + 5 + 1),
])  # fmt: skip
async def test_a_call_beyond_its_last_moment_is_ended_though_its_agent_lives(
    desk: Desk, livekit: RoomService, events: list[Event], outcome: Outcome, late_s: float
) -> None:
    """A frozen conversation cannot go on for ever, even if its worker keeps saying that all is well."""
    held = await desk.placed()
    await told(desk, held, *events)
    await desk.queue.overdue(gap_s=1e9)
    desk.clock.passes(seconds=late_s)
    await desk.records.renew(held)
    await desk.reaper().sweep()
    call = await desk.now(held)
    assert (call.state, call.outcome) == (State.ENDED, outcome)
    assert livekit.rooms == {}
    assert await desk.records.renew(held) is None


async def test_a_late_call_without_any_holder_is_ended_all_the_same(desk: Desk, livekit: RoomService) -> None:
    """Whoever held it let go without a word; the second clock still finds it."""
    held = await desk.placed()
    await told(desk, held, Event.DIALING)
    await desk.records.release(held.call.call_id, held.token)
    desk.clock.passes(seconds=60)
    await desk.reaper().sweep()
    assert (await desk.now(held)).outcome is Outcome.INDETERMINATE
    assert livekit.rooms == {}


async def test_a_call_that_nobody_could_place_expires(desk: Desk, livekit: RoomService) -> None:
    """After its last moment a waiting call ends as expired and is told so."""
    call = await desk.queued(expires_at=desk.clock.now() + timedelta(hours=1))
    desk.clock.passes(hours=2)
    await desk.reaper().sweep()
    ended = await desk.records.load(call.call_id)
    assert (ended.outcome, ended.reason) == (Outcome.EXPIRED, "Nobody could place it in time.")
    assert await desk.queue.waiting() == {"ready": 0, "scheduled": 0, "held": 0}


async def test_while_livekit_is_away_a_lost_call_keeps_its_slot_until_it_is_surely_hung_up(
    desk: Desk, livekit: RoomService
) -> None:
    """The call has ended, but somebody may still be on that line: its slot is not given to another."""
    held = await desk.placed()
    await told(desk, held, Event.DIALING, Event.ANSWERED)
    livekit.failing = "unavailable"
    call = await swept(desk, held)
    assert call.outcome is Outcome.AGENT_FAILED
    assert (await desk.queue.waiting())["held"] == 1
    livekit.failing = ""
    await swept(desk, held)
    assert livekit.rooms == {}
    assert (await desk.queue.waiting())["held"] == 0


async def test_after_an_outage_of_redis_nobody_is_cut_off(desk: Desk, livekit: RoomService) -> None:
    """Redis was away for a minute and no agent could say 'still here': conversations go on."""
    held = await desk.placed()
    await told(desk, held, Event.DIALING, Event.ANSWERED)
    await desk.reaper().sweep()
    desk.clock.passes(seconds=60)
    await desk.reaper().sweep()
    assert (await desk.now(held)).state is State.IN_PROGRESS
    assert len(livekit.rooms) == 1


async def test_a_room_whose_call_is_over_is_deleted(desk: Desk, livekit: RoomService) -> None:
    """A room that outlived its call, or belongs to an earlier attempt, or to no call at all, goes."""
    over, earlier, alive = await desk.placed(), await desk.placed(), await desk.placed()
    await told(desk, over, Event.CANCELLED)
    livekit.rooms[f"{earlier.call.call_id}-0"] = livekit.rooms[earlier.call.room or ""]
    livekit.rooms["outbound-20200101-000000-feedbeef-1"] = livekit.rooms[earlier.call.room or ""]
    for name in livekit.rooms:
        livekit.opened_at[name] = int(time.time()) - 120
    await desk.reaper().sweep_rooms()
    assert sorted(livekit.rooms) == sorted([str(earlier.call.room), str(alive.call.room)])


async def test_a_phone_that_comes_back_after_the_end_is_hung_up_again(desk: Desk, livekit: RoomService) -> None:
    """A dial that was on its way joins the room that was just deleted; nobody listens there, so it goes at the next look."""
    held = await desk.placed()
    back = livekit.rooms[held.call.room or ""]
    await told(desk, held, Event.DIALING, Event.CANCELLED)
    livekit.rooms = {str(held.call.room): back}
    await desk.reaper().sweep_rooms()
    assert livekit.rooms == {}


async def test_young_rooms_and_rooms_of_others_are_left_alone(desk: Desk, livekit: RoomService) -> None:
    """A room that was made a moment ago may be ahead of its record; a room we did not name is not ours."""
    held = await desk.placed()
    young = "inbound-20261121-000000-feedbeef-1"
    for name in ("meeting-7", young):
        livekit.rooms[name] = livekit.rooms[held.call.room or ""]
        livekit.opened_at[name] = int(time.time())
    livekit.opened_at["meeting-7"] -= 1000
    await desk.reaper().sweep_rooms()
    assert sorted(livekit.rooms) == sorted(["meeting-7", young, str(held.call.room)])


async def test_two_reapers_end_a_lost_call_once(desk: Desk, livekit: RoomService, store: Store) -> None:
    """Any number of reapers: one end, one event."""
    held = await desk.placed()
    await told(desk, held, Event.DIALING)
    await swept(desk, held)
    await desk.reaper().sweep()
    assert [event.type for event in await read_after(store, "0")].count("call.ended") == 1


async def test_one_record_that_makes_no_sense_does_not_stop_the_sweep(desk: Desk, livekit: RoomService, store: Store) -> None:
    """Behind a poisoned call the others are still ended."""
    odd, held = await desk.placed(), await desk.placed()
    await store.call("HSET", f"vf:call:{odd.call.call_id}", "record", "{}")
    call = await swept(desk, held)
    assert call.last_outcome is Outcome.INFRASTRUCTURE
    await store.call("DEL", f"vf:call:{odd.call.call_id}")
