"""A stand-in for Twilio's REST API: real requests over a real socket, its shapes and its errors, one account in memory.

Shapes: twilio-python's recorded answers, and sip-trunking/api, voice/api, phone-numbers/api of https://www.twilio.com/docs.
It knows no phones. `refusals` are what a test wants to be answered instead; `cut` is the change at which the line is cut.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.contracts.carriers.number_shop import NumberShop
from tests.contracts.carriers.twilio_shapes import (
    ACCOUNT,
    API,
    BAD_AUTH,
    NOT_FOUND,
    TAKEN,
    TOKEN,
    TOO_MANY,
    TRIAL,
    Refusal,
    Thing,
    old_page,
    owned_number,
    sid,
)

__all__ = ["ACCOUNT", "API", "BAD_AUTH", "NOT_FOUND", "TAKEN", "TOKEN", "TOO_MANY", "TRIAL", "Refusal", "TwilioServer", "sid"]


@dataclass(slots=True)
class TwilioServer:
    """One account. `asked` is every request as "METHOD path"; `refusals` are answered once each, by "METHOD path ending"."""

    status: str = "active"
    type: str = "Full"
    lists: dict[str, Thing] = field(default_factory=dict)
    users: dict[str, dict[str, Thing]] = field(default_factory=dict)
    trunks: dict[str, Thing] = field(default_factory=dict)
    trunk_lists: dict[str, dict[str, Thing]] = field(default_factory=dict)
    origination: dict[str, dict[str, Thing]] = field(default_factory=dict)
    numbers: dict[str, Thing] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    passwords: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refusals: list[tuple[str, Refusal]] = field(default_factory=list)
    cut: int | None = None
    cut_before_it_is_done: bool = False
    changes: int = 0
    url: str = ""
    shop: NumberShop = field(init=False)
    _runner: web.AppRunner | None = None

    def __post_init__(self) -> None:
        self.shop = NumberShop(self.numbers)

    async def open(self) -> None:
        """Listen on a free port of this machine."""

        @web.middleware
        async def at_the_door(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._at_the_door(request, handler)

        app = web.Application(middlewares=[at_the_door])
        route = app.router.add_route
        route("GET", f"{API}.json", self._account)
        self.shop.open(app)
        route("POST", f"{API}/IncomingPhoneNumbers/{{sid}}.json", self._update_number)
        route("GET", f"{API}/SIP/CredentialLists.json", self._lists)
        route("POST", f"{API}/SIP/CredentialLists.json", self._make_list)
        route("DELETE", f"{API}/SIP/CredentialLists/{{sid}}.json", self._delete_list)
        route("GET", f"{API}/SIP/CredentialLists/{{sid}}/Credentials.json", self._users)
        route("POST", f"{API}/SIP/CredentialLists/{{sid}}/Credentials.json", self._make_user)
        route("POST", f"{API}/SIP/CredentialLists/{{sid}}/Credentials/{{user}}.json", self._update_user)
        route("DELETE", f"{API}/SIP/CredentialLists/{{sid}}/Credentials/{{user}}.json", self._delete_user)
        route("GET", "/v1/Trunks", self._trunks)
        route("POST", "/v1/Trunks", self._make_trunk)
        route("DELETE", "/v1/Trunks/{sid}", self._delete_trunk)
        for path, kept, make in (
            ("CredentialLists", self.trunk_lists, self._attach_list),
            ("OriginationUrls", self.origination, self._make_url),
        ):
            route("GET", f"/v1/Trunks/{{sid}}/{path}", self._listing(path, kept))
            route("POST", f"/v1/Trunks/{{sid}}/{path}", make)
        route("POST", "/v1/Trunks/{sid}/OriginationUrls/{url}", self._update_url)
        route("GET", "/v1/Trunks/{sid}/PhoneNumbers", self._trunk_numbers)
        route("POST", "/v1/Trunks/{sid}/PhoneNumbers", self._attach_number)
        route("DELETE", "/v1/Trunks/{sid}/PhoneNumbers/{number}", self._detach_number)
        route("GET", "/v1/DialingPermissions/Countries/{iso}", self._country)
        route("POST", "/v1/DialingPermissions/BulkCountryUpdates", self._countries)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    def has_number(self, phone_number: str, **more: Any) -> Thing:
        """Give the account a number."""
        number = owned_number(phone_number, **more)
        self.numbers[str(number["sid"])] = number
        return number

    def has_trunk(self, friendly_name: str, domain: str = "theirs.pstn.twilio.com") -> Thing:
        """Give the account a trunk."""
        made: Thing = {
            "sid": sid("TK"), "account_sid": ACCOUNT, "domain_name": domain, "friendly_name": friendly_name, "secure": False,
            "disaster_recovery_method": None, "disaster_recovery_url": None, "cnam_lookup_enabled": False,
            "recording": {"mode": "do-not-record", "trim": "do-not-trim"}, "transfer_mode": "disable-all",
            "transfer_caller_id": "from-transferee", "auth_type": "", "auth_type_set": [], "links": {},
            "date_created": "2015-01-02T11:23:45Z", "date_updated": "2015-01-02T11:23:45Z", "url": "",
        }  # fmt: skip
        self.trunks[made["sid"]] = made
        return made

    def contents(self) -> Any:
        """Return everything in the account that a set-up could have changed."""
        kept = (self.lists, self.users, self.trunks, self.trunk_lists, self.origination, self.numbers, sorted(self.closed))
        return json.loads(json.dumps(kept))

    async def _at_the_door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        asked = f"{request.method} {request.path}"
        self.asked.append(asked)
        expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return BAD_AUTH.answer()
        for number, (ending, refusal) in enumerate(self.refusals):
            if asked.startswith(ending.partition(" ")[0]) and asked.endswith(ending.partition(" ")[2]):
                del self.refusals[number]
                return refusal.answer()
        self.changes += request.method != "GET"
        cut = request.method != "GET" and self.changes == self.cut
        try:
            if not (cut and self.cut_before_it_is_done):
                answer: web.StreamResponse = await handler(request)
        except KeyError:
            return NOT_FOUND.answer()
        if cut:
            assert request.transport
            request.transport.abort()  # whether it was done or not, nobody hears of it
            return web.Response(status=204)
        return answer

    async def _account(self, _: web.Request) -> web.Response:
        told = {"sid": ACCOUNT, "friendly_name": "Mine", "status": self.status, "type": self.type, "owner_account_sid": ACCOUNT,
                "auth_token": "hidden", "subresource_uris": {}, "uri": f"{API}.json",
                "date_created": "Thu, 30 Jul 2015 20:00:00 +0000", "date_updated": "Thu, 30 Jul 2015 20:00:00 +0000"}  # fmt: skip
        return web.json_response(told)

    def _page(self, key: str, items: list[Thing], path: str) -> web.Response:
        meta = {"first_page_url": path, "key": key, "next_page_url": None, "page": 0, "page_size": 50, "previous_page_url": None,
                "url": path}  # fmt: skip
        return web.json_response({"meta": meta, key: items})

    async def _update_number(self, request: web.Request) -> web.Response:
        number = self.numbers[request.match_info["sid"]]
        number["voice_application_sid"] = (await request.post())["VoiceApplicationSid"]
        return web.json_response(number)

    async def _lists(self, _: web.Request) -> web.Response:
        return old_page("credential_lists", list(self.lists.values()), "SIP/CredentialLists.json")

    async def _make_list(self, request: web.Request) -> web.Response:
        name = (await request.post())["FriendlyName"]
        if any(one["friendly_name"] == name for one in self.lists.values()):
            return Refusal(400, 21240, "Credential List Validation Error").answer()
        made = self._dated({"sid": sid("CL"), "friendly_name": name})
        self.lists[made["sid"]], self.users[made["sid"]] = made, {}
        return web.json_response(made, status=201)

    async def _delete_list(self, request: web.Request) -> web.Response:
        del self.lists[request.match_info["sid"]], self.users[request.match_info["sid"]]
        return web.Response(status=204)

    async def _users(self, request: web.Request) -> web.Response:
        path = f"SIP/CredentialLists/{request.match_info['sid']}/Credentials.json"
        return old_page("credentials", list(self.users[request.match_info["sid"]].values()), path)

    async def _make_user(self, request: web.Request) -> web.Response:
        asked, users = await request.post(), self.users[request.match_info["sid"]]
        name, password = str(asked["Username"]), str(asked["Password"])
        if len(name) > 32 or not _good(password) or any(one["username"] == name for one in users.values()):
            return Refusal(400, 21240, "Credential List Validation Error").answer()
        made = self._dated({"sid": sid("CR"), "username": name, "credential_list_sid": request.match_info["sid"]})
        users[made["sid"]], self.passwords[name] = made, password
        return web.json_response(made, status=201)

    async def _update_user(self, request: web.Request) -> web.Response:
        user = self.users[request.match_info["sid"]][request.match_info["user"]]
        password = str((await request.post())["Password"])
        self.passwords[user["username"]] = password
        return web.json_response(user) if _good(password) else Refusal(400, 21240, "Credential List Validation Error").answer()

    async def _delete_user(self, request: web.Request) -> web.Response:
        del self.users[request.match_info["sid"]][request.match_info["user"]]
        return web.Response(status=204)

    async def _trunks(self, _: web.Request) -> web.Response:
        return self._page("trunks", list(self.trunks.values()), "/v1/Trunks")

    async def _make_trunk(self, request: web.Request) -> web.Response:
        asked = await request.post()
        domain = str(asked["DomainName"])
        if domain in self.taken or any(one["domain_name"] == domain for one in self.trunks.values()):
            return TAKEN.answer()
        made = self.has_trunk(str(asked["FriendlyName"]), domain) | {"transfer_mode": asked["TransferMode"]}
        self.trunks[made["sid"]] = made
        return web.json_response(made, status=201)

    async def _delete_trunk(self, request: web.Request) -> web.Response:
        gone = request.match_info["sid"]
        self.taken.add(self.trunks.pop(gone)["domain_name"])
        self.trunk_lists.pop(gone, None)
        self.origination.pop(gone, None)
        for number in self.numbers.values():
            number["trunk_sid"] = None if number["trunk_sid"] == gone else number["trunk_sid"]
        return web.Response(status=204)

    def _listing(self, path: str, kept: dict[str, dict[str, Thing]]) -> Any:
        key = {"CredentialLists": "credential_lists", "OriginationUrls": "origination_urls"}[path]

        async def listed(request: web.Request) -> web.Response:
            trunk = self.trunks[request.match_info["sid"]]["sid"]
            return self._page(key, list(kept.get(trunk, {}).values()), f"/v1/Trunks/{trunk}/{path}")

        return listed

    async def _attach_list(self, request: web.Request) -> web.Response:
        trunk, found = self.trunks[request.match_info["sid"]], self.lists[str((await request.post())["CredentialListSid"])]
        attached = {"sid": found["sid"], "trunk_sid": trunk["sid"], "friendly_name": found["friendly_name"], "url": ""}
        self.trunk_lists.setdefault(trunk["sid"], {})[found["sid"]] = attached | _DATES
        return web.json_response(attached | _DATES, status=201)

    async def _make_url(self, request: web.Request) -> web.Response:
        trunk, asked = self.trunks[request.match_info["sid"]], await request.post()
        made = {
            "sid": sid("OU"), "trunk_sid": trunk["sid"], "friendly_name": asked["FriendlyName"], "sip_url": asked["SipUrl"],
            "weight": int(str(asked["Weight"])), "priority": int(str(asked["Priority"])), "enabled": True, "url": "",
        }  # fmt: skip
        self.origination.setdefault(trunk["sid"], {})[str(made["sid"])] = made | _DATES
        return web.json_response(made | _DATES, status=201)

    async def _update_url(self, request: web.Request) -> web.Response:
        url = self.origination[request.match_info["sid"]][request.match_info["url"]]
        url["sip_url"] = (await request.post())["SipUrl"]
        return web.json_response(url)

    async def _trunk_numbers(self, request: web.Request) -> web.Response:
        trunk = self.trunks[request.match_info["sid"]]["sid"]
        attached = [_as_trunk_number(one) for one in self.numbers.values() if one["trunk_sid"] == trunk]
        return self._page("phone_numbers", attached, f"/v1/Trunks/{trunk}/PhoneNumbers")

    async def _attach_number(self, request: web.Request) -> web.Response:
        number = self.numbers[str((await request.post())["PhoneNumberSid"])]
        # "Setting a trunk_sid will automatically delete your voice_application_sid": docs, IncomingPhoneNumber resource
        number |= {"trunk_sid": self.trunks[request.match_info["sid"]]["sid"], "voice_application_sid": ""}
        return web.json_response(_as_trunk_number(number), status=201)

    async def _detach_number(self, request: web.Request) -> web.Response:
        number = self.numbers[request.match_info["number"]]
        number["trunk_sid"] = None
        return web.Response(status=204)

    async def _country(self, request: web.Request) -> web.Response:
        iso = request.match_info["iso"]
        told = {"iso_code": iso, "name": iso, "continent": "EUROPE", "country_codes": ["+1"], "url": "", "links": {},
                "low_risk_numbers_enabled": iso not in self.closed, "high_risk_special_numbers_enabled": False,
                "high_risk_tollfraud_numbers_enabled": False}  # fmt: skip
        return web.json_response(told)

    async def _countries(self, request: web.Request) -> web.Response:
        wanted = json.loads(str((await request.post())["UpdateRequest"]))
        for one in wanted:
            assert one["high_risk_tollfraud_numbers_enabled"] == "false", "nobody opens what is fraud-prone"
            change = self.closed.discard if one["low_risk_numbers_enabled"] == "true" else self.closed.add
            change(one["iso_code"])
        return web.json_response({"update_count": len(wanted), "update_request": json.dumps(wanted)}, status=201)

    def _dated(self, thing: Thing) -> Thing:
        dates = {"date_created": "Thu, 30 Jul 2015 20:00:00 +0000", "date_updated": "Thu, 30 Jul 2015 20:00:00 +0000"}
        return thing | dates | {"account_sid": ACCOUNT, "uri": "", "subresource_uris": {}}


_DATES = {"account_sid": ACCOUNT, "date_created": "2015-01-02T11:23:45Z", "date_updated": "2015-01-02T11:23:45Z"}


def _as_trunk_number(number: Thing) -> Thing:
    return number | {"url": "", "links": {}, "capabilities": {"voice": True, "sms": True, "mms": True}} | _DATES


def _good(password: str) -> bool:
    mixed = password.upper() != password != password.lower()
    return len(password) >= 12 and mixed and any(sign.isdigit() for sign in password)
