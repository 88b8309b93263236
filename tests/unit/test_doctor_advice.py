"""After a call that failed: one line what to do, and the checks that can tell more."""

import pytest

from modules.calls import Outcome
from modules.calls.advice import BY_OUTCOME, advice
from modules.calls.advice import BY_SIP_CODE as STEPS
from modules.calls.outcomes import BY_SIP_CODE
from modules.doctor import CHECKS

pytestmark = pytest.mark.unit

NO_FAULT = {Outcome.COMPLETED, Outcome.VOICEMAIL, Outcome.CANCELED, Outcome.TRANSFERRED}
HUMAN = {487, 491, 600}


def test_a_403_names_the_country_and_where_to_open_it() -> None:
    """The failure that nobody could explain."""
    told = advice(Outcome.CARRIER_REJECTED, 403, "+4930123456")
    assert told
    assert "may not call +49: open its geo permissions" in told.next_step
    assert told.checks[0] == "geo_permission"


def test_every_refusal_with_a_sentence_has_a_next_step() -> None:
    """Whatever the network answers, I am not left with a number; where somebody took the call back, nothing is to be done."""
    assert set(BY_SIP_CODE) - HUMAN <= set(STEPS)
    assert len(STEPS) >= 25


def test_every_outcome_that_is_somebodys_fault_has_a_next_step() -> None:
    """A busy phone is nobody's fault; a missing worker is."""
    for outcome in Outcome:
        told = advice(outcome, None, "+12025550100")
        assert (told is not None) == (outcome in BY_OUTCOME)
        assert not (told and outcome in NO_FAULT)


def test_an_advice_names_only_checks_that_exist() -> None:
    """`doctor --call` can run them."""
    named = {name for table in (STEPS, BY_OUTCOME) for one in table.values() for name in one.checks}
    assert named <= {check.name for check in CHECKS}


def test_the_number_itself_is_not_repeated() -> None:
    """The next step may be logged; the callee's number may not."""
    assert all("30123456" not in (told.next_step if (told := advice(None, code, "+4930123456")) else "") for code in STEPS)
