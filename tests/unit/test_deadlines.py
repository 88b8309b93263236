"""By when must a call have moved on? Every state but the last has an answer."""

from datetime import timedelta

import pytest

from modules.calls import Outcome, State
from modules.calls.deadlines import PACING_S, RING_SLACK_S, TALK_SLACK_S, deadline
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit


def test_every_state_but_the_last_has_a_deadline() -> None:
    """No call of mine can be stuck for ever in any state."""
    for state in State:
        due = deadline(a_call(state=state, outcome=Outcome.BUSY if state is State.ENDED else None), NOON)
        assert (due is None) == (state is State.ENDED)


def test_a_waiting_call_lasts_until_its_last_moment() -> None:
    """A queued call is given up when it expires, not before."""
    call = a_call()
    assert deadline(call, NOON) == call.expires_at


def test_an_agent_waits_for_its_turn_but_not_for_ever() -> None:
    """Placing may take as long as the carrier's pace needs."""
    assert deadline(a_call(state=State.PLACING), NOON) == NOON + timedelta(seconds=PACING_S)


def test_ringing_ends_a_little_after_the_ringing_time() -> None:
    """The phone network's own limit comes first; ours only catches what it missed."""
    call = a_call(state=State.RINGING, ring_timeout_s=20)
    assert deadline(call, NOON) == NOON + timedelta(seconds=20 + RING_SLACK_S)


def test_a_conversation_is_limited_from_its_answer_on() -> None:
    """However often the record is written during the conversation, its end does not move."""
    call = a_call(state=State.IN_PROGRESS, answered_at=NOON, max_call_s=60)
    later = NOON + timedelta(seconds=50)
    assert deadline(call, NOON) == deadline(call, later) == NOON + timedelta(seconds=60 + TALK_SLACK_S)
