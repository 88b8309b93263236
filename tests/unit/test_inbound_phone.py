"""What a phone network says about a caller, and what we make of it."""

import pytest

from modules.sip_management.phone import Phone

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("told", "understood"),
    [
        ("+12025550111", "+12025550111"),
        ("12025550111", "+12025550111"),
        ("2025550111", "+12025550111"),
        ("+49 30 12345678", "+493012345678"),
        ("1000", "1000"),
        ("anonymous", ""),
        ("", ""),
        ("+1202555011100000000", ""),
        ("x" * 500, ""),
    ],
)
def test_a_number_is_understood_or_hidden(told: str, understood: str) -> None:
    """However my carrier writes a number, I see it as E.164; what is no number is none."""
    phone = Phone.of("sip_x", {"sip.phoneNumber": told, "sip.trunkPhoneNumber": told}, "US")
    assert (phone.caller, phone.called) == (understood, understood)


def test_a_simulated_phone_is_marked() -> None:
    """Nobody takes a simulated call for a real one."""
    assert Phone.of("sip_x", {"sip.simulated": "true"}, "US").simulated
    assert not Phone.of("sip_x", {}, "US").simulated
