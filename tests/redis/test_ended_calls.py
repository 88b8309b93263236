"""After a call: each call that ended is worked on once, by somebody, whoever dies; the answers are kept with the call."""

import asyncio
from typing import Any

import pytest

from config import Settings
from modules.after_call.ended import AfterCall
from modules.call_queue_manager import CallQueue, EndedCalls, Held, Records, Store, read_after
from modules.calls import Call, Event, Report
from modules.conversation.personalities import Personalities
from modules.conversation.wanted import WAITING
from modules.setup.places import PROJECT
from tests.fleet_clock import Claim, Enqueue

pytestmark = pytest.mark.redis

THE_REST = {"class_times": None, "mat_fee": None, "bring": None}


async def taken(ended: EndedCalls, count: int = 1) -> list[tuple[str, Call]]:
    """Return the next calls that are handed out."""
    found: list[tuple[str, Call]] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await ended.next()
    return found


async def end(records: Records, call: Call) -> None:
    await records.report(call.call_id, Report(Event.CANCELLED))


async def test_a_call_is_handed_to_one_of_many(store: Store, records: Records, enqueue: Enqueue) -> None:
    """Two processes listen; six calls end; each call reaches one of the two, and what is not an end reaches nobody."""
    hands = [EndedCalls(store), EndedCalls(store)]
    for one in hands:
        assert await one.next() == []
    calls = [await enqueue() for _ in range(6)]
    for call in calls:
        await end(records, call)
    got: list[str] = []
    for turn in range(10):
        for receipt, call in await hands[turn % 2].next():
            got.append(call.call_id)
            await hands[turn % 2].done(receipt)
        if len(got) == 6:
            break
    assert sorted(got) == sorted(call.call_id for call in calls)


async def test_what_a_dead_process_took_is_handed_out_again(store: Store, records: Records, enqueue: Enqueue) -> None:
    """The first took it and was never heard of again; the second gets it, says it is done, and then nobody does."""
    first, second = EndedCalls(store), EndedCalls(store, given_up_s=0)
    await first.next()
    call = await enqueue()
    await end(records, call)
    assert [call.call_id for _, call in await taken(first)] == [call.call_id]
    ((receipt, again),) = await taken(second)
    assert again.call_id == call.call_id
    await second.done(receipt)
    assert await second.next() == []


async def test_what_ended_while_nobody_listened_waits(store: Store, records: Records, enqueue: Enqueue) -> None:
    """All workers are away while a call ends; the next that comes works on it."""
    await EndedCalls(store).next()
    call = await enqueue()
    await end(records, call)
    assert [found.call_id for _, found in await taken(EndedCalls(store))] == [call.call_id]


async def spoken(held: Held, records: Records, *said: tuple[str, str]) -> Call:
    """Let a held call be spoken and hung up; return it as it ended."""
    call_id, token = held.call.call_id, held.token
    await records.report(call_id, Report(Event.DIALING), token=token)
    await records.report(call_id, Report(Event.ANSWERED), token=token)
    for index, (speaker, text) in enumerate(said):
        turn = {"index": index, "speaker": speaker, "text": text, "start_s": index, "end_s": index + 1}
        await records.note(held, "call.turn", turn)
    call, _ = await records.report(call_id, Report(Event.HUNG_UP), token=token)
    return call


@pytest.fixture
def hands(store: Store, settings: Settings) -> AfterCall:
    found = settings.model_copy(update={"agents_dir": PROJECT / "agents", "prompts_dir": PROJECT / "prompts"})
    return AfterCall(store, found, Personalities(found.agents_dir, found.prompts_dir))


async def held_call(records: Records, claim: Claim, enqueue: Enqueue, **facts: Any) -> Held:
    """Return a call that is being placed and is to bring answers home."""
    await enqueue(**({"personality": "local_demo", "extraction": WAITING} | facts))
    held = await claim()
    assert held is not None
    call, _ = await records.report(held.call.call_id, Report(Event.CLAIMED, room="room"), token=held.token)
    return Held(call, held.token)


async def test_the_answers_are_kept_with_the_call(
    store: Store, records: Records, claim: Claim, enqueue: Enqueue, hands: AfterCall
) -> None:
    """The call is over, its slot is free; its record and its events then say what was learnt, with the words that prove it."""
    held = await held_call(records, claim, enqueue)
    call = await spoken(held, records, ("agent", "What does a visit cost?"), ("callee", "One visit costs twenty dollars."))
    await hands.extraction(call)
    now = await records.load(call.call_id)
    assert (now.state, now.outcome, now.version) == (call.state, call.outcome, call.version + 1)
    assert now.extraction["status"] == "done"
    answers = now.extraction["answers"]
    assert answers["drop_in_price"] == {"value": 20, "unit": "USD", "quote": "costs twenty dollars", "turn": 1, "note": ""}
    assert {name: answer["value"] for name, answer in answers.items() if name != "drop_in_price"} == THE_REST
    assert (await read_after(store, "0", call_id=call.call_id))[-1].type == "call.extracted"
    await hands.extraction(call)
    assert (await records.load(call.call_id)).version == now.version, "it was handed out twice and done once"


async def test_a_call_in_which_nobody_spoke_asks_no_model(
    records: Records, enqueue: Enqueue, hands: AfterCall, queue: CallQueue
) -> None:
    """It was taken back before anybody answered; every answer says that nothing was said."""
    call = await enqueue(personality="local_demo", extraction=WAITING)
    await end(records, call)
    await hands.extraction(call)
    found = (await records.load(call.call_id)).extraction
    assert (found["status"], {answer["note"] for answer in found["answers"].values()}) == ("done", {"It was not said."})


async def test_a_model_that_fails_costs_the_answers_and_nothing_else(
    records: Records, claim: Claim, enqueue: Enqueue, hands: AfterCall
) -> None:
    """Its vendor has no key: the call keeps its end, and says why there are no answers."""
    held = await held_call(records, claim, enqueue, personality="gym_researcher")
    call = await spoken(held, records, ("callee", "One visit costs twenty dollars."))
    await hands.extraction(call)
    now = await records.load(call.call_id)
    assert (now.outcome, now.extraction) == (
        call.outcome, {"status": "failed", "reason": "The model gave no answers (MissingKey)."},
    )  # fmt: skip


async def test_a_call_that_was_to_bring_nothing_home_is_left_alone(
    records: Records, enqueue: Enqueue, hands: AfterCall
) -> None:
    """No personality asked for answers, so its record is not touched."""
    call = await enqueue(personality="short_notice")
    await end(records, call)
    before = await records.load(call.call_id)
    await hands.extraction(before)
    assert await records.load(call.call_id) == before
