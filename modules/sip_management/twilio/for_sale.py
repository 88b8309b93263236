"""What Twilio has for sale: local numbers that can call, each with its price a month. Nothing is bought here.

Resources: AvailablePhoneNumbers/{country}/Local, and PhoneNumbers/Countries/{country} of the Pricing API, v1.
"""

from dataclasses import dataclass
from typing import Any

from modules.calls import numbers
from modules.sip_management.twilio.errors import NOT_FOR_SALE, NOT_FOUND, PAPERS, TwilioTrouble

_SEARCH = "https://console.twilio.com/us1/develop/phone-numbers/manage/search"
_SEEN = 20
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Offer:
    """A number for sale; `price` is of one month, e.g. "1.15 USD". `others` are for sale at the same price."""

    phone_number: str
    place: str
    price: str
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.phone_number}{f' ({self.place})' if self.place else ''} for {self.price} a month"


async def look_for(client: Any, wanted: str) -> Offer:
    """Return an offer of a country (two letters), or of one number (E.164). Raises TwilioTrouble where there is none."""
    named = wanted.startswith("+")
    country = (numbers.region(wanted) or "") if named else wanted
    found = await _found(client, country, wanted if named else "") if country else []
    if not found:
        if named:
            fix = f"choose another: --buy {country} shows some" if country else f"choose another at {_SEARCH}"
            raise TwilioTrouble(f"{wanted} is not for sale at Twilio as a local number.", fix, code=NOT_FOR_SALE)
        fix = f"look for another kind at {_SEARCH}, buy it there, then run this without --buy"
        raise TwilioTrouble(f"Twilio has no local number of {country} for sale that can call.", fix)
    free = [one for one in found if one.address_requirements == "none"]
    if not free:
        what = wanted if named else f"each local number of {country}"
        raise TwilioTrouble(f"Twilio sells {what} only to an address or with papers, which this command cannot give.", PAPERS)
    place = ", ".join(name for name in (free[0].locality, free[0].region, country) if name)
    others = tuple(str(one.phone_number) for one in free[1 : _SHOWN + 1])
    return Offer(str(free[0].phone_number), place, await _price(client, country), others)


async def _found(client: Any, country: str, number: str) -> list[Any]:
    only = {"contains": number} if number else {}
    try:
        found = await client.available_phone_numbers(country).local.list_async(voice_enabled=True, limit=_SEEN, **only)
    except TwilioTrouble as error:
        if error.code == NOT_FOUND:  # a country without local numbers has no such page
            return []
        raise
    return [one for one in found if not number or one.phone_number == number]


async def _price(client: Any, country: str) -> str:
    """Return the price of a local number as this account pays it. Nobody is asked to buy at an unknown price."""
    try:
        told = await client.pricing.v1.phone_numbers.countries(country).fetch_async()
    except TwilioTrouble as error:
        if error.code != NOT_FOUND:
            raise
        told = None
    listed = (told.phone_number_prices or ()) if told else ()
    price = next((one["current_price"] for one in listed if one["number_type"] == "local"), None)
    if told is None or price is None:
        raise TwilioTrouble(f"Twilio's price list has no local number of {country}.", f"see the price and buy it at {_SEARCH}")
    return f"{price} {told.price_unit.upper()}"
