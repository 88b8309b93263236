"""Twilio's side: the account, whom it may call, whose number it shows, the trunk. Nothing here changes anything there."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlsplit

import phonenumbers
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from modules.doctor.subject import Subject
from modules.doctor.verdict import Finding, amber, green, not_proven, red
from modules.sip_management import Trunk

_CONSOLE = "https://console.twilio.com"
_GEO = f"{_CONSOLE}/us1/develop/voice/settings/geo-permissions"
_BAD_AUTH = 20003

Ask = Callable[[Client, Subject], Finding]


def asked_of_twilio(ask: Ask) -> Callable[[Subject], Awaitable[Finding]]:
    """Return a check that needs the account's credentials, and says so where there are none."""

    @wraps(ask)
    async def examine(subject: Subject) -> Finding:
        if subject.twilio is None:
            fix = "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in .env, if the carrier is Twilio."
            return not_proven("No Twilio account is configured.", fix)
        try:
            return await asyncio.to_thread(ask, subject.twilio, subject)
        except TwilioRestException as error:
            if error.code == _BAD_AUTH or error.status == 401:
                fix = f"Copy both from {_CONSOLE} into .env."
                return red("Twilio refuses TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN (20003).", fix)
            return not_proven(f"Twilio answers {error.status} ({error.code}).", "Try again in a minute.")
        except OSError as error:  # whatever requests raises is one
            return not_proven(f"Twilio cannot be reached from here ({type(error).__name__}).", "Allow HTTPS to api.twilio.com.")

    return examine


@asked_of_twilio
def account(client: Client, subject: Subject) -> Finding:
    """The account is active; a trial one has limits."""
    found = client.api.v2010.accounts(subject.settings.twilio_account_sid).fetch()
    if found.status != "active":
        return red(f"The Twilio account is {found.status}.", f"See why at {_CONSOLE}.")
    if str(found.type).lower() == "trial":
        fix = f"Upgrade it at {_CONSOLE}, or verify each number you call."
        return amber("It is a trial account: it calls verified numbers only, and says so before your agent speaks.", fix)
    return green("The Twilio account is active and paid for.")


@asked_of_twilio
def callee_verified(client: Client, subject: Subject) -> Finding:
    """A trial account calls only numbers that were verified."""
    sid = subject.settings.twilio_account_sid
    if str((client.api.v2010.accounts(sid).fetch()).type).lower() != "trial":
        return green("The account is paid for and calls any number.")
    if not subject.callee:
        return not_proven("A trial account calls verified numbers only.", "Name one: ./voicefleet doctor --callee +<number>")
    if client.api.v2010.accounts(sid).outgoing_caller_ids.list(phone_number=subject.callee, limit=1):
        return green("The callee is verified in this trial account.")
    fix = f"Verify it at {_CONSOLE}/us1/develop/phone-numbers/manage/verified, or upgrade the account."
    return red("The callee is not verified in this trial account.", fix)


@asked_of_twilio
def geo_permission(client: Client, subject: Subject) -> Finding:
    """Countries are closed until somebody opens them; a closed one is a silent 403."""
    if not subject.callee:
        return not_proven("Whether a country is open depends on the number.", "Name one: ./voicefleet doctor --callee +<number>")
    number = phonenumbers.parse(subject.callee)
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(number.country_code or 0)
    found = client.voice.v1.dialing_permissions.countries(region).fetch()
    if found.low_risk_numbers_enabled:
        return green(f"The account may call +{number.country_code} ({region}).")
    return red(f"The account may not call +{number.country_code} ({region}).", f"Open it at {_GEO}.")


@asked_of_twilio
def credential_list(client: Client, subject: Subject) -> Finding:
    """The trunk exists, and a credential list of it holds our user."""
    ours = _twilio_trunk(subject)
    if ours is None:
        return not_proven("No trunk of ours leads to Twilio.", "./voicefleet connect twilio makes one.")
    found = [one for one in client.trunking.v1.trunks.list(limit=500) if one.domain_name == _domain(ours.hostname)]
    if not found:
        fix = "Correct SIP_TRUNK_HOSTNAME, or let ./voicefleet connect twilio make the trunk."
        return red(f"The account has no trunk {_domain(ours.hostname)}.", fix)
    lists = client.trunking.v1.trunks(found[0].sid).credentials_lists.list(limit=100)
    if not lists:
        return red("The trunk has no credential list, so it refuses every call.", "./voicefleet connect twilio adds one.")
    user = ours.inline.auth_username if ours.inline else ""
    sip = client.api.v2010.accounts(subject.settings.twilio_account_sid).sip
    for one in lists:
        users = sip.credential_lists(one.sid).credentials.list(limit=500)
        if user in {known.username for known in users}:
            return green("The trunk's credential list holds our user.")
    return red("No credential list of the trunk holds SIP_AUTH_USERNAME.", "Correct it, or run ./voicefleet connect twilio.")


@asked_of_twilio
def caller_id(client: Client, subject: Subject) -> Finding:
    """The number we show belongs to the account, or was verified in it."""
    ours = _twilio_trunk(subject)
    if ours is None or not ours.from_number:
        return not_proven("No trunk of ours calls over Twilio from a number.", "Set SIP_FROM_NUMBER.")
    numbers = client.api.v2010.accounts(subject.settings.twilio_account_sid)
    if numbers.incoming_phone_numbers.list(phone_number=ours.from_number, limit=1):
        return green("The number we call from is the account's.")
    if numbers.outgoing_caller_ids.list(phone_number=ours.from_number, limit=1):
        return green("The number we call from is verified in the account.")
    return red("The number we call from is neither the account's nor verified in it (32204).", "Correct SIP_FROM_NUMBER.")


@asked_of_twilio
def origination(client: Client, subject: Subject) -> Finding:
    """Twilio knows where to send calls to our numbers, and that address exists."""
    ours = _twilio_trunk(subject)
    found = [
        one for one in client.trunking.v1.trunks.list(limit=500) if ours and one.domain_name == _domain(ours.hostname)
    ]
    if not found:
        return not_proven("The account has no trunk of ours.", "./voicefleet connect twilio makes one.")
    urls = [one for one in client.trunking.v1.trunks(found[0].sid).origination_urls.list(limit=100) if one.enabled]
    if not urls:
        return amber(
            "The trunk has no origination URL: nobody can call in.", "./voicefleet connect twilio --public-host <this machine>"
        )
    address = urlsplit(str(urls[0].sip_url).replace("sip:", "sip://", 1).replace("sips:", "sips://", 1))
    if address.username or address.password:
        return red("The origination URL has a user or password, which Twilio does not send.", "Take it out of the URL.")
    try:
        socket.getaddrinfo(address.hostname or "", address.port or 5060)
    except OSError:
        return red(f"The origination URL names {address.hostname}, which does not exist.", "Correct it at the trunk.")
    return green(f"Calls are sent to {address.hostname}.")


def _twilio_trunk(subject: Subject) -> Trunk | None:
    return next((trunk for trunk in subject.trunks if trunk.carrier == "twilio" and trunk.hostname), None)


def _domain(hostname: str) -> str:
    """Return the trunk's own domain: `<name>.pstn.<edge>.twilio.com` is the same trunk in a region."""
    name, _, _ = hostname.lower().partition(":")[0].partition(".")
    return f"{name}.pstn.twilio.com"
