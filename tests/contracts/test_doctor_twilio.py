"""The doctor and a Twilio account, over HTTP in Twilio's own shapes (v2010, voice v1, trunking v1): each check broken once."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from pytest_httpserver import HTTPServer

from config import Settings
from modules.doctor import Colour, Subject, examine
from modules.sip_management.twilio import opened

pytestmark = pytest.mark.unit

SID = "AC" + "0" * 32
TRUNK, LIST = "TK" + "1" * 32, "CL" + "2" * 32
MINE, THEIRS = "+12025550177", "+4930123456"
BASE = f"/2010-04-01/Accounts/{SID}"
GERMANY = "/v1/DialingPermissions/Countries/DE"
Look = Callable[[str], Any]


def page(key: str, *items: dict[str, Any]) -> dict[str, Any]:
    """A list as v2010 answers it."""
    return {key: list(items), "page": 0, "page_size": 50, "uri": "/", "next_page_uri": None}


def v1_page(key: str, *items: dict[str, Any]) -> dict[str, Any]:
    """A list as the v1 products answer it."""
    return {key: list(items), "meta": {"key": key, "page": 0, "page_size": 50, "next_page_url": None}}


WELL: dict[str, dict[str, Any]] = {
    f"{BASE}.json": {"sid": SID, "status": "active", "type": "Full"},
    GERMANY: {"iso_code": "DE", "name": "Germany", "low_risk_numbers_enabled": True},
    "/v1/Trunks": v1_page("trunks", {"sid": TRUNK, "domain_name": "mine.pstn.twilio.com"}),
    f"/v1/Trunks/{TRUNK}/CredentialLists": v1_page("credential_lists", {"sid": LIST, "trunk_sid": TRUNK}),
    f"{BASE}/SIP/CredentialLists/{LIST}/Credentials.json": page("credentials", {"sid": "CR1", "username": "me"}),
    f"{BASE}/IncomingPhoneNumbers.json": page("incoming_phone_numbers", {"sid": "PN1", "phone_number": MINE}),
    f"{BASE}/OutgoingCallerIds.json": page("outgoing_caller_ids"),
    f"/v1/Trunks/{TRUNK}/OriginationUrls": v1_page(
        "origination_urls", {"sid": "OU1", "sip_url": "sip:127.0.0.1", "enabled": True}
    ),
}
TRIAL = {f"{BASE}.json": {"sid": SID, "status": "active", "type": "Trial"}}

BROKEN: dict[str, tuple[str, dict[str, Any], Colour, str]] = {
    "suspended": ("carrier_account", {f"{BASE}.json": {"status": "suspended", "type": "Full"}}, Colour.RED, "is suspended"),
    "trial": ("carrier_account", TRIAL, Colour.AMBER, "verified numbers only"),
    "callee not verified": ("callee_verified", TRIAL, Colour.RED, "not verified in this trial account"),
    "country closed": ("geo_permission", {GERMANY: {"low_risk_numbers_enabled": False}}, Colour.RED, "may not call +49 (DE)"),
    "no such trunk": ("credential_list", {"/v1/Trunks": v1_page("trunks")}, Colour.RED, "no trunk mine.pstn.twilio.com"),
    "no credential list": (
        "credential_list", {f"/v1/Trunks/{TRUNK}/CredentialLists": v1_page("credential_lists")}, Colour.RED, "refuses every call",
    ),
    "other user": (
        "credential_list",
        {f"{BASE}/SIP/CredentialLists/{LIST}/Credentials.json": page("credentials", {"username": "you"})},
        Colour.RED, "holds SIP_AUTH_USERNAME",
    ),
    "foreign caller id": (
        "caller_id", {f"{BASE}/IncomingPhoneNumbers.json": page("incoming_phone_numbers")}, Colour.RED, "32204",
    ),
    "no origination": (
        "origination", {f"/v1/Trunks/{TRUNK}/OriginationUrls": v1_page("origination_urls")}, Colour.AMBER, "nobody can call in",
    ),
    "origination nowhere": (
        "origination",
        {f"/v1/Trunks/{TRUNK}/OriginationUrls": v1_page("origination_urls", {"sip_url": "sip:no.invalid", "enabled": True})},
        Colour.RED, "does not exist",
    ),
}  # fmt: skip


class NothingStored:
    """A livekit-server without trunks of its own: these checks are about Twilio's side."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def empty(*_: Any) -> Any:
            return type("Empty", (), {"items": ()})()

        return empty


async def no_pause(_: float) -> None:
    """A 429 need not be waited for here."""


@pytest.fixture
async def look(httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Look]:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    settings = Settings(
        livekit_api_key="key-of-this-test", livekit_api_secret="x" * 40, twilio_account_sid=SID, twilio_auth_token="token",  # type: ignore[arg-type]
        sip_trunk_hostname="mine.pstn.frankfurt.twilio.com", sip_auth_username="me", sip_auth_password="pw", sip_from_number=MINE,  # type: ignore[arg-type]
        sip_trunks_file=tmp_path / "trunks.yaml",
    )  # fmt: skip
    twilio = partial(opened, SID, "token", httpserver.url_for("").rstrip("/"), no_pause)
    nothing, lkapi = cast(Any, None), cast(Any, type("LiveKit", (), {"sip": NothingStored()})())
    subject = Subject(
        settings=settings, folder=tmp_path, lkapi=lkapi, http=nothing, workers=nothing, twilio=twilio, callee=THEIRS
    )  # fmt: skip

    async def one(name: str) -> Any:
        return [found async for found in examine(subject, {name})][0].finding

    yield one


def serve(server: HTTPServer, answers: dict[str, Any]) -> None:
    for path, answer in answers.items():
        server.expect_request(path).respond_with_json(answer)


@pytest.mark.parametrize("broken", BROKEN)
async def test_what_is_wrong_at_twilio_is_named(look: Look, httpserver: HTTPServer, broken: str) -> None:
    """Each refusal nobody could explain is one line, with the next step."""
    name, changes, colour, why = BROKEN[broken]
    serve(httpserver, WELL | changes)
    found = await look(name)
    assert (found.colour, why in found.why, bool(found.fix)) == (colour, True, True), found
    assert MINE not in str(found) and THEIRS not in str(found)


@pytest.mark.parametrize("name", sorted({name for name, *_ in BROKEN.values()}))
async def test_an_account_that_is_well_is_green(look: Look, httpserver: HTTPServer, name: str) -> None:
    """No false alarm."""
    serve(httpserver, WELL)
    assert (await look(name)).colour is Colour.GREEN


async def test_wrong_credentials_are_told_as_such(look: Look, httpserver: HTTPServer) -> None:
    """Whose fault it is, and where to copy them from."""
    error = {"code": 20003, "message": "Authenticate", "status": 401}
    httpserver.expect_request(f"{BASE}.json").respond_with_json(error, status=401)
    found = await look("carrier_account")
    assert (found.colour, "TWILIO_AUTH_TOKEN" in found.why) == (Colour.RED, True)


async def test_a_twilio_that_is_away_proves_nothing(look: Look, httpserver: HTTPServer) -> None:
    """A guess would be worse than no answer."""
    httpserver.expect_request(f"{BASE}.json").respond_with_json({"code": 20500, "message": "no", "status": 500}, status=500)
    assert (await look("carrier_account")).colour is Colour.NOT_PROVEN
