"""Each way in which Twilio refuses, as a sentence: whose fault it is and what to do next.

Codes: https://www.twilio.com/docs/api/errors. A code that is not in the table is told in Twilio's own words.
"""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Whose fault it is."""

    YOURS = "yours"
    """Something in the account or in .env has to change."""
    TWILIOS = "twilio's"
    """Wait and run it again."""
    NETWORKS = "the network's"
    """Something between here and Twilio."""


class TwilioTrouble(Exception):
    """Twilio could not do what was asked. What was made so far is in the ledger; the same command goes on from there."""

    def __init__(self, sentence: str, fix: str, *, fault: Fault = Fault.YOURS, code: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fix = fix
        self.fault = fault
        self.code = code


@dataclass(frozen=True, slots=True)
class _Meaning:
    sentence: str
    fix: str
    fault: Fault = Fault.YOURS


_AGAIN = "run the same command again; it goes on where it stopped"
_INACTIVE = _Meaning("This Twilio account is not active.", "console.twilio.com says what Twilio wants first: a payment, a check")

PAPERS = (
    "give the address or papers at https://console.twilio.com/us1/develop/phone-numbers/regulatory-compliance/bundles, "
    "buy the number in the console, then run the same command without --buy"
)
_PAPERS = _Meaning("This number is sold only to an address or with papers that the country's rules ask for.", PAPERS)

NOT_FOUND, NOT_FOR_SALE = 20404, 21422
MEANINGS: dict[int, _Meaning] = {
    10001: _INACTIVE,
    10002: _Meaning(
        "A trial account may not do this: it has one number and one trunk.",
        "upgrade the account at console.twilio.com, or free the one it has",
    ),
    20003: _Meaning(
        "Twilio does not accept TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN.",
        "copy both again from the front page of console.twilio.com into .env, without spaces",
    ),
    20005: _INACTIVE,
    20006: _Meaning(
        "This Twilio account or sub-account may not touch that.", "use the credentials of the account that owns the number"
    ),
    20008: _Meaning(
        "These are Twilio's test credentials; they can make nothing.", "use the live Account SID and Auth Token in .env"
    ),
    NOT_FOUND: _Meaning("Twilio does not know this (any more).", _AGAIN),
    20429: _Meaning("Twilio answers too many requests of this account at once and did not do this one.", _AGAIN, Fault.TWILIOS),
    20500: _Meaning("Twilio failed.", _AGAIN, Fault.TWILIOS),
    21240: _Meaning(
        "Twilio refused the list of SIP users: one of this name exists, or a user or password is not as it wants them.",
        "choose another --name",
    ),
    21421: _Meaning("This is not a number that Twilio could sell.", "write it as +12025550142, or --buy COUNTRY shows some"),
    NOT_FOR_SALE: _Meaning("The number is not for sale (any more).", "--buy COUNTRY offers another"),
    21615: _PAPERS,
    21631: _PAPERS,
    21649: _PAPERS,
    22300: _Meaning(
        "Twilio does not let this account buy numbers for now.", "write to verifymyaccount@twilio.com, with the Account SID"
    ),
    21247: _Meaning(
        "Other addresses hang on this trunk's domain.", "delete those at console.twilio.com, then run the same command again"
    ),
    21248: _Meaning(
        "The trunk's domain is taken: somebody has it, or it was deleted less than 30 days ago.", "choose another --name"
    ),
}


def trouble(status: int, code: int | None, message: str) -> TwilioTrouble:
    """Return what an answer of Twilio's means. `message` is Twilio's own."""
    known = MEANINGS.get(code or 0) or MEANINGS.get({401: 20003, 404: NOT_FOUND, 429: 20429}.get(status, 0))
    if known is None and status >= 500:
        known = MEANINGS[20500]
    if known is None:
        more = f"read https://www.twilio.com/docs/api/errors/{code}" if code and code != status else "look at console.twilio.com"
        return TwilioTrouble(f"Twilio refused ({status}): {message}", more, code=code)
    return TwilioTrouble(f"{known.sentence} ({code or status})", known.fix, fault=known.fault, code=code)


def unreachable(error: BaseException) -> TwilioTrouble:
    """Return what a lost connection means: the request may or may not have been done."""
    return TwilioTrouble(
        f"Twilio cannot be reached ({type(error).__name__}).", f"check this machine's way to the internet, then {_AGAIN}",
        fault=Fault.NETWORKS,
    )  # fmt: skip
