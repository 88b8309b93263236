"""A retry is the same call with one more attempt, and it waits in the queue like any other."""

from datetime import timedelta

import pytest

from modules.calls import Call, Event, Outcome, Report, State, advance
from modules.calls.outcomes import by_sip
from modules.calls.retry import retry_at
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit


def after_one_dial(sip_status: int, max_attempts: int) -> Call:
    """Return a call whose first dial was answered by the network with this status."""
    placing, _ = advance(a_call(max_attempts=max_attempts), Report(Event.CLAIMED), NOON)
    ringing, _ = advance(placing, Report(Event.DIALING), NOON)
    outcome = by_sip(sip_status, "").outcome
    again = retry_at(ringing, outcome, NOON)
    call, _ = advance(ringing, Report(Event.ATTEMPT_FAILED, outcome, retry_at=again), NOON)
    return call


def test_a_busy_line_ends_a_plain_call() -> None:
    """Unless asked for more, a call is one dial."""
    call = after_one_dial(486, max_attempts=1)
    assert (call.state, call.outcome) == (State.ENDED, Outcome.BUSY)


def test_a_busy_line_is_tried_again_when_the_call_asked_for_it() -> None:
    """With three attempts the second comes two minutes later."""
    call = after_one_dial(486, max_attempts=3)
    assert (call.state, call.last_outcome) == (State.QUEUED, Outcome.BUSY)
    assert call.not_before == NOON + timedelta(minutes=2)


def test_somebody_who_declined_is_not_rung_again() -> None:
    """No is no, however many attempts were asked for."""
    call = after_one_dial(603, max_attempts=10)
    assert (call.state, call.outcome) == (State.ENDED, Outcome.DECLINED)
