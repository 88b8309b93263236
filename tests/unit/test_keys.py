"""Keys of a telephone as a conversation tells them, and which of them no record keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.conversation.keys import KEYS, as_kept, as_said

pytestmark = pytest.mark.unit

PRESSED = st.text(KEYS, min_size=1, max_size=32)
# Numbers that card networks publish for tests.
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4222222222222"]


def test_keys_read_as_what_was_done() -> None:
    """A model and a person read the same."""
    assert as_said("12#") == "pressed 1 2 #"


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("around", ["{}", "{}#", "*{}#"])
def test_of_a_card_number_only_the_end_is_kept(card: str, around: str) -> None:
    """As on a receipt; the keys around it stay."""
    kept = as_kept(around.format(card), hidden=False)
    assert kept == around.format("•" * (len(card) - 4) + card[-4:])


@pytest.mark.parametrize("number", ["1", "0000", "12#", "4930123456789", "4111111111111112"])
def test_other_keys_are_kept_as_they_are(number: str) -> None:
    """A choice, a birthday, a telephone number: the call is about them."""
    assert as_kept(number, hidden=False) == number


@given(PRESSED)
def test_hidden_keys_leave_their_number_and_nothing_else(keys: str) -> None:
    """A personality that asks for a PIN keeps none."""
    assert as_kept(keys, hidden=True) == "•" * len(keys)


@given(PRESSED)
def test_a_record_has_as_many_marks_as_keys_were_pressed(keys: str) -> None:
    """Nothing is left out, and no key becomes another."""
    kept = as_kept(keys, hidden=False)
    assert len(kept) == len(keys)
    assert all(mark in ("•", key) for mark, key in zip(kept, keys, strict=True))
