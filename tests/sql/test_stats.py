"""Comparing personalities and arms: every figure beside one worked out by hand, on both databases."""

import statistics
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from modules.call_history import Filters, History, Stats
from modules.call_history.stats import share
from modules.call_history.tables import calls, turns
from modules.calls import Event, Outcome, Report
from modules.calls.errors import InvalidField
from tests.sql.phones import Phones

pytestmark = pytest.mark.sql
Recorded = Callable[[], Awaitable[None]]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_two_arms_are_compared_by_what_became_of_their_calls(
    phones: Phones, history: History, record_all: Recorded
) -> None:
    """I run two texts side by side and read which one people talk to; each figure says how many calls it is of."""
    for _ in range(2):
        await phones.whole("Hello.", "Yes?", "Bye.", arm="short", personality_hash="aa")
    await phones.whole(arm="short", personality_hash="bb")
    await phones.refused(Outcome.NO_ANSWER, 480, arm="short")
    await phones.whole("Hello.", arm="long", personality_hash="cc")
    await phones.refused(Outcome.BUSY, 486, arm="long")
    await phones.ask(arm="short")
    await record_all()
    long, short = await Stats(history).compare(Filters(personality="gym"))
    assert (short.personality, short.arm, short.calls, short.ended, short.versions) == ("gym", "short", 5, 4, 2)
    assert short.outcomes == {"completed": 3, "no_answer": 1}
    assert (short.answered.count, short.answered.of, short.answered.share) == (3, 4, 0.75)
    assert (short.completed.count, short.completed.of, short.completed.share) == (3, 3, 1.0)
    assert (short.turns.count, short.turns.mean, short.turns.median) == (3, 2.0, 3.0)
    assert (short.latency_ms.count, short.latency_ms.median) == (6, 400.0)
    assert (long.calls, long.answered.share, long.turns.count, long.versions) == (2, 0.5, 1, 1)
    assert long.outcomes == {"busy": 1, "completed": 1}


async def test_a_call_that_could_not_ring_says_nothing_about_who_speaks(
    phones: Phones, history: History, record_all: Recorded
) -> None:
    """A cancelled or blocked call counts as a call and not as one that nobody answered."""
    call = await phones.ask()
    await phones.records.report(call.call_id, Report(Event.CANCELLED, reason="Not today."))
    await phones.whole("Hello.")
    await record_all()
    (found,) = await Stats(history).compare(Filters())
    assert (found.calls, found.ended, found.outcomes) == (2, 2, {"canceled": 1, "completed": 1})
    assert (found.answered.count, found.answered.of) == (1, 1)


async def test_only_the_calls_of_the_asked_time_count(phones: Phones, history: History, record_all: Recorded) -> None:
    """From is inclusive, before is not; where nothing was, there is no row and no invented zero."""
    for hour in range(3):
        await phones.whole("Hello.", created_at=NOON + timedelta(hours=hour))
    await record_all()
    stats = Stats(history)
    (found,) = await stats.compare(Filters(created_from=NOON + timedelta(hours=1), created_before=NOON + timedelta(hours=2)))
    assert found.calls == 1
    assert await stats.compare(Filters(created_before=NOON)) == ()
    assert await stats.compare(Filters(arm="short")) == ()
    with pytest.raises(InvalidField):
        await stats.compare(Filters(text=" "))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 19, 20, 21, 40])
async def test_means_medians_and_percentiles_are_those_of_a_statistician(history: History, count: int) -> None:
    """However many values there are, odd or even, both databases find what Python's statistics module finds."""
    seconds = [((index * 37) % 101) + index / 8 for index in range(count)]
    await _record(history, seconds)
    (found,) = await Stats(history).compare(Filters())
    assert found.talk_s.count == count
    assert found.talk_s.mean == pytest.approx(statistics.fmean(seconds), abs=0.001)
    assert found.talk_s.median == pytest.approx(statistics.median(seconds), abs=0.001)
    assert found.talk_s.p95 == pytest.approx(sorted(seconds)[-(-95 * count // 100) - 1], abs=0.001)
    assert found.latency_ms.count == count
    assert found.latency_ms.median == pytest.approx(statistics.median(value * 10 for value in seconds), abs=0.001)


async def test_where_nothing_was_measured_nothing_is_claimed(phones: Phones, history: History, record_all: Recorded) -> None:
    """Calls nobody answered have no talk time, no turns and no latency, and no share of zero calls."""
    await phones.refused(Outcome.BUSY, 486)
    await record_all()
    (found,) = await Stats(history).compare(Filters())
    assert (found.talk_s.count, found.talk_s.mean, found.turns.count, found.latency_ms.p95) == (0, None, 0, None)
    assert (found.completed.of, found.completed.share, found.completed.low) == (0, None, None)


def test_an_interval_is_the_one_in_the_textbook() -> None:
    """8 of 10 and 0 of 10, as Wilson's formula has them."""
    assert (share(8, 10).low, share(8, 10).high) == (0.4902, 0.9433)
    assert (share(0, 10).low, share(0, 10).high) == (0.0, 0.2775)


@given(of=st.integers(1, 10_000), data=st.data())
def test_a_share_lies_in_its_interval(of: int, data: st.DataObject) -> None:
    """More calls of the same share never make the figure less certain."""
    count = data.draw(st.integers(0, of))
    found, more = share(count, of), share(count * 4, of * 4)
    assert found.share is not None and found.low is not None and found.high is not None
    assert more.low is not None and more.high is not None
    assert 0 <= found.low <= found.share + 0.0001 and found.share <= found.high + 0.0001 <= 1.0001
    assert more.high - more.low <= found.high - found.low + 0.0002


async def _record(history: History, seconds: list[float]) -> None:
    """Write ended, answered calls that talked for so many seconds, each with one turn that took ten milliseconds a second."""
    fixed = {name: "" for name in ("reason", "to_number", "from_number", "caller_name", "caller_folded", "api_key_id", "arm")}
    fixed |= {"direction": "outbound", "state": "ended", "outcome": "completed", "personality": "gym", "trunk": "simulated"}
    rows = [
        {**fixed, "call_id": f"c-{index}", "version": 1, "attempt": 1, "dials": 1, "simulated": True, "created_at": NOON,
         "answered_at": NOON, "ended_at": NOON + timedelta(seconds=value), "duration_s": value, "record": {}}
        for index, value in enumerate(seconds)
    ]  # fmt: skip
    spoken = {"index": 0, "event_key": "1", "speaker": "agent", "text": "Hi.", "folded": "hi.", "start_s": 0.0, "end_s": 1.0}
    said = [
        {**spoken, "call_id": f"c-{index}", "interrupted": False, "latency_ms": value * 10} for index, value in enumerate(seconds)
    ]
    async with history.write() as connection:
        await connection.execute(insert(calls), rows)
        await connection.execute(insert(turns), said)
