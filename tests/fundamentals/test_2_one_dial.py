"""At most one dial per attempt. "Dialing" is written down before the request leaves; from then on nobody dials by guessing."""

import pytest

from modules.calls import Event, Outcome, Report, State, advance
from modules.calls.errors import IllegalTransition
from modules.calls.retry import retry_at
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit


def test_an_agent_that_dies_before_it_dials_is_replaced() -> None:
    """Nothing was sent, so doing it again is safe."""
    placing, _ = advance(a_call(), Report(Event.CLAIMED), NOON)
    again = retry_at(placing, Outcome.INFRASTRUCTURE, NOON)
    call, _ = advance(placing, Report(Event.LOST, retry_at=again), NOON)
    assert (call.state, call.dials) == (State.QUEUED, 0)


def test_an_agent_that_dies_after_it_wrote_dialing_is_not() -> None:
    """The phone may have rung. Nobody knows, so the call says exactly that and is over."""
    placing, _ = advance(a_call(max_attempts=5), Report(Event.CLAIMED), NOON)
    ringing, _ = advance(placing, Report(Event.DIALING), NOON)
    call, _ = advance(ringing, Report(Event.LOST, retry_at=NOON), NOON)  # even if somebody asks for another try
    assert (call.state, call.outcome, call.dials) == (State.ENDED, Outcome.INDETERMINATE, 1)


def test_an_attempt_cannot_dial_twice() -> None:
    """The second "dialing" of an attempt is refused before any request leaves."""
    placing, _ = advance(a_call(), Report(Event.CLAIMED), NOON)
    ringing, _ = advance(placing, Report(Event.DIALING), NOON)
    with pytest.raises(IllegalTransition):
        advance(ringing, Report(Event.DIALING), NOON)
