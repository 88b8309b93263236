"""Phone numbers: parsed once at the door, E.164 inside, masked in logs. No policy here; the gate has that."""

import phonenumbers

from modules.calls.errors import InvalidNumber


def parse(text: str, default_region: str) -> str:
    """Return `text` as E.164 ("+12025550100"); raise InvalidNumber with the reason a person can act on.

    Only digits, spaces, dots, dashes, slashes and brackets after an optional "+" are read: letters, `sip:` or `tel:` URIs,
    `;ext=` and Unicode digits are refused, so that what is dialled is exactly what was approved.
    """
    cleaned = text.strip()
    if not cleaned or len(cleaned) > 32:
        raise InvalidNumber("A phone number has 3 to 32 characters.", field="to_number")
    if not all(character in "+0123456789 .-/()" for character in cleaned):
        raise InvalidNumber("A phone number holds digits, spaces, '.', '-', '/' and brackets only.", field="to_number")
    try:
        number = phonenumbers.parse(cleaned, default_region)
    except phonenumbers.NumberParseException as error:
        raise InvalidNumber(
            f"This is not a phone number: {_reason(error)} Write it as +<country><number>.", field="to_number"
        ) from None
    if number.extension or not phonenumbers.is_possible_number(number) or not phonenumbers.is_valid_number(number):
        raise InvalidNumber(
            "No such number exists in its country's numbering plan. Write it as +<country><number>.", field="to_number"
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _reason(error: phonenumbers.NumberParseException) -> str:
    if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return "the country code is missing or unknown."
    return "it is too short, too long or not a number."


def mask(number: str) -> str:
    """Return `number` as it may appear in a log: "+1202*****00". At least five characters are hidden, however short it is."""
    shown = min(5, len(number) - 7)
    if shown < 1:
        return "*" * len(number)
    return f"{number[:shown]}{'*' * (len(number) - shown - 2)}{number[-2:]}"


def region(e164: str) -> str | None:
    """Return the ISO country of an E.164 number ("US"), or None where it belongs to none (satellite, shared cost)."""
    code = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    return code if code and code != "001" else None


def kind(e164: str) -> str:
    """Return the number's kind in words: "mobile", "fixed line", "premium rate", "shared cost", ... ."""
    number_type = phonenumbers.number_type(phonenumbers.parse(e164))
    return phonenumbers.PhoneNumberType.to_string(number_type).replace("_", " ").lower()
