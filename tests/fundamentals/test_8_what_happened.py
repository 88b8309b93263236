"""Everything that happens to a call is one entry of its stream: each state with the whole record, each sentence as a turn."""

import pytest

from modules.call_queue_manager import CallQueue, Held, Records, Store, read_after
from modules.calls import Event, Report
from tests.fleet_clock import Clock
from tests.phone_calls import a_call

pytestmark = pytest.mark.redis


async def a_conversation(queue: CallQueue, records: Records, clock: Clock) -> Held:
    """A call with one sentence from each side."""
    await queue.enqueue(a_call(clock.now()))
    held = await queue.claim(limit=1, calls_per_second=1, lease_s=7)
    assert held is not None
    for event in (Event.CLAIMED, Event.DIALING, Event.ANSWERED):
        await records.report(held.call.call_id, Report(event), token=held.token)
    await records.note(held, "call.turn", {"index": 0, "speaker": "agent", "text": "Hello, I am an AI assistant."})
    await records.note(held, "call.turn", {"index": 1, "speaker": "callee", "text": "Iron Temple gym, hello?"})
    await records.report(held.call.call_id, Report(Event.HUNG_UP), token=held.token)
    return held


async def test_a_calls_story_can_be_read_from_its_stream(
    store: Store, queue: CallQueue, records: Records, clock: Clock
) -> None:
    """States and sentences in the order in which they happened."""
    held = await a_conversation(queue, records, clock)
    story = await read_after(store, "0", call_id=held.call.call_id)
    assert [event.type for event in story] == [
        "call.queued", "call.placing", "call.ringing", "call.in_progress", "call.turn", "call.turn", "call.ended",
    ]  # fmt: skip
    assert story[-1].data["outcome"] == "completed"


async def test_the_transcript_is_the_turns(store: Store, queue: CallQueue, records: Records, clock: Clock) -> None:
    """Who said what, without asking anybody but the stream."""
    held = await a_conversation(queue, records, clock)
    turns = [event.data for event in await read_after(store, "0", call_id=held.call.call_id) if event.type == "call.turn"]
    assert [(turn["speaker"], turn["text"]) for turn in turns] == [
        ("agent", "Hello, I am an AI assistant."),
        ("callee", "Iron Temple gym, hello?"),
    ]


async def test_whoever_was_away_reads_on_where_it_stopped(
    store: Store, queue: CallQueue, records: Records, clock: Clock
) -> None:
    """Every entry has an id; what came after it can be asked for at any time."""
    held = await a_conversation(queue, records, clock)
    story = await read_after(store, "0", call_id=held.call.call_id)
    assert await read_after(store, story[3].id, call_id=held.call.call_id) == story[4:]
