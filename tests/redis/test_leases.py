"""Whoever holds a call must keep saying so. Who stops is replaced, and from then on nobody listens to the old holder."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from modules.call_queue_manager import CallQueue, Fenced, Held, Records, Store, keys, read_after
from modules.calls import Disposition, Event, Outcome, Report, State
from modules.calls.errors import IllegalTransition, NotFound
from tests.fleet_clock import Claim, Clock, Enqueue
from tests.phone_calls import NOON

pytestmark = pytest.mark.redis


@pytest.fixture
async def held(enqueue: Enqueue, claim: Claim) -> Held:
    """A call that was just claimed."""
    await enqueue()
    found = await claim()
    assert found
    return found


async def told(records: Records, held: Held, *reports: Report) -> None:
    for report in reports:
        await records.report(held.call.call_id, report, token=held.token)


PLACED = Report(Event.CLAIMED, room="r")
DIALING = Report(Event.DIALING)
ANSWERED = Report(Event.ANSWERED)


async def test_a_living_holder_cannot_be_robbed(queue: CallQueue, records: Records, held: Held, clock: Clock) -> None:
    """As long as an agent says 'still here' nobody takes its call."""
    for _ in range(5):
        clock.passes(seconds=6)
        assert await records.renew(held)
        assert await queue.seize(held.call.call_id) is None
    assert await queue.overdue(gap_s=1000) == ([], [])


async def test_a_silent_holder_is_found_and_replaced(queue: CallQueue, held: Held, clock: Clock) -> None:
    """Seven seconds after an agent died its call is in other hands."""
    await queue.overdue(gap_s=1000)
    clock.passes(seconds=6.9)
    assert await queue.overdue(gap_s=1000) == ([], [])
    clock.passes(seconds=0.2)
    assert await queue.overdue(gap_s=1000) == ([held.call.call_id], [])
    seized = await queue.seize(held.call.call_id)
    assert seized
    assert seized.token > held.token


async def test_only_one_of_many_gets_a_lost_call(queue: CallQueue, held: Held, clock: Clock) -> None:
    """Two reapers find the same lost call; one of them ends it."""
    clock.passes(seconds=8)
    assert [bool(await queue.seize(held.call.call_id)) for _ in range(3)] == [True, False, False]


Write = Callable[[Records, Held], Awaitable[object]]


@pytest.mark.parametrize("write", [
    lambda records, held: records.report(held.call.call_id, DIALING, token=held.token),
    lambda records, held: records.take(held, "call.agent_ready", worker_id="late"),
    lambda records, held: records.note(held, "call.turn", {"text": "late"}),
    lambda records, held: records.postpone(held, NOON, "late"),
], ids=["report", "take", "note", "postpone"])  # fmt: skip
async def test_a_replaced_holder_is_not_heard(
    store: Store, queue: CallQueue, records: Records, held: Held, clock: Clock, write: Write
) -> None:
    """An agent that was only slow, and comes back after it was replaced, changes nothing and is told so."""
    clock.passes(seconds=8)
    assert await queue.seize(held.call.call_id)
    before, events = await records.load(held.call.call_id), await read_after(store, "0")
    with pytest.raises(Fenced):
        await write(records, held)
    assert await records.load(held.call.call_id) == before
    assert await read_after(store, "0") == events
    assert (await queue.waiting())["held"] == 1


async def test_of_many_agents_sent_for_one_attempt_one_takes_it(records: Records, held: Held) -> None:
    """Two agents came, since the first was slow: exactly one will dial."""
    taken = await asyncio.gather(*(records.take(held, "call.agent_ready", worker_id=f"agent {n}") for n in range(8)))
    (winner,) = [one for one in taken if one]
    assert (await records.load(held.call.call_id)).worker_id == winner.call.worker_id


async def test_a_holder_that_is_replaced_in_the_middle_of_its_report_is_not_heard(
    store: Store, queue: CallQueue, records: Records, held: Held
) -> None:
    """Even the blink between reading a record and writing it is guarded."""

    class Interrupted(Store):
        async def run(self, script: str, keys: list[str], args: list[object]) -> object:
            if script == "save":
                assert await queue.seize(held.call.call_id, force=True)
            return await super().run(script, keys, args)

    before = await records.load(held.call.call_id)
    slow = Records(Interrupted(store.client, store.clock), lease_s=7, retention_s=60)
    with pytest.raises(Fenced):
        await slow.report(held.call.call_id, PLACED, token=held.token)
    assert await records.load(held.call.call_id) == before


async def test_two_reports_at_once_are_both_judged_by_what_is_true(
    store: Store, records: Records, held: Held
) -> None:
    """Somebody cancels in the blink in which the agent is placed: one follows the other, none overwrites the other."""

    class Interrupted(Store):
        cancelled = False

        async def run(self, script: str, keys: list[str], args: list[object]) -> object:
            if script == "save" and not self.cancelled:
                self.cancelled = True
                await records.report(held.call.call_id, Report(Event.CANCELLED), release=False)
            return await super().run(script, keys, args)

    slow = Records(Interrupted(store.client, store.clock), lease_s=7, retention_s=60)
    call, disposition = await slow.report(held.call.call_id, PLACED, token=held.token)
    assert (call.outcome, disposition) == (Outcome.CANCELED, Disposition.REPEATED)
    await records.release(held.call.call_id, held.token)


async def test_a_replaced_holder_can_neither_renew_nor_release(
    queue: CallQueue, records: Records, held: Held, clock: Clock
) -> None:
    """It cannot keep the call, and it cannot free the slot that is now another's."""
    clock.passes(seconds=8)
    await queue.seize(held.call.call_id)
    assert await records.renew(held) is None
    await records.release(held.call.call_id, held.token)
    assert (await queue.waiting())["held"] == 1


