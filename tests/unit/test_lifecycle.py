"""Every state meets every event: what may follow follows, everything else raises and changes nothing."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from modules.calls import TRANSITIONS, Call, Disposition, Event, Outcome, Report, State, advance, next_state
from modules.calls.errors import IllegalTransition
from modules.calls.outcomes import RETRY, Retry
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit

PAIRS = list(product(State, Event))
LEGAL = [pair for pair in PAIRS if pair in TRANSITIONS]
ILLEGAL = [pair for pair in PAIRS if pair not in TRANSITIONS and pair[0] is not State.ENDED]
TWO_ARMS = [pair for pair, following in TRANSITIONS.items() if len(following) == 2]
LATER = NOON + timedelta(minutes=2)


def in_state(state: State) -> Call:
    """Return a call as it is in `state` on its first attempt."""
    outcome = Outcome.COMPLETED if state is State.ENDED else None
    return replace(a_call(), state=state, outcome=outcome, attempt=1, dials=1)


def said(event: Event) -> Report:
    """Return a report of `event` as a party would make it, with an outcome where one is needed."""
    return Report(event, Outcome.BUSY if event is Event.ATTEMPT_FAILED else None)


@pytest.mark.parametrize(("state", "event"), LEGAL)
def test_a_legal_event_leads_where_the_table_says(state: State, event: Event) -> None:
    """I can read the table and know where my call goes."""
    changed, disposition = advance(in_state(state), said(event), NOON)
    assert disposition is Disposition.APPLIED
    assert changed.state is TRANSITIONS[state, event][-1]


@pytest.mark.parametrize(("state", "event"), ILLEGAL)
def test_an_illegal_event_raises_and_changes_nothing(state: State, event: Event) -> None:
    """A program that reports nonsense is told so, and my call stays as it was."""
    call = in_state(state)
    before = call.to_json()
    with pytest.raises(IllegalTransition, match=f"{state.value}.*{event.value}"):
        advance(call, said(event), NOON)
    assert call.to_json() == before


@pytest.mark.parametrize("event", list(Event))
def test_an_ended_call_never_changes(event: Event) -> None:
    """Once my call has ended, whatever is said about it afterwards is only noted."""
    call = in_state(State.ENDED)
    assert advance(call, replace(said(event), retry_at=LATER), NOON) == (call, Disposition.REPEATED)
    assert advance(call, said(event), NOON)[0] is call


@pytest.mark.parametrize(("state", "event"), TWO_ARMS)
def test_only_a_retry_time_brings_a_failed_attempt_back_to_the_queue(state: State, event: Event) -> None:
    """A failed attempt waits for its next one if it was given a time, and ends the call if not."""
    again, _ = advance(in_state(state), replace(said(event), retry_at=LATER), NOON)
    over, _ = advance(in_state(state), said(event), NOON)
    assert (again.state, again.not_before, again.outcome) == (State.QUEUED, LATER, None)
    assert again.last_outcome is not None
    assert (over.state, over.ended_at) == (State.ENDED, NOON)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_phone_that_rang_is_dialled_again_only_after_outcomes_that_allow_it(outcome: Outcome) -> None:
    """Nobody who declined, or who may have answered, is rung twice by a slip of some program."""
    report = Report(Event.ATTEMPT_FAILED, outcome, retry_at=LATER)
    if RETRY[outcome] is Retry.NEVER:
        with pytest.raises(IllegalTransition, match=outcome.value):
            advance(in_state(State.RINGING), report, NOON)
    else:
        assert advance(in_state(State.RINGING), report, NOON)[0].last_outcome is outcome


def test_a_retry_time_cannot_bring_back_what_has_only_one_way_to_go() -> None:
    """A call lost while it rang ends as indeterminate even if some program asks for another try."""
    lost, _ = advance(in_state(State.RINGING), Report(Event.LOST, retry_at=LATER), NOON)
    assert (lost.state, lost.outcome) == (State.ENDED, Outcome.INDETERMINATE)


@pytest.mark.parametrize("state", [State.PLACING, State.RINGING])
def test_a_failed_attempt_must_say_how_it_failed(state: State) -> None:
    """No call of mine ends without an outcome."""
    with pytest.raises(IllegalTransition, match="needs an outcome"):
        advance(in_state(state), Report(Event.ATTEMPT_FAILED), NOON)


@pytest.mark.parametrize(
    ("state", "event", "outcome"),
    [
        (State.QUEUED, Event.CANCELLED, Outcome.CANCELED),
        (State.QUEUED, Event.EXPIRED, Outcome.EXPIRED),
        (State.QUEUED, Event.BLOCKED, Outcome.BLOCKED),
        (State.PLACING, Event.LOST, Outcome.INFRASTRUCTURE),
        (State.RINGING, Event.LOST, Outcome.INDETERMINATE),
        (State.IN_PROGRESS, Event.LOST, Outcome.AGENT_FAILED),
        (State.IN_PROGRESS, Event.HUNG_UP, Outcome.COMPLETED),
        (State.IN_PROGRESS, Event.TRANSFERRED, Outcome.TRANSFERRED),
        (State.IN_PROGRESS, Event.CANCELLED, Outcome.CANCELED),
    ],
)
def test_an_end_without_a_named_outcome_has_the_usual_one(state: State, event: Event, outcome: Outcome) -> None:
    """A plain 'hung up' is a completed call; a plain 'lost' says honestly what is known."""
    assert advance(in_state(state), Report(event), NOON)[0].outcome is outcome


def test_every_way_to_the_end_gives_an_outcome_and_a_time() -> None:
    """There is no end without 'how' and 'when'."""
    ways = [pair for pair, following in TRANSITIONS.items() if State.ENDED in following]
    ended = [advance(in_state(state), said(event), NOON)[0] for state, event in ways]
    assert all(call.outcome is not None and call.ended_at == NOON for call in ended)


def test_a_claim_starts_a_new_attempt_and_a_dial_is_counted() -> None:
    """The record counts placings and dial requests apart."""
    claimed, _ = advance(a_call(), Report(Event.CLAIMED, room="the-room-1"), NOON)
    assert (claimed.attempt, claimed.dials, claimed.room, claimed.placing_at) == (1, 0, "the-room-1", NOON)
    dialing, _ = advance(claimed, Report(Event.DIALING), NOON)
    assert (dialing.attempt, dialing.dials, dialing.ringing_at) == (1, 1, NOON)


def test_a_second_attempt_has_not_rung_yet() -> None:
    """While my call is placed again, its record does not show the first attempt's ringing as if it were this one's."""
    waiting, _ = advance(in_state(State.RINGING), Report(Event.ATTEMPT_FAILED, Outcome.BUSY, retry_at=LATER), NOON)
    placed, _ = advance(waiting, Report(Event.CLAIMED, room="the-room-2"), LATER)
    assert (placed.attempt, placed.placing_at, placed.ringing_at, placed.worker_id) == (2, LATER, None, None)


def test_reason_and_sip_status_are_those_of_the_last_report() -> None:
    """I never read yesterday's busy tone next to today's answer."""
    failed, _ = advance(in_state(State.RINGING), Report(Event.ATTEMPT_FAILED, Outcome.BUSY, "Busy.", 486, LATER), NOON)
    assert (failed.reason, failed.sip_status_code) == ("Busy.", 486)
    claimed, _ = advance(failed, Report(Event.CLAIMED), LATER)
    assert (claimed.reason, claimed.sip_status_code) == ("", None)


def test_no_state_is_a_dead_end_but_the_last() -> None:
    """From every state a call can come to its end."""
    for state in State:
        following = {state}
        for _ in State:
            following |= {there for (here, _), them in TRANSITIONS.items() if here in following for there in them}
        assert State.ENDED in following
    assert not [here for here, _ in TRANSITIONS if here is State.ENDED]


def test_asking_what_follows_needs_no_call() -> None:
    """The table can be asked directly, which is how its drawing is made."""
    assert next_state(State.PLACING, Event.LOST, retry=True) is State.QUEUED
    assert next_state(State.PLACING, Event.LOST) is State.ENDED
    with pytest.raises(IllegalTransition):
        next_state(State.ENDED, Event.CLAIMED)
