"""When is a call tried again? All times are virtual: `now` is an argument."""

from dataclasses import replace
from datetime import timedelta

import pytest

from modules.calls import Outcome
from modules.calls.outcomes import RETRY, Retry
from modules.calls.retry import FIRST_PAUSE, FRUITLESS_PLACINGS, LONGEST_PAUSE, SAFE_PAUSE, retry_at
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit

LATER = sorted(outcome for outcome, retry in RETRY.items() if retry is Retry.LATER)
NEVER = sorted(outcome for outcome, retry in RETRY.items() if retry is Retry.NEVER)


@pytest.mark.parametrize("outcome", NEVER)
def test_some_outcomes_are_final_however_many_attempts_were_asked_for(outcome: Outcome) -> None:
    """Whoever answered, declined or may have been rung is left in peace."""
    assert retry_at(a_call(max_attempts=10, attempt=1, dials=1), outcome, NOON) is None


@pytest.mark.parametrize("outcome", LATER)
def test_without_being_asked_a_phone_is_dialled_once(outcome: Outcome) -> None:
    """A plain call to a busy line ends as busy: one dial, no surprise."""
    assert retry_at(a_call(attempt=1, dials=1), outcome, NOON) is None


@pytest.mark.parametrize("outcome", LATER)
def test_each_pause_is_twice_the_one_before_up_to_an_hour(outcome: Outcome) -> None:
    """With several attempts allowed the pauses grow, and never beyond an hour."""
    call = a_call(max_attempts=20)
    pauses = [retry_at(replace(call, attempt=n, dials=n), outcome, NOON) for n in range(1, 9)]
    minutes = [round((pause - NOON).total_seconds() / 60) for pause in pauses if pause]
    assert minutes == [2, 4, 8, 16, 32, 60, 60, 60]
    assert timedelta(minutes=2) == FIRST_PAUSE
    assert timedelta(hours=1) == LONGEST_PAUSE


def test_the_last_allowed_dial_is_the_last() -> None:
    """Three attempts are three dials, not four."""
    call = a_call(max_attempts=3)
    times = [retry_at(replace(call, attempt=n, dials=n), Outcome.BUSY, NOON) for n in (1, 2, 3)]
    assert [time is not None for time in times] == [True, True, False]


def test_no_retry_is_planned_for_after_the_calls_last_moment() -> None:
    """A call that expires in a minute does not wait two."""
    call = a_call(max_attempts=3, attempt=1, dials=1, expires_at=NOON + timedelta(minutes=2))
    assert retry_at(call, Outcome.BUSY, NOON) is None
    assert retry_at(replace(call, expires_at=NOON + timedelta(minutes=2, seconds=1)), Outcome.BUSY, NOON)


def test_where_nothing_was_dialled_it_is_redone_soon_but_not_for_ever() -> None:
    """LiveKit was away for a moment: my call is placed again by itself, a few times, and then ends."""
    call = a_call()
    times = [retry_at(replace(call, attempt=n), Outcome.INFRASTRUCTURE, NOON) for n in range(1, FRUITLESS_PLACINGS + 1)]
    assert [round((time - NOON).total_seconds()) if time else None for time in times] == [1, 3, 9, None]
    assert timedelta(seconds=1) == SAFE_PAUSE


def test_placings_without_a_dial_do_not_use_up_the_attempts() -> None:
    """Two tries that never left the house still leave me both of the attempts I asked for."""
    call = a_call(max_attempts=2, attempt=3, dials=1)
    assert retry_at(call, Outcome.BUSY, NOON) == NOON + FIRST_PAUSE
