"""What LiveKit saw of the phone speaks for an agent that cannot speak any more, and never against the table of states."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from modules.calls import Call, Direction, Disposition, Outcome, State, advance
from modules.calls.outcomes import RETRY, Retry
from modules.calls.second_truth import LegEnd, lost
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit

HELD = (State.PLACING, State.RINGING, State.IN_PROGRESS)
WHY = "Its worker stopped answering."
LATER = NOON + timedelta(minutes=1)


def held(state: State, **facts: object) -> Call:
    known = {"attempt": 1, "dials": 0 if state is State.PLACING else 1, "room": "r-1", "max_attempts": 3}
    return replace(a_call(), state=state, **(known | facts))  # type: ignore[arg-type]  # whatever the test says


@pytest.mark.parametrize(("state", "leg_end", "direction"), list(product(HELD, [*LegEnd, None], Direction)))
def test_the_table_takes_whatever_was_seen(state: State, leg_end: LegEnd | None, direction: Direction) -> None:
    """However the phone left, the call ends or is safely placed again; a report is never refused."""
    call = held(state, direction=direction)
    after, disposition = advance(call, lost(call, leg_end, WHY, LATER), LATER)
    assert disposition is Disposition.APPLIED
    assert after.state in (State.QUEUED, State.ENDED)
    assert after.reason.startswith(WHY)
    if after.state is State.QUEUED and state is not State.PLACING:
        assert after.last_outcome and RETRY[after.last_outcome] is Retry.LATER
        assert direction is Direction.OUTBOUND, "nobody rings back a caller because of this"


@pytest.mark.parametrize(("state", "leg_end", "outcome"), [
    (State.RINGING, None, Outcome.INDETERMINATE),
    (State.RINGING, LegEnd.LOST, Outcome.INDETERMINATE),
    (State.RINGING, LegEnd.HUNG_UP, Outcome.INDETERMINATE),
    (State.RINGING, LegEnd.REJECTED, Outcome.DECLINED),
    (State.RINGING, LegEnd.UNAVAILABLE, Outcome.NO_ANSWER),
    (State.IN_PROGRESS, None, Outcome.AGENT_FAILED),
    (State.IN_PROGRESS, LegEnd.HUNG_UP, Outcome.AGENT_FAILED),
])  # fmt: skip
def test_what_is_known_replaces_nobody_knows(state: State, leg_end: LegEnd | None, outcome: Outcome) -> None:
    """A phone that was seen to refuse is no longer 'indeterminate'; one that left in any other way still is."""
    call = held(state, max_attempts=1)
    after, _ = advance(call, lost(call, leg_end, WHY, LATER), LATER)
    assert (after.state, after.outcome) == (State.ENDED, outcome)


def test_a_refused_call_is_not_placed_again() -> None:
    """Busy and declined look alike to LiveKit: whoever may have said no is left alone, however many attempts were asked for."""
    call = held(State.RINGING, max_attempts=5)
    assert advance(call, lost(call, LegEnd.REJECTED, WHY, LATER), LATER)[0].state is State.ENDED