async def test_a_late_call_can_be_taken_from_a_living_holder(queue: CallQueue, records: Records, held: Held) -> None:
    """A call that talks beyond its limit is ended even if its agent still says 'still here'."""
    assert await records.renew(held)
    forced = await queue.seize(held.call.call_id, force=True)
    assert forced
    assert await records.renew(held) is None


async def test_after_an_outage_holders_get_one_lease_to_come_back(
    queue: CallQueue, records: Records, held: Held, clock: Clock
) -> None:
    """Redis was away for a minute: no agent could say 'still here', so nobody's call is cut off for that."""
    await queue.overdue(gap_s=3)
    clock.passes(seconds=60)
    assert await queue.overdue(gap_s=3) == ([], [])
    assert await records.renew(held)
    for _ in range(10):
        clock.passes(seconds=1)
        assert (await queue.overdue(gap_s=3))[0] == []
        await records.renew(held)


async def test_after_an_outage_the_dead_are_still_found(queue: CallQueue, held: Held, clock: Clock) -> None:
    """Whoever does not come back within one lease is lost as usual."""
    await queue.overdue(gap_s=3)
    clock.passes(seconds=60)
    await queue.overdue(gap_s=3)
    for _ in range(4):
        clock.passes(seconds=2)
        lost, _ = await queue.overdue(gap_s=3)
    assert lost == [held.call.call_id]


async def test_a_missed_deadline_is_found_in_every_state(
    queue: CallQueue, records: Records, held: Held, clock: Clock
) -> None:
    """Waiting, placing, ringing, talking: each has a last moment, and somebody looks."""
    call_id = held.call.call_id

    async def late_after(seconds: float) -> None:
        clock.passes(seconds=seconds - 1)
        assert call_id not in (await queue.overdue(gap_s=1e6))[1]
        clock.passes(seconds=2)
        assert call_id in (await queue.overdue(gap_s=1e6))[1]

    await told(records, held, PLACED)
    await late_after(60)
    await told(records, held, DIALING)
    await late_after(held.call.ring_timeout_s + 15)
    await told(records, held, ANSWERED)
    await late_after(held.call.max_call_s + 5)
    await told(records, held, Report(Event.HUNG_UP))
    assert (await queue.overdue(gap_s=1e6))[1] == []


async def test_a_waiting_call_is_late_when_it_expires(queue: CallQueue, enqueue: Enqueue, clock: Clock) -> None:
    """Nobody could place my call all day; it does not wait for ever."""
    call = await enqueue(expires_at=clock.now() + timedelta(hours=1))
    clock.passes(minutes=61)
    assert (await queue.overdue(gap_s=1e6))[1] == [call.call_id]


async def test_a_deadline_without_a_record_can_be_forgotten(
    store: Store, queue: CallQueue, enqueue: Enqueue, clock: Clock
) -> None:
    """A record that is gone leaves no alarm that rings for ever."""
    call = await enqueue()
    await store.call("DEL", keys.call(call.call_id))
    clock.passes(days=2)
    assert (await queue.overdue(gap_s=1e6))[1] == [call.call_id]
    await queue.forget(call.call_id)
    assert (await queue.overdue(gap_s=1e6))[1] == []


async def test_a_lost_call_without_a_record_gives_everything_back(
    store: Store, queue: CallQueue, held: Held, clock: Clock
) -> None:
    """A record that was deleted by hand blocks neither a slot nor a place before the carrier."""
    await store.call("DEL", keys.call(held.call.call_id))
    clock.passes(seconds=8)
    assert await queue.seize(held.call.call_id) is None
    assert await store.call("EXISTS", keys.LEASES, keys.PLACING) == 0


async def test_an_end_frees_the_slot(queue: CallQueue, records: Records, held: Held) -> None:
    """When a call is over the next one has room."""
    await told(records, held, PLACED, DIALING, ANSWERED, Report(Event.HUNG_UP))
    assert await queue.waiting() == {"ready": 0, "scheduled": 0, "held": 0}


