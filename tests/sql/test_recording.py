"""What is left of a call once it is over: the record, its attempts, its words, its timeline. Failures of the machinery are
in test_recorder_survives.py."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modules.call_history import Filters, History, Search
from modules.call_history.projection import rows
from modules.call_history.writing import write_rows
from modules.call_queue_manager import CallQueue, Records, Store, StreamEvent, read_after
from modules.calls import Event, Outcome, Report, State
from modules.calls.errors import NotFound
from tests.sql.phones import NUMBER, Phones

pytestmark = pytest.mark.sql
Recorded = Callable[[], Awaitable[None]]


async def test_a_finished_call_is_found_as_it_ended(phones: Phones, search: Search, record_all: Recorded) -> None:
    """When a call is over I can read exactly the record the fleet had of it."""
    call = await phones.whole("Hello, this is an AI assistant.", "Hi.", caller_name="Ada", variables={"day": "Monday"})
    await record_all()
    assert await search.call(call.call_id) == call
    assert call.state is State.ENDED and call.outcome is Outcome.COMPLETED


async def test_words_are_kept_in_order_with_their_times(phones: Phones, search: Search, record_all: Recorded) -> None:
    """I can read who said what and when."""
    call = await phones.whole("Hello.", "What do you want?", "The price, please.")
    await record_all()
    turns = await search.transcript(call.call_id)
    assert [(turn.index, turn.speaker, turn.text) for turn in turns] == [
        (0, "agent", "Hello."),
        (1, "callee", "What do you want?"),
        (2, "agent", "The price, please."),
    ]
    assert (turns[1].start_s, turns[1].end_s, turns[1].interrupted, turns[1].latency_ms) == (2.0, 3.5, False, 400)


async def test_pressed_keys_are_a_turn(phones: Phones, search: Search, record_all: Recorded) -> None:
    """I can read which keys were pressed, apart from words; older turns have none."""
    await phones.ask()
    held = await phones.answer(await phones.take())
    await phones.say(held, 0, "Which year?")
    await phones.say(held, 1, "pressed 1 9 •", keys="19•")
    await record_all()
    turns = await search.transcript(held.call.call_id)
    assert [(turn.text, turn.keys) for turn in turns] == [("Which year?", ""), ("pressed 1 9 •", "19•")]


async def test_the_timeline_names_every_step(phones: Phones, search: Search, record_all: Recorded, store: Store) -> None:
    """I can see when a call reached which state, with the ids of the event stream and without the words."""
    call = await phones.whole("Hello.")
    await record_all()
    timeline = await search.timeline(call.call_id)
    kinds = ["queued", "placing", "agent_ready", "ringing", "in_progress", "ended"]
    assert [entry.type for entry in timeline] == [f"call.{kind}" for kind in kinds]
    stream = [event.id for event in await read_after(store, "0") if event.type != "call.turn"]
    assert [entry.id for entry in timeline] == stream
    assert timeline[-1].data["outcome"] == "completed" and "Hello" not in str(timeline)
    assert timeline[-1].at == call.ended_at


async def test_each_attempt_keeps_its_own_times_and_end(phones: Phones, search: Search, record_all: Recorded) -> None:
    """When the line was busy first and answered later, I see both tries, each with its own times."""
    now = datetime.now(UTC)
    await phones.ask(max_attempts=2)
    first = await phones.tell(await phones.take(), Report(Event.DIALING))
    busy = Report(Event.ATTEMPT_FAILED, Outcome.BUSY, "The line is busy.", sip_status_code=486, retry_at=now)
    await phones.tell(first, busy)
    call = await phones.hang_up(await phones.answer(await phones.take()))
    await record_all()
    one, two = await search.attempts(call.call_id)
    assert (one.attempt, one.outcome, one.sip_status_code, one.reason) == (1, Outcome.BUSY, 486, "The line is busy.")
    assert one.placing_at == first.call.placing_at and one.ringing_at == first.call.ringing_at
    assert one.ended_at is not None and one.answered_at is None
    assert (two.attempt, two.outcome, two.worker_id) == (2, Outcome.COMPLETED, "worker-1")
    assert two.ringing_at == call.ringing_at and two.answered_at == call.answered_at and two.ended_at == call.ended_at


async def test_cancelling_while_it_waits_leaves_the_first_attempt_as_it_was(
    phones: Phones, search: Search, records: Records, record_all: Recorded
) -> None:
    """When I cancel a call that waits for its second try, its first try still says busy."""
    await phones.ask(max_attempts=2)
    held = await phones.tell(await phones.take(), Report(Event.DIALING))
    later = datetime.now(UTC) + timedelta(minutes=5)
    await phones.tell(held, Report(Event.ATTEMPT_FAILED, Outcome.BUSY, "The line is busy.", 486, retry_at=later))
    call, _ = await records.report(held.call.call_id, Report(Event.CANCELLED))
    await record_all()
    (only,) = await search.attempts(call.call_id)
    assert only.outcome is Outcome.BUSY and only.sip_status_code == 486
    assert (await search.call(call.call_id)).outcome is Outcome.CANCELED


async def test_waiting_for_calling_hours_leaves_the_first_attempt_as_it_was(
    phones: Phones, search: Search, queue: CallQueue, records: Records, record_all: Recorded
) -> None:
    """A second try that has to wait for the morning does not move the end of the first."""
    now = datetime.now(UTC)
    await phones.ask(max_attempts=2)
    held = await phones.tell(await phones.take(), Report(Event.DIALING))
    await phones.tell(held, Report(Event.ATTEMPT_FAILED, Outcome.BUSY, "The line is busy.", 486, retry_at=now))
    await record_all()
    (before,) = await search.attempts(held.call.call_id)
    again = await queue.claim(limit=10, calls_per_second=10, lease_s=7)
    assert again is not None
    await records.postpone(again, now + timedelta(hours=8), "outside calling hours")
    await record_all()
    assert await search.attempts(held.call.call_id) == (before,)
    assert before.outcome is Outcome.BUSY


async def test_a_second_attempt_does_not_borrow_times_of_the_first(
    phones: Phones, search: Search, record_all: Recorded
) -> None:
    """While the second try is only being placed, it has not rung yet."""
    await phones.ask(max_attempts=2)
    held = await phones.tell(await phones.take(), Report(Event.DIALING))
    now = datetime.now(UTC)
    await phones.tell(held, Report(Event.ATTEMPT_FAILED, Outcome.BUSY, "The line is busy.", 486, retry_at=now))
    held = await phones.take()
    await record_all()
    one, two = await search.attempts(held.call.call_id)
    assert one.ringing_at is not None and (two.ringing_at, two.answered_at, two.ended_at) == (None, None, None)
    assert two.placing_at == held.call.placing_at


async def test_a_call_that_was_never_placed_has_no_attempt(
    phones: Phones, search: Search, records: Records, record_all: Recorded
) -> None:
    """A call cancelled in the queue shows no attempt at all."""
    call = await phones.ask()
    await records.report(call.call_id, Report(Event.CANCELLED))
    await record_all()
    assert await search.attempts(call.call_id) == ()
    assert (await search.call(call.call_id)).outcome is Outcome.CANCELED


async def test_a_call_still_going_on_is_there_too(phones: Phones, search: Search, record_all: Recorded) -> None:
    """I can find a call while it is going on, with the words spoken so far."""
    await phones.ask()
    held = await phones.answer(await phones.take())
    await phones.say(held, 0, "Hello.")
    await record_all()
    assert [call.state for call in (await search.page(Filters())).calls] == [State.IN_PROGRESS]
    assert len(await search.transcript(held.call.call_id)) == 1


async def test_events_delivered_twice_and_in_any_order_end_the_same(
    phones: Phones, search: Search, store: Store, history: History
) -> None:
    """However the events arrive, and however often, the call reads as it ended."""
    call = await phones.whole("Hello.", "Who is it?", "An AI assistant.")
    events = await read_after(store, "0")
    for order in (events[::-1], events[3:] + events[:3], events, events):
        for event in order:
            async with history.write() as connection:
                await write_rows(history, connection, [rows(event)], exporting=False)
    assert await search.call(call.call_id) == call
    (only,) = await search.attempts(call.call_id)
    assert only.outcome is Outcome.COMPLETED and only.placing_at == call.placing_at
    assert [turn.index for turn in await search.transcript(call.call_id)] == [0, 1, 2]
    assert len(await search.timeline(call.call_id)) == 6


async def test_a_corrected_turn_replaces_the_first_telling(
    phones: Phones, search: Search, store: Store, history: History, record_all: Recorded
) -> None:
    """When the agent was cut short, the words actually heard count; the earlier telling cannot come back."""
    await phones.ask()
    held = await phones.answer(await phones.take())
    await phones.say(held, 0, "Hello, I would like to know your price.")
    await phones.say(held, 0, "Hello, I would", interrupted=True)
    await record_all()
    first = next(event for event in await read_after(store, "0") if event.type == "call.turn")
    async with history.write() as connection:
        await write_rows(history, connection, [rows(first)], exporting=False)
    (only,) = await search.transcript(held.call.call_id)
    assert (only.text, only.interrupted) == ("Hello, I would", True)


async def test_a_record_of_a_newer_version_is_read(
    phones: Phones, search: Search, history: History, store: Store
) -> None:
    """While I update the fleet process by process, records with fields this one does not know are kept and read."""
    call = await phones.whole("Hello.")
    last = (await read_after(store, "0"))[-1]
    newer = replace(last, data=last.data | {"mood": "sunny"})
    async with history.write() as connection:
        await write_rows(history, connection, [rows(newer)], exporting=False)
    assert await search.call(call.call_id) == call


async def test_unusual_characters_do_not_stop_a_call_from_being_kept(
    phones: Phones, search: Search, record_all: Recorded
) -> None:
    """Whatever a recogniser or a caller's name contains, the call is recorded."""
    call = await phones.whole("nul \x00 half \ud800 smile \U0001f600 quote ' percent % Grüße", caller_name="Zoë\x00")
    await record_all()
    (turn,) = await search.transcript(call.call_id)
    assert turn.text == "nul \ufffd half ? smile \U0001f600 quote ' percent % Grüße"
    assert (await search.call(call.call_id)).caller_name == "Zoë\ufffd"


