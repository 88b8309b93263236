"""What livekit-server stores about the phone side: trunks and dispatch rules. Judged as data; nothing here needs livekit-sip."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp
from livekit import api

from modules.doctor.subject import Subject
from modules.doctor.verdict import Finding, amber, green, not_proven, red

ENSURE = "./voicefleet trunks ensure"
_E164 = re.compile(r"^\+[1-9]\d{6,14}$")
_EVERYBODY = {"0.0.0.0/0", "::/0"}


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything that is stored."""

    inbound: Sequence[api.SIPInboundTrunkInfo] = ()
    outbound: Sequence[api.SIPOutboundTrunkInfo] = ()
    rules: Sequence[api.SIPDispatchRuleInfo] = ()


Judge = Callable[[Stored, Subject], Finding]


def of_stored(judge: Judge) -> Callable[[Subject], Awaitable[Finding]]:
    """Return a check that reads what is stored and judges it."""

    async def examine(subject: Subject) -> Finding:
        sip = subject.lkapi.sip
        try:
            async with asyncio.timeout(10):
                inbound = await sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest())
                outbound = await sip.list_outbound_trunk(api.ListSIPOutboundTrunkRequest())
                rules = await sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())
        except (api.ServerError, aiohttp.ClientError, TimeoutError, OSError) as error:
            why = f"livekit-server does not tell what it stores ({type(error).__name__})."
            return not_proven(why, "Start it: ./voicefleet up")
        return judge(Stored(inbound.items, outbound.items, rules.items), subject)

    return examine


def no_password_inbound(stored: Stored, subject: Subject) -> Finding:
    """Carriers do not log in when they bring a call."""
    for trunk in stored.inbound:
        if trunk.auth_username or trunk.auth_password:
            fix = f"Remove them and list the carrier's addresses instead: {ENSURE}"
            return red(f"Inbound trunk '{trunk.name}' wants a user and password, which carriers such as Twilio never send.", fix)
    return _some(stored, "No inbound trunk asks the carrier to log in.")


def inbound_numbers_exact(stored: Stored, subject: Subject) -> Finding:
    """Numbers of inbound trunks are compared character by character."""
    numbers = [(trunk.name, number) for trunk in stored.inbound for number in trunk.numbers]
    for name, number in numbers:
        if not _E164.match(number):
            fix = f"Write it as +<country><number>: {ENSURE}"
            return red(f"Inbound trunk '{name}' has a number that is not E.164: no call will match it.", fix)
    mine = subject.settings.sip_from_number
    if mine and stored.inbound and mine not in {number for _, number in numbers}:
        return amber("No inbound trunk has the number we call from: who calls back reaches nobody.", ENSURE)
    return _some(stored, f"{len(numbers)} number(s), all E.164.")


def rules_name_trunks(stored: Stored, subject: Subject) -> Finding:
    """A rule says for which trunks it is, and does not mistake callers' numbers for ours."""
    known = {trunk.sip_trunk_id for trunk in stored.inbound}
    ours = {number for trunk in stored.inbound for number in trunk.numbers}
    for rule in stored.rules:
        if gone := [trunk_id for trunk_id in rule.trunk_ids if trunk_id not in known]:
            return red(f"Dispatch rule '{rule.name}' names trunk {gone[0]}, which is not stored.", ENSURE)
        if ours & set(rule.inbound_numbers):
            fix = "Put our number into `numbers`; `inbound_numbers` filters who calls."
            return red(f"Dispatch rule '{rule.name}' lets nobody in but ourselves.", fix)
    if stored.inbound and not stored.rules:
        return red("There is an inbound trunk and no dispatch rule: callers hear endless ringing.", ENSURE)
    return _some(stored, f"{len(stored.rules)} rule(s), each for trunks that exist.")


def closed_to_scanners(stored: Stored, subject: Subject) -> Finding:
    """Nobody but the carrier can make us answer."""
    for rule in stored.rules:
        if not rule.trunk_ids:
            fix = f"Give it trunk_ids: {ENSURE}"
            return red(f"Dispatch rule '{rule.name}' takes calls from anybody on the internet, and each costs an agent.", fix)
    for trunk in stored.inbound:
        if not trunk.allowed_addresses or _EVERYBODY & set(trunk.allowed_addresses):
            return red(f"Inbound trunk '{trunk.name}' takes calls from any address.", f"List the carrier's addresses: {ENSURE}")
    config = str(subject.service("sip-server").get("environment", {}).get("SIP_CONFIG_BODY", ""))
    if config and "hide_inbound_port: true" not in config:
        return amber("livekit-sip answers scanners.", "Set hide_inbound_port: true in SIP_CONFIG_BODY.")
    return _some(stored, "Every rule names its trunks, every trunk its carrier's addresses.")


def no_duplicates(stored: Stored, subject: Subject) -> Finding:
    """One trunk, one rule of each name."""
    everything: tuple[tuple[str, Sequence[api.SIPInboundTrunkInfo | api.SIPOutboundTrunkInfo | api.SIPDispatchRuleInfo]], ...] = (
        ("inbound trunk", stored.inbound), ("outbound trunk", stored.outbound), ("dispatch rule", stored.rules),
    )  # fmt: skip
    for what, items in everything:
        for name, times in Counter(one.name for one in items if one.name).items():
            if times > 1:
                return red(f"{times} times {what} '{name}': which one is used changes.", f"Delete all but the oldest: {ENSURE}")
    claims = Counter(number for trunk in stored.inbound if not trunk.allowed_numbers for number in trunk.numbers)
    if any(times > 1 for times in claims.values()):
        return red("Two inbound trunks claim one number.", f"Take it from one of them: {ENSURE}")
    counts = f"{len(stored.inbound)} inbound and {len(stored.outbound)} outbound trunk(s), {len(stored.rules)} rule(s)"
    return green(f"{counts}, none twice.")


def _some(stored: Stored, well: str) -> Finding:
    return green(well) if stored.inbound else not_proven("No inbound trunk is stored; nobody can call in.", ENSURE)
