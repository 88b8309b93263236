"""A text message that is nothing but a carrier's word for stop; everything else is an answer."""

import pytest

from modules.calls.opt_out import WORDS, asks_not_to_be_called

pytestmark = pytest.mark.unit


ALSO = ("STOP", "Stop!", " stop \n", "STOP ALL", "opt-out", "Opt Out.", "STOPP!!", "\u201eStopp\u201c")


@pytest.mark.parametrize("text", [*sorted(WORDS), *ALSO])
def test_whoever_says_stop_is_understood(text: str) -> None:
    """However my callee writes it."""
    assert asks_not_to_be_called(text)


@pytest.mark.parametrize("text", [
    "", "...", "Please stop by at five.", "The bus stop", "We cannot end before six", "don't stop", "stopwatch", "weekend", "Yes",
    "Nicht mehr", "START", "x" * 5000,
])  # fmt: skip
def test_an_answer_is_no_wish_to_be_left_alone(text: str) -> None:
    """A sentence in which such a word happens to stand stays a sentence."""
    assert not asks_not_to_be_called(text)
