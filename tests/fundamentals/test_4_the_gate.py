"""One function answers "may this number be dialled now?": yes, not before a time, or a refusal with a name."""

from datetime import UTC, datetime, time, timedelta

import pytest

from modules.calls import numbers
from modules.calls.errors import InvalidNumber
from modules.calls.gate import Allowed, NotBefore, Policy, Refusal, decide
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit

US_ONLY = Policy(frozenset({"US"}))


def test_a_number_is_read_once_at_the_door() -> None:
    """However it is typed, inside it is +<country><number>; what is not a number goes no further."""
    assert numbers.parse("(202) 555-0100", "US") == "+12025550100"
    with pytest.raises(InvalidNumber):
        numbers.parse("+12025550100;ext=9", "US")


def test_an_ordinary_number_is_dialled() -> None:
    """Yes."""
    assert decide(a_call(to_number="+12025550100"), US_ONLY, NOON) == Allowed()


@pytest.mark.parametrize("number", ["+19005550100", "+881612345678", "+18765290123", "+4930901820"])
def test_costly_and_unlisted_destinations_are_not(number: str) -> None:
    """Premium, satellite, a Caribbean +1, a country nobody allowed: no."""
    assert isinstance(decide(a_call(to_number=number), US_ONLY, NOON), Refusal)


def test_nobody_is_rung_at_night() -> None:
    """Calling hours are the callee's own: at midnight in New York the answer is eight in the morning there."""
    by_day = Policy(frozenset({"US"}), (time(8), time(21)))
    midnight = datetime(2026, 11, 21, 5, tzinfo=UTC)
    answer = decide(a_call(midnight, to_number="+12125550100"), by_day, midnight)
    assert isinstance(answer, NotBefore)
    assert answer.at == midnight + timedelta(hours=8)
