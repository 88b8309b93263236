"""The number to call from: one that the account has, or else one that is bought for it."""

from dataclasses import dataclass
from typing import Any, Self

from modules.calls.numbers import mask
from modules.sip_management.twilio.errors import TwilioTrouble
from modules.sip_management.twilio.found_or_made import BOUGHT, NUMBER, FoundOrMade
from modules.sip_management.twilio.purchase import Agrees, asked_for, bought, buy

_NONE = "add --buy COUNTRY, e.g. --buy US, which shows what is for sale and its price"


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the account and what answers it; without a SID, one that a dry run would buy."""

    sid: str
    phone_number: str
    trunk_sid: str = ""
    voice_application_sid: str = ""
    voice_url: str = ""

    @classmethod
    def of(cls, one: Any) -> Self:
        return cls(one.sid, one.phone_number, one.trunk_sid or "", one.voice_application_sid or "", one.voice_url or "")


async def choose(client: Any, things: FoundOrMade, number: str, buys: str, home: str, agrees: Agrees | None) -> Number:
    """Return `number`, or the account's only one, or what is bought: `buys` says what, else in the country `home`.

    `agrees` is asked before anything is bought, but where `buys` is a number; None: nobody is there. Raises TwilioTrouble.
    """
    owned = await client.incoming_phone_numbers.list_async()
    ours = bought(things.ledger, owned)
    if ours:
        detail = f"{ours.phone_number} was bought by this command before"
        things.keep(BOUGHT, mask(ours.phone_number), detail, ours.sid)
    calling = [one for one in owned if one.capabilities.get("voice")]
    named = buys if buys.startswith("+") else number
    if found := next((one for one in calling if one.phone_number == named), None):
        return Number.of(found)
    if ours and buys.startswith("+"):
        fix = "leave --buy out, or run ./voicefleet disconnect twilio first"
        raise TwilioTrouble(f"{ours.phone_number} was bought for this fleet before.", fix)
    if ours and (buys or not number):
        return Number.of(ours)
    if buys and NUMBER in things.ledger.things:
        what = things.ledger.things[NUMBER]["name"]
        raise TwilioTrouble(f"This fleet calls from {what} already.", "run ./voicefleet disconnect twilio first")
    lost = asked_for(things.ledger)
    if buys or (not (calling or number) and (agrees or things.dry_run or lost)):
        # Where a purchase may have been done already, another number is bought only if somebody names it.
        wanted = buys if buys.startswith("+") else lost or buys or home
        return Number(*await buy(client, things, wanted, agrees, named=buys.startswith("+")))
    return _only(calling, number)


def _only(calling: list[Any], wanted: str) -> Number:
    shown = ", ".join(mask(one.phone_number) for one in calling[:5])
    if not calling:
        raise TwilioTrouble("The account has no number that can call.", _NONE)
    if wanted:
        raise TwilioTrouble(f"{mask(wanted)} is not a number of this account; it has {shown}.", "choose one with --number")
    if len(calling) > 1:
        raise TwilioTrouble(f"The account has {len(calling)} numbers: {shown}.", "choose one with --number")
    return Number.of(calling[0])
