"""Twilio's side: the account, whom it may call, whose number it shows, the trunk. Nothing here changes anything there."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import phonenumbers

from modules.doctor.subject import Subject
from modules.doctor.verdict import Finding, amber, green, not_proven, red
from modules.sip_management import Trunk
from modules.sip_management.twilio import Fault, TwilioTrouble

_CONSOLE = "https://console.twilio.com"
_GEO = f"{_CONSOLE}/us1/develop/voice/settings/geo-permissions"

Ask = Callable[[Any, Subject], Awaitable[Finding]]


def asked_of_twilio(ask: Ask) -> Callable[[Subject], Awaitable[Finding]]:
    """Return a check that needs the account's credentials, and says so where there are none."""

    @wraps(ask)
    async def examine(subject: Subject) -> Finding:
        if subject.twilio is None:
            fix = "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in .env, if the carrier is Twilio."
            return not_proven("No Twilio account is configured.", fix)
        try:
            async with subject.twilio() as client:
                return await ask(client, subject)
        except TwilioTrouble as error:
            told = red if error.fault is Fault.YOURS else not_proven
            return told(error.sentence, error.fix)

    return examine


@asked_of_twilio
async def account(client: Any, subject: Subject) -> Finding:
    """The account is active; a trial one has limits."""
    found = await client.api.v2010.accounts(subject.settings.twilio_account_sid).fetch_async()
    if found.status != "active":
        return red(f"The Twilio account is {found.status}.", f"See why at {_CONSOLE}.")
    if str(found.type).lower() == "trial":
        fix = f"Upgrade it at {_CONSOLE}, or verify each number you call."
        return amber("It is a trial account: it calls verified numbers only, and says so before your agent speaks.", fix)
    return green("The Twilio account is active and paid for.")


@asked_of_twilio
async def callee_verified(client: Any, subject: Subject) -> Finding:
    """A trial account calls only numbers that were verified."""
    sid = subject.settings.twilio_account_sid
    if str((await client.api.v2010.accounts(sid).fetch_async()).type).lower() != "trial":
        return green("The account is paid for and calls any number.")
    if not subject.callee:
        return not_proven("A trial account calls verified numbers only.", "Name one: ./voicefleet doctor --callee +<number>")
    if await client.api.v2010.accounts(sid).outgoing_caller_ids.list_async(phone_number=subject.callee, limit=1):
        return green("The callee is verified in this trial account.")
    fix = f"Verify it at {_CONSOLE}/us1/develop/phone-numbers/manage/verified, or upgrade the account."
    return red("The callee is not verified in this trial account.", fix)


@asked_of_twilio
async def geo_permission(client: Any, subject: Subject) -> Finding:
    """Countries are closed until somebody opens them; a closed one is a silent 403."""
    if not subject.callee:
        return not_proven("Whether a country is open depends on the number.", "Name one: ./voicefleet doctor --callee +<number>")
    number = phonenumbers.parse(subject.callee)
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(number.country_code or 0)
    found = await client.voice.v1.dialing_permissions.countries(region).fetch_async()
    if found.low_risk_numbers_enabled:
        return green(f"The account may call +{number.country_code} ({region}).")
    return red(f"The account may not call +{number.country_code} ({region}).", f"Open it at {_GEO}.")


@asked_of_twilio
async def credential_list(client: Any, subject: Subject) -> Finding:
    """The trunk exists, and a credential list of it holds our user."""
    ours = _twilio_trunk(subject)
    if ours is None:
        return not_proven("No trunk of ours leads to Twilio.", "./voicefleet connect twilio makes one.")
    found = [one for one in await client.trunking.v1.trunks.list_async(limit=500) if one.domain_name == _domain(ours.hostname)]
    if not found:
        fix = "Correct SIP_TRUNK_HOSTNAME, or let ./voicefleet connect twilio make the trunk."
        return red(f"The account has no trunk {_domain(ours.hostname)}.", fix)
    lists = await client.trunking.v1.trunks(found[0].sid).credentials_lists.list_async(limit=100)
    if not lists:
        return red("The trunk has no credential list, so it refuses every call.", "./voicefleet connect twilio adds one.")
    user = ours.inline.auth_username if ours.inline else ""
    sip = client.api.v2010.accounts(subject.settings.twilio_account_sid).sip
    for one in lists:
        users = await sip.credential_lists(one.sid).credentials.list_async(limit=500)
        if user in {known.username for known in users}:
            return green("The trunk's credential list holds our user.")
    return red("No credential list of the trunk holds SIP_AUTH_USERNAME.", "Correct it, or run ./voicefleet connect twilio.")


@asked_of_twilio
async def caller_id(client: Any, subject: Subject) -> Finding:
    """The number we show belongs to the account, or was verified in it."""
    ours = _twilio_trunk(subject)
    if ours is None or not ours.from_number:
        return not_proven("No trunk of ours calls over Twilio from a number.", "Set SIP_FROM_NUMBER.")
    numbers = client.api.v2010.accounts(subject.settings.twilio_account_sid)
    if await numbers.incoming_phone_numbers.list_async(phone_number=ours.from_number, limit=1):
        return green("The number we call from is the account's.")
    if await numbers.outgoing_caller_ids.list_async(phone_number=ours.from_number, limit=1):
        return green("The number we call from is verified in the account.")
    return red("The number we call from is neither the account's nor verified in it (32204).", "Correct SIP_FROM_NUMBER.")


@asked_of_twilio
async def origination(client: Any, subject: Subject) -> Finding:
    """Twilio knows where to send calls to our numbers, and that address exists."""
    ours = _twilio_trunk(subject)
    found = [
        one for one in await client.trunking.v1.trunks.list_async(limit=500) if ours and one.domain_name == _domain(ours.hostname)
    ]
    if not found:
        return not_proven("The account has no trunk of ours.", "./voicefleet connect twilio makes one.")
    urls = [one for one in await client.trunking.v1.trunks(found[0].sid).origination_urls.list_async(limit=100) if one.enabled]
    if not urls:
        return amber(
            "The trunk has no origination URL: nobody can call in.", "./voicefleet connect twilio --public-host <this machine>"
        )
    address = urlsplit(str(urls[0].sip_url).replace("sip:", "sip://", 1).replace("sips:", "sips://", 1))
    if address.username or address.password:
        return red("The origination URL has a user or password, which Twilio does not send.", "Take it out of the URL.")
    try:
        await asyncio.get_running_loop().getaddrinfo(address.hostname or "", address.port or 5060)
    except OSError:
        return red(f"The origination URL names {address.hostname}, which does not exist.", "Correct it at the trunk.")
    return green(f"Calls are sent to {address.hostname}.")


def _twilio_trunk(subject: Subject) -> Trunk | None:
    return next((trunk for trunk in subject.trunks if trunk.carrier == "twilio" and trunk.hostname), None)


def _domain(hostname: str) -> str:
    """Return the trunk's own domain: `<name>.pstn.<edge>.twilio.com` is the same trunk in a region."""
    name, _, _ = hostname.lower().partition(":")[0].partition(".")
    return f"{name}.pstn.twilio.com"
