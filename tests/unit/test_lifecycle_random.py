"""Events in any order, from parties that know nothing of each other: what a call's machine promises holds all the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from modules.calls import TRANSITIONS, Call, Disposition, Event, Outcome, Report, State, advance
from modules.calls.errors import IllegalTransition
from modules.calls.outcomes import RETRY, Retry
from modules.calls.retry import retry_at
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit

STEP = timedelta(seconds=7)


class AnyOrder(RuleBasedStateMachine):
    """One call. The model beside it counts what happened; it knows the promises, not the code."""

    def __init__(self) -> None:
        super().__init__()
        self.call: Call = a_call()
        self.now = NOON
        self.claims = 0
        self.dialled = 0
        self.final: Call | None = None
        self.lost_while_ringing = False

    @initialize(attempts=st.integers(1, 4))
    def accepted(self, attempts: int) -> None:
        self.call = replace(a_call(), max_attempts=attempts)

    def tell(self, report: Report) -> None:
        before = self.call
        self.now += STEP
        try:
            self.call, disposition = advance(before, report, self.now)
        except IllegalTransition:
            assert before.state is not State.ENDED
            return
        assert (disposition is Disposition.REPEATED) == (before.state is State.ENDED)
        if disposition is Disposition.REPEATED:
            assert self.call is before
            return
        assert self.call.state in TRANSITIONS[before.state, report.event]
        self.claims += report.event is Event.CLAIMED
        self.dialled += report.event is Event.DIALING
        if before.state is State.RINGING and report.event is Event.LOST:
            self.lost_while_ringing = True
        if before.state is State.RINGING and self.call.state is State.QUEUED:
            assert self.call.last_outcome and RETRY[self.call.last_outcome] is not Retry.NEVER
        if self.call.state is State.ENDED:
            assert self.final is None
            self.final = self.call

    @rule(event=st.sampled_from([event for event in Event if event is not Event.ATTEMPT_FAILED]))
    def somebody_says(self, event: Event) -> None:
        self.tell(Report(event, room="a-room"))

    @rule(outcome=st.sampled_from(Outcome))
    def an_attempt_fails(self, outcome: Outcome) -> None:
        self.tell(Report(Event.ATTEMPT_FAILED, outcome, retry_at=retry_at(self.call, outcome, self.now)))

    @rule(outcome=st.sampled_from(Outcome))
    def somebody_insists_on_another_try(self, outcome: Outcome) -> None:
        self.tell(Report(Event.ATTEMPT_FAILED, outcome, retry_at=self.now + STEP))

    @rule(event=st.sampled_from(Event), outcome=st.sampled_from([None, *Outcome]), soon=st.booleans())
    def somebody_says_nonsense(self, event: Event, outcome: Outcome | None, soon: bool) -> None:
        self.tell(Report(event, outcome, retry_at=self.now + STEP if soon else None))

    @rule()
    def the_next_step_is_taken(self) -> None:
        """Without this, random events would seldom get a call as far as an answer."""
        ahead = {State.QUEUED: Event.CLAIMED, State.PLACING: Event.DIALING, State.RINGING: Event.ANSWERED}
        if self.call.state in ahead:
            self.tell(Report(ahead[self.call.state], room="a-room"))

    @invariant()
    def there_is_one_end_and_it_never_changes(self) -> None:
        assert (self.final is None) == (self.call.state is not State.ENDED)
        assert self.final is None or self.call == self.final
        assert (self.call.outcome is None) == (self.call.ended_at is None) == (self.final is None)

    @invariant()
    def no_attempt_dials_twice(self) -> None:
        assert self.call.attempt == self.claims
        assert self.call.dials == self.dialled <= self.call.attempt

    @invariant()
    def a_call_lost_while_it_rang_is_over(self) -> None:
        assert not self.lost_while_ringing or self.call.outcome is not None


AnyOrder.TestCase.settings = settings(stateful_step_count=40)
test_events_in_any_order = AnyOrder.TestCase
