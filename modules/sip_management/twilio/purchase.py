"""Buying a number, once. A purchase is money, and Twilio's API has no idempotency key.

So the very number is written into the ledger before it is asked for, and it is bought under our name. A run whose answer was
lost looks for that number and that name first; if neither is there, it can only ask for that same number again, which nobody
can sell twice. Asking for another one needs a person who names it.
"""

from collections.abc import Callable
from typing import Any

from modules.calls.numbers import mask
from modules.sip_management.twilio.errors import NOT_FOR_SALE, Fault, TwilioTrouble
from modules.sip_management.twilio.for_sale import Offer, look_for
from modules.sip_management.twilio.found_or_made import BOUGHT, FoundOrMade
from modules.sip_management.twilio.ledger import Ledger
from modules.sip_management.twilio.steps import Did, Step

Agrees = Callable[[Offer], bool]
"""Whoever says yes or no to an offer."""

OWNED = "https://console.twilio.com/us1/develop/phone-numbers/manage/incoming"


def asked_for(ledger: Ledger) -> str:
    """Return the number that was asked for while nobody knows what came of it, "" for none."""
    return str(ledger.things.get(BOUGHT, {}).get("asked_for", ""))


def bought(ledger: Ledger, owned: list[Any]) -> Any:
    """Return the account's number that was bought by us: by the ledger, by our name, or as the one that was asked for."""
    sid, number = ledger.sid(BOUGHT), asked_for(ledger)
    known = [one for one in owned if one.sid == sid] or [one for one in owned if one.friendly_name == ledger.marker]
    return next(iter(known or [one for one in owned if one.phone_number == number]), None)


async def buy(client: Any, things: FoundOrMade, wanted: str, agrees: Agrees | None, *, named: bool) -> tuple[str, str]:
    """Buy a local number; return its SID ("" in a dry run) and the number. Raises TwilioTrouble.

    `wanted` is a country (two letters) or a number in E.164. `agrees` is asked unless it is `named`: then naming was the yes.
    """
    offer = await _offer(client, things, wanted)
    if things.dry_run:
        fix = f"--buy {offer.phone_number} buys this very one, without a question"
        things.tell(Step("bought number", Did.WOULD_MAKE, str(offer), fix))
        return "", offer.phone_number
    if agrees is None and not named:
        raise TwilioTrouble(f"{offer} is for sale, and nobody is here to say yes.", f"--buy {offer.phone_number} buys it")
    if agrees and not named and not agrees(offer):
        raise TwilioTrouble("No number was bought.", "choose one with --buy NUMBER, or another country with --buy COUNTRY")

    async def make() -> str:
        made = await client.incoming_phone_numbers.create_async(
            phone_number=offer.phone_number, friendly_name=things.ledger.marker
        )
        return str(made.sid)

    again = asked_for(things.ledger) == offer.phone_number
    try:
        sid = await things.make(BOUGHT, mask(offer.phone_number), f"bought {offer}", make, asked_for=offer.phone_number)
    except TwilioTrouble as error:
        # A refusal says that nothing was bought; but not whether the run before, whose answer was lost, has bought it.
        if error.fault is Fault.YOURS and not (again and error.code == NOT_FOR_SALE):
            things.ledger.forget(BOUGHT)
        raise
    return str(sid), offer.phone_number


async def _offer(client: Any, things: FoundOrMade, wanted: str) -> Offer:
    try:
        return await look_for(client, wanted)
    except TwilioTrouble as error:
        if error.code != NOT_FOR_SALE or wanted != asked_for(things.ledger):
            raise
    raise TwilioTrouble(
        f"An earlier run asked Twilio for {wanted} and its answer was lost; by now it is neither in the account nor for sale.",
        f"look at {OWNED} in some minutes and run this again; only if it is not there, name another with --buy NUMBER",
        fault=Fault.TWILIOS,
    )