async def test_an_end_can_leave_the_slot_to_whoever_still_has_to_hang_up(
    queue: CallQueue, records: Records, held: Held
) -> None:
    """A cancel ends the call at once; the line is free only when the agent has hung up."""
    await told(records, held, PLACED, DIALING, ANSWERED)
    ended, _ = await records.report(held.call.call_id, Report(Event.CANCELLED), release=False)
    assert ended.state is State.ENDED
    assert (await queue.waiting())["held"] == 1
    assert await records.renew(held) == ended.version
    await records.release(held.call.call_id, held.token)
    assert (await queue.waiting())["held"] == 0


async def test_a_call_to_be_tried_again_waits_for_its_time(
    queue: CallQueue, records: Records, held: Held, claim: Claim, clock: Clock
) -> None:
    """Busy: the same call comes back two minutes later, with a new token and one attempt more."""
    again = clock.now() + timedelta(minutes=2)
    await told(records, held, PLACED, DIALING, Report(Event.ATTEMPT_FAILED, Outcome.BUSY, retry_at=again))
    assert await queue.waiting() == {"ready": 0, "scheduled": 1, "held": 0}
    assert await claim() is None
    clock.passes(seconds=121)
    second = await claim()
    assert second
    assert (second.call.call_id, second.call.attempt, second.call.last_outcome) == (held.call.call_id, 1, Outcome.BUSY)
    with pytest.raises(Fenced):
        await told(records, held, PLACED)


async def test_a_postponed_call_keeps_its_attempts(
    queue: CallQueue, records: Records, held: Held, claim: Claim, clock: Clock
) -> None:
    """It was night at the callee: the call waits until morning, and no attempt is used up."""
    await records.postpone(held, clock.now() + timedelta(hours=9), "It is night.")
    waiting = await records.load(held.call.call_id)
    assert (waiting.state, waiting.attempt, waiting.reason) == (State.QUEUED, 0, "It is night.")
    clock.passes(hours=8)
    assert await claim() is None
    clock.passes(hours=1, seconds=1)
    assert await claim()


async def test_postponing_what_is_placed_already_only_gives_the_slot_back(
    queue: CallQueue, records: Records, held: Held
) -> None:
    """A mistaken postponement cannot take a call out of an agent's hands in mid-ring."""
    await told(records, held, PLACED, DIALING)
    await records.postpone(held, NOON, "a mistake")
    assert (await records.load(held.call.call_id)).state is State.RINGING
    assert (await queue.waiting()) == {"ready": 0, "scheduled": 0, "held": 0}


async def test_an_impossible_report_changes_nothing(store: Store, records: Records, held: Held) -> None:
    """A program's mistake is told to the program and to nobody else."""
    before, events = await records.load(held.call.call_id), await read_after(store, "0")
    with pytest.raises(IllegalTransition):
        await told(records, held, ANSWERED)
    assert await records.load(held.call.call_id) == before
    assert await read_after(store, "0") == events


async def test_a_repeated_end_writes_nothing(store: Store, records: Records, held: Held) -> None:
    """Two parties say 'it is over'; one end is written and one told."""
    await told(records, held, PLACED, DIALING, ANSWERED, Report(Event.HUNG_UP))
    events = await read_after(store, "0")
    call, disposition = await records.report(held.call.call_id, Report(Event.CANCELLED))
    assert disposition is Disposition.REPEATED
    assert call.outcome is Outcome.COMPLETED
    assert await read_after(store, "0") == events


async def test_nobody_can_report_about_a_call_that_is_unknown(records: Records) -> None:
    """A wrong id is a wrong id."""
    with pytest.raises(NotFound):
        await records.report("outbound-nobody", Report(Event.CANCELLED))
    with pytest.raises(NotFound):
        await records.load("outbound-nobody")


async def test_every_change_is_one_event_with_the_record_after_it(store: Store, records: Records, held: Held) -> None:
    """Whoever reads the stream sees each state once, in order, on the call's own stream and on the common one."""
    await told(records, held, PLACED, DIALING, ANSWERED)
    await records.note(held, "call.turn", {"text": "hello"})
    await told(records, held, Report(Event.HUNG_UP))
    everything = await read_after(store, "0")
    assert await read_after(store, "0", call_id=held.call.call_id) == everything
    assert [event.type for event in everything] == [
        "call.queued", "call.placing", "call.ringing", "call.in_progress", "call.turn", "call.ended",
    ]  # fmt: skip
    versions = [event.data["version"] for event in everything if "version" in event.data]
    assert versions == [1, 2, 3, 4, 5]
    assert everything[-1].data["outcome"] == "completed"
    assert await read_after(store, everything[2].id) == everything[3:]
