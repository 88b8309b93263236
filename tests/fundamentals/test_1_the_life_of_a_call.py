"""A call is a frozen record in one of five states. Nobody sets a state: programs report what happened, the table decides."""

import pytest

from modules.calls import Event, Outcome, Report, State, advance
from modules.calls.errors import IllegalTransition
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit


def test_a_call_from_acceptance_to_goodbye() -> None:
    """Queued, placing, ringing, in progress, ended."""
    call = a_call()
    assert call.state is State.QUEUED

    call, _ = advance(call, Report(Event.CLAIMED, room="a-room"), NOON)  # an orchestrator takes it and makes a room
    assert call.state is State.PLACING

    call, _ = advance(call, Report(Event.DIALING), NOON)  # the agent is about to dial
    assert call.state is State.RINGING

    call, _ = advance(call, Report(Event.ANSWERED), NOON)  # somebody picks up
    assert call.state is State.IN_PROGRESS

    call, _ = advance(call, Report(Event.HUNG_UP), NOON)
    assert (call.state, call.outcome) == (State.ENDED, Outcome.COMPLETED)


def test_what_cannot_follow_is_refused() -> None:
    """Nobody can pick up a phone that was never dialled; the record stays as it is."""
    call = a_call()
    with pytest.raises(IllegalTransition):
        advance(call, Report(Event.ANSWERED), NOON)
    assert call.state is State.QUEUED


def test_the_end_is_final() -> None:
    """Whatever is reported after the end is noted and changes nothing."""
    ended, _ = advance(a_call(), Report(Event.CANCELLED), NOON)
    after, disposition = advance(ended, Report(Event.ANSWERED), NOON)
    assert after is ended
    assert disposition == "repeated"