async def test_an_inbound_call_has_one_attempt(search: Search, history: History, phones: Phones) -> None:
    """A call somebody makes to us is kept with the time it rang."""
    asked = await phones.ask()
    now = datetime.now(UTC)
    rang = replace(asked, state=State.RINGING, ringing_at=now, version=1)
    event = StreamEvent("1763700000000-0", asked.call_id, "call.ringing", now, rang.to_json() | {"event": "ringing"})
    async with history.write() as connection:
        await write_rows(history, connection, [rows(event)], exporting=False)
    (only,) = await search.attempts(asked.call_id)
    assert (only.attempt, only.placing_at, only.ringing_at) == (1, None, now)


async def test_an_unknown_call_is_said_to_be_unknown(search: Search) -> None:
    """Asking for a call that never was tells me so."""
    with pytest.raises(NotFound):
        await search.call("outbound-20261121-040102-000000000000")
    assert await search.transcript("outbound-20261121-040102-000000000000") == ()


async def test_the_numbers_of_a_call_can_be_filtered_on(phones: Phones, search: Search, record_all: Recorded) -> None:
    """A failed call keeps its outcome and number in columns a filter can use."""
    await phones.refused(Outcome.BUSY, 486)
    await record_all()
    found = await search.page(Filters(outcome=Outcome.BUSY, to_number=NUMBER))
    assert [call.sip_status_code for call in found.calls] == [486]
