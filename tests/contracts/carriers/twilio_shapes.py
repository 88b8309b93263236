"""How Twilio's REST API writes things down: errors, numbers, pages of the API of 2010."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

ACCOUNT, TOKEN = "AC" + "a" * 32, "the-token-of-the-tests"
API = f"/2010-04-01/Accounts/{ACCOUNT}"
Thing = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as Twilio answers it."""

    status: int
    code: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self) -> web.Response:
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        told = {"code": self.code, "message": self.message, "more_info": more, "status": self.status}
        return web.json_response(told, status=self.status, headers=self.headers)


BAD_AUTH = Refusal(401, 20003, "Authenticate")
TAKEN = Refusal(400, 21248, "Trunk Domain already taken")
TRIAL = Refusal(403, 10002, "Trial accounts do not support the feature you tried to use")
TOO_MANY = Refusal(429, 20429, "Too Many Requests", {"Retry-After": "7"})
NOT_FOUND = Refusal(404, 20404, "The requested resource was not found")


def sid(kind: str) -> str:
    return kind + secrets.token_hex(16)


def owned_number(phone_number: str, **more: Any) -> Thing:
    """Return an IncomingPhoneNumber."""
    return {
        "sid": sid("PN"), "account_sid": ACCOUNT, "phone_number": phone_number, "friendly_name": phone_number,
        "voice_url": "", "voice_application_sid": "", "trunk_sid": None, "sms_url": "", "status": "in-use",
        "capabilities": {"voice": True, "SMS": True, "MMS": True, "fax": False},
        "date_created": "Thu, 30 Jul 2015 20:12:31 +0000", "date_updated": "Thu, 30 Jul 2015 20:12:33 +0000",
    } | more  # fmt: skip


def old_page(key: str, items: list[Thing], path: str) -> web.Response:
    """Answer a list as the API of 2010 does."""
    page = {"end": len(items) - 1, "first_page_uri": f"{API}/{path}?PageSize=50&Page=0", "next_page_uri": None, "page": 0,
            "page_size": 50, "previous_page_uri": None, "start": 0, "uri": f"{API}/{path}"}  # fmt: skip
    return web.json_response(page | {key: items})
