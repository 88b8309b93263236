"""A call that comes in is noted once, with its slot; a full house and a caller who rings without end are told apart."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from modules.call_queue_manager import Admission, CallQueue, FrontDoor, Held, Records, SourceLimits, Store, keys, read_after
from modules.calls import Call, Event, Outcome, Report, State, arriving
from tests.fleet_clock import Claim, Clock, Enqueue

pytestmark = pytest.mark.redis

CALLER = "+12025550111"
ANY = SourceLimits(per_minute=0, per_hour=0)


@pytest.fixture
def door(store: Store) -> FrontDoor:
    return FrontDoor(store, lease_s=7)


def ringing(clock: Clock, room: str = "inbound-_a", **facts: Any) -> Call:
    usual = {"to_number": "+12025550140", "from_number": CALLER, "personality": "local_demo", "room": room}
    return arriving(clock.now(), **(usual | facts))


async def test_a_call_that_comes_in_is_held_and_told(door: FrontDoor, records: Records, clock: Clock, store: Store) -> None:
    """It rings, it has a holder and a deadline, and history hears of it, all in one step."""
    admission, held = await door.arrive(ringing(clock), most=10, limits=ANY)
    assert admission is Admission.WELCOME
    assert await records.renew(held)
    call = await records.load(held.call.call_id)
    assert (call, call.state, call.version) == (held.call, State.RINGING, 1)
    (event,) = await read_after(store, "0")
    assert (event.type, event.call_id, event.data["event"]) == ("call.ringing", call.call_id, "arrived")
    answered, _ = await records.report(call.call_id, Report(Event.ANSWERED), token=held.token)
    ended, _ = await records.report(call.call_id, Report(Event.HUNG_UP), token=held.token)
    assert (answered.state, ended.state, ended.outcome) == (State.IN_PROGRESS, State.ENDED, Outcome.COMPLETED)


async def test_two_agents_for_one_room_have_one_call(door: FrontDoor, clock: Clock, queue: CallQueue) -> None:
    """An agent was sent twice: the second is told that the call is somebody's already, and takes no slot."""
    found = await asyncio.gather(*(door.arrive(ringing(clock), most=10, limits=ANY) for _ in range(5)))
    assert sorted(admission.value for admission, _ in found) == ["known"] * 4 + ["welcome"]
    assert len({held.call.call_id for _, held in found}) == 1
    assert (await queue.waiting())["held"] == 1
    assert await door.call_in("inbound-_a") == found[0][1].call.call_id
    assert await door.call_in("inbound-_b") is None


async def test_twenty_at_once_fill_twenty_slots_and_the_rest_is_told_so(door: FrontDoor, clock: Clock) -> None:
    """Thirty people call in one moment, the fleet holds twenty: twenty are let in, not one more or less."""
    calls = [ringing(clock, f"inbound-_{number}", from_number=f"+120255501{number}") for number in range(10, 40)]
    found = await asyncio.gather(*(door.arrive(call, most=20, limits=ANY) for call in calls))
    admitted = [admission for admission, _ in found]
    assert (admitted.count(Admission.WELCOME), admitted.count(Admission.FULL)) == (20, 10)


async def test_a_full_house_has_so_many_lines_for_messages(door: FrontDoor, clock: Clock) -> None:
    """Ten people call in one moment, the fleet holds three and two more may leave a message: nobody else is let in."""
    calls = [ringing(clock, f"inbound-_{number}", from_number=f"+120255501{number}") for number in range(10, 20)]
    found = await asyncio.gather(*(door.arrive(call, most=3, limits=ANY, beyond=2) for call in calls))
    assert Counter(admission for admission, _ in found) == {Admission.WELCOME: 3, Admission.OVERFLOW: 2, Admission.FULL: 5}


async def test_who_is_turned_away_takes_no_place(door: FrontDoor, clock: Clock, records: Records) -> None:
    """Five hear that all lines are busy when the one conversation ends: the next caller is talked to."""
    _, talks = await door.arrive(ringing(clock), most=1, limits=ANY)
    for number in range(5):
        admission, _ = await door.arrive(ringing(clock, f"inbound-_{number}"), most=1, limits=ANY)
        assert admission is Admission.FULL
    await records.report(talks.call.call_id, Report(Event.ANSWERED), token=talks.token)
    await records.report(talks.call.call_id, Report(Event.HUNG_UP), token=talks.token)
    admission, _ = await door.arrive(ringing(clock, "inbound-_next"), most=1, limits=ANY)
    assert admission is Admission.WELCOME


