"""What somebody types becomes exactly one dialable number, or a clear no; and what is logged hides it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.calls import numbers
from modules.calls.errors import InvalidNumber

pytestmark = pytest.mark.unit

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@pytest.mark.parametrize(("text", "region", "expected"), [
    ("+12025550100", "US", "+12025550100"), ("2025550100", "US", "+12025550100"), ("(202) 555-0100", "US", "+12025550100"),
    ("+1 (202) 555.0100", "DE", "+12025550100"), ("  +1 202 555 0100 ", "US", "+12025550100"),
    ("1-202-555-0100", "US", "+12025550100"), ("030/901820", "DE", "+4930901820"), ("0049 30 901820", "DE", "+4930901820"),
    ("011 49 30 901820", "US", "+4930901820"), ("+49 (0)30 901820", "US", "+4930901820"),
    ("+39 06 1234567", "US", "+39061234567"), ("+442079460000", "US", "+442079460000"),
])  # fmt: skip
def test_the_ways_people_write_a_number(text: str, region: str, expected: str) -> None:
    """I type a number as I am used to and the right one is dialled."""
    assert numbers.parse(text, region) == expected


HOSTILE = [
    "", " ", "+", "0", "1", "911", "112", "+1911", "+49110", "abc", "call me", "+1202555010", "+120255501001",
    "+1202555010O", "1-800-FLOWERS", "+1202555０100", "+１２０２５５５０１００", "+١٢٠٢٥٥٥٠١٠٠", "＋12025550100",
    "sip:12025550100@evil.example", "sip:+12025550100", "tel:+12025550100", "+12025550100;ext=9", "+12025550100 ext 9",
    "+12025550100x9", "+12025550100,,9", "+12025550100#9", "+12025550100;phone-context=evil.example", "*67 2025550100",
    "#31#2025550100", "+12025550100\n+19005550100", "+12025550100\r\nTo: <sip:x>", "+12025550100\x00", "+12025550100%0a",
    "+1202555" + "0" * 20, "0" * 33, "+" + "9" * 31, "+1+2025550100", "+12025550100+19005550100", "12025550100/19005550100",
    "+999123456789", "+0012025550100", "0049 30 901820", "+1 976 555 0100", "+1 202 555 0100 5", "--------", "((((((((",
    "+1\u00a0202\u00a05550100", "+1\u200b2025550100", "\u202e+12025550100", "1e10", "٠٠", "+1 (555) 0100",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_not_exactly_one_number_is_refused(text: str) -> None:
    """Nobody smuggles a second number, an extension or another alphabet past the approval."""
    with pytest.raises(InvalidNumber) as refused:
        numbers.parse(text, "US")
    assert refused.value.field == "to_number"
    assert len(refused.value.message) > 20


@given(
    text=st.text(alphabet="+0123456789 .-/()abcx;=:*#,\u0661\uff11", max_size=40),
    region=st.sampled_from(["US", "DE", "GB", "IT"]),
)
def test_whatever_is_typed_the_result_is_canonical_or_refused(text: str, region: str) -> None:
    """What comes out of the door is E.164, and stays the same when it is read again."""
    try:
        number = numbers.parse(text, region)
    except InvalidNumber:
        return
    assert E164.fullmatch(number)
    assert numbers.parse(number, "FR") == number


@given(number=st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z"), region=st.sampled_from(["US", "DE"]))
def test_a_number_in_international_form_is_never_turned_into_another(number: str, region: str) -> None:
    """If I wrote the country, the digits dialled begin with the digits I wrote."""
    try:
        assert numbers.parse(number, region)[:3] == number[:3]
    except InvalidNumber:
        return


@given(number=st.from_regex(r"\A\+?[0-9]{0,20}\Z"))
def test_a_masked_number_hides_at_least_five_digits(number: str) -> None:
    """A log line never lets me guess a number from what it shows."""
    masked = numbers.mask(number)
    shown = [position for position, character in enumerate(masked) if character != "*"]
    assert len(masked) == len(number)
    assert all(position < 5 or position >= len(number) - 2 for position in shown)
    assert masked.count("*") >= min(5, len(number))


def test_a_mask_shows_country_area_and_the_last_two_digits() -> None:
    """Enough to tell two calls apart, not enough to dial."""
    assert numbers.mask("+12025550100") == "+1202*****00"
    assert numbers.mask("+4912345") == "+*****45"


@pytest.mark.parametrize("region", ["us", "XX", "", "USA"])
def test_a_region_nobody_knows_gives_a_clear_answer(region: str) -> None:
    """A wrong DEFAULT_REGION is told as what it is: the country is unknown."""
    with pytest.raises(InvalidNumber, match="country code is missing or unknown"):
        numbers.parse("2025550100", region)
