"""The part of Twilio that sells numbers: AvailablePhoneNumbers, IncomingPhoneNumbers and the Pricing API, in their shapes.

Asking for a number that the account has already answers 201 and changes nothing but its name, as Twilio does
(ex_twilio#116); so whoever asks twice for the same number has bought it once.
"""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.contracts.carriers.twilio_shapes import API, NOT_FOUND, Refusal, Thing, old_page, owned_number

GONE = Refusal(400, 21422, "PhoneNumber is not available")
ADDRESS = Refusal(400, 21631, "Phone Number Requires an Address but the 'AddressSid' parameter was empty.")
BUNDLE = Refusal(400, 21649, "Bundle required and not provided")


@dataclass(slots=True)
class NumberShop:
    """`owned` are the account's numbers by SID; `prices` of local numbers by country; `unlisted`: a purchase shows late."""

    owned: dict[str, Thing]
    shelf: dict[str, Thing] = field(default_factory=dict)
    prices: dict[str, str] = field(default_factory=lambda: {"US": "1.15", "DE": "1.00"})
    bought: list[str] = field(default_factory=list)
    unlisted: bool = False

    def sells(self, *phone_numbers: str, country: str = "US", address_requirements: str = "none", **more: Any) -> None:
        """Put numbers on the shelf."""
        for phone_number in phone_numbers:
            self.shelf[phone_number] = {
                "friendly_name": phone_number, "phone_number": phone_number, "lata": "236", "locality": "Washington",
                "rate_center": "WSHNGTNZN1", "latitude": "38.9", "longitude": "-77.0", "region": "DC", "postal_code": "20001",
                "iso_country": country, "address_requirements": address_requirements, "beta": False,
                "capabilities": {"voice": True, "SMS": True, "MMS": True},
            } | more  # fmt: skip

    def open(self, app: web.Application) -> None:
        """Add the addresses."""
        route = app.router.add_route
        route("GET", f"{API}/IncomingPhoneNumbers.json", self._owned)
        route("POST", f"{API}/IncomingPhoneNumbers.json", self._buy)
        route("DELETE", f"{API}/IncomingPhoneNumbers/{{sid}}.json", self._release)
        route("GET", f"{API}/AvailablePhoneNumbers/{{iso}}/Local.json", self._available)
        route("GET", "/v1/PhoneNumbers/Countries/{iso}", self._price)

    async def _owned(self, _: web.Request) -> web.Response:
        shown = [one for one in self.owned.values() if not (self.unlisted and one["phone_number"] in self.bought)]
        return old_page("incoming_phone_numbers", shown, "IncomingPhoneNumbers.json")

    async def _available(self, request: web.Request) -> web.Response:
        iso, wanted = request.match_info["iso"], request.query.get("Contains", "")
        if iso not in self.prices:
            return NOT_FOUND.answer()
        assert request.query["VoiceEnabled"] == "true"
        found = [one for number, one in self.shelf.items() if one["iso_country"] == iso and wanted in number]
        found = found[: int(request.query.get("PageSize", 50))]
        return old_page("available_phone_numbers", found, f"AvailablePhoneNumbers/{iso}/Local.json")

    async def _price(self, request: web.Request) -> web.Response:
        iso = request.match_info["iso"]
        if not self.prices.get(iso):
            return NOT_FOUND.answer()
        prices = [
            {"number_type": "mobile", "base_price": "3.00", "current_price": "3.00"},
            {"number_type": "local", "base_price": "9.00", "current_price": self.prices[iso]},
        ]
        told = {"country": iso, "iso_country": iso, "phone_number_prices": prices, "price_unit": "USD", "url": ""}
        return web.json_response(told)

    async def _buy(self, request: web.Request) -> web.Response:
        asked = await request.post()
        number, name = str(asked["PhoneNumber"]), str(asked["FriendlyName"])
        mine = next((one for one in self.owned.values() if one["phone_number"] == number), None)
        if mine:
            mine["friendly_name"] = name
            return web.json_response(mine, status=201)
        if number not in self.shelf:
            return GONE.answer()
        if self.shelf[number]["address_requirements"] != "none":
            return ADDRESS.answer()
        del self.shelf[number]
        made = owned_number(number, friendly_name=name)
        self.owned[made["sid"]] = made
        self.bought.append(number)
        return web.json_response(made, status=201)

    async def _release(self, request: web.Request) -> web.Response:
        del self.owned[request.match_info["sid"]]
        return web.Response(status=204)