async def test_a_message_takes_no_conversation_away(door: FrontDoor, clock: Clock, records: Records) -> None:
    """Somebody leaves a message when the one agent has finished: the next caller is talked to, and the one after that may leave
    a message once the first has hung up."""

    async def calls(room: str, beyond: int = 1) -> tuple[Admission, Held]:
        return await door.arrive(ringing(clock, room), most=1, limits=ANY, beyond=beyond)

    async def ends(held: Held) -> None:
        await records.report(held.call.call_id, Report(Event.ANSWERED), token=held.token)
        await records.report(held.call.call_id, Report(Event.HUNG_UP), token=held.token)

    first, talks = await calls("inbound-_a")
    second, speaks_on_tape = await calls("inbound-_b")
    await ends(talks)
    third, _ = await calls("inbound-_c")
    fourth, _ = await calls("inbound-_d", beyond=0)
    assert [first, second, third, fourth] == [Admission.WELCOME, Admission.OVERFLOW, Admission.WELCOME, Admission.FULL]
    await ends(speaks_on_tape)
    fifth, _ = await calls("inbound-_e", beyond=2)
    assert fifth is Admission.OVERFLOW


async def test_who_leaves_messages_without_end_is_stopped_as_well(door: FrontDoor, clock: Clock) -> None:
    """A caller's limit counts messages too, or one number could hold all lines for them."""
    often = SourceLimits(2, 0)
    found = [await door.arrive(ringing(clock, f"inbound-_{room}"), most=0, limits=often, beyond=5) for room in range(3)]
    assert [admission for admission, _ in found] == [Admission.OVERFLOW, Admission.OVERFLOW, Admission.TOO_OFTEN]


async def test_both_directions_share_the_slots(door: FrontDoor, clock: Clock, enqueue: Enqueue, claim: Claim) -> None:
    """What comes in takes the place of what would have been dialled, and the other way round."""
    await door.arrive(ringing(clock), most=1, limits=ANY)
    await enqueue()
    assert await claim(limit=1) is None
    assert await claim(limit=2)
    admission, _ = await door.arrive(ringing(clock, "inbound-_b"), most=2, limits=ANY)
    assert admission is Admission.FULL


async def test_who_was_not_let_in_is_held_until_its_end(
    door: FrontDoor, clock: Clock, records: Records, queue: CallQueue
) -> None:
    """A call for which there was no room has a record, a holder, and one end."""
    _, held = await door.arrive(ringing(clock), most=0, limits=ANY)
    await records.report(held.call.call_id, Report(Event.ANSWERED), token=held.token)
    ended, _ = await records.report(
        held.call.call_id, Report(Event.HUNG_UP, Outcome.BLOCKED, "full_house: all lines were busy"), token=held.token
    )
    assert (ended.outcome, (await queue.waiting())["held"]) == (Outcome.BLOCKED, 0)


@pytest.mark.parametrize(
    ("limits", "let_in", "again_after_s"),
    [(SourceLimits(3, 0), 3, 61), (SourceLimits(0, 5), 5, 3601), (SourceLimits(3, 5), 3, 61)],
    ids=["a minute", "an hour", "both"],
)
async def test_one_caller_without_end_is_let_in_so_often(
    door: FrontDoor, clock: Clock, limits: SourceLimits, let_in: int, again_after_s: float
) -> None:
    """Somebody redials without pause: beyond the limit they are not let in, everybody else is, and later they are again."""
    admitted = []
    for number in range(8):
        admitted.append((await door.arrive(ringing(clock, f"inbound-_{number}"), most=100, limits=limits))[0])
    assert admitted == [Admission.WELCOME] * let_in + [Admission.TOO_OFTEN] * (8 - let_in)
    other, _ = await door.arrive(ringing(clock, "inbound-_x", from_number="+12025550112"), most=100, limits=limits)
    clock.passes(seconds=again_after_s)
    again, _ = await door.arrive(ringing(clock, "inbound-_y"), most=100, limits=limits)
    assert (other, again) == (Admission.WELCOME, Admission.WELCOME)


async def test_callers_without_a_number_are_not_counted(door: FrontDoor, clock: Clock) -> None:
    """Two people who hide their numbers are not taken for one."""
    found = [
        await door.arrive(ringing(clock, f"inbound-_{number}", from_number=""), most=100, limits=SourceLimits(1, 1))
        for number in range(3)
    ]
    assert {admission for admission, _ in found} == {Admission.WELCOME}


async def test_an_agent_that_dies_while_it_rings_loses_the_call(
    door: FrontDoor, clock: Clock, queue: CallQueue, store: Store
) -> None:
    """The reaper finds an inbound call as it finds any other, and the dead agent's words no longer count."""
    _, held = await door.arrive(ringing(clock), most=10, limits=ANY)
    clock.passes(seconds=8)
    await queue.overdue(gap_s=1000)
    seized = await queue.seize(held.call.call_id)
    assert isinstance(seized, Held)
    assert seized.token > held.token
    assert await store.client.ttl(keys.room("inbound-_a")) > 0
