"""The keys of a telephone: how pressed ones read in a conversation, and which of them no record keeps. Pure."""

import re

KEYS = "0123456789*#"
"""A key's place is its code (RFC 4733, section 3.2)."""
MOST_KEYS = 32
"""Pressed at one go. The longest that people key in, an IBAN without its letters, has 32."""
_HIDDEN = "•"
_CARD = re.compile(r"\d{13,19}")  # ISO/IEC 7812-1
_CARDS_END = 4  # which may be shown, as on a receipt (PCI DSS 3.4.1)


def as_said(keys: str) -> str:
    """Return how a conversation tells that these keys were pressed: "pressed 1 2 #"."""
    return f"pressed {' '.join(keys)}"


def as_kept(keys: str, *, hidden: bool) -> str:
    """Return what a record holds of pressed keys, one mark for each: all are •, or those of a card number but for its end."""
    if hidden:
        return _HIDDEN * len(keys)
    return _CARD.sub(lambda found: _ending(found[0]) if _is_card(found[0]) else found[0], keys)


def _ending(number: str) -> str:
    return _HIDDEN * (len(number) - _CARDS_END) + number[-_CARDS_END:]


def _is_card(number: str) -> bool:
    """Whether the last digit proves the others, as it does for the numbers of cards (Luhn)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0
