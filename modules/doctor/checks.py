"""The table of checks, in the order in which a call meets what they look at."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from modules.doctor import carrier, fleet, livekit, machine, stored, twilio
from modules.doctor.stored import of_stored
from modules.doctor.subject import Subject
from modules.doctor.verdict import Colour, Finding, not_proven
from modules.metrics_logger import get_logger

log = get_logger("doctor")
_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at."""

    number: int
    name: str
    title: str
    examine: Callable[[Subject], Awaitable[Finding]]


async def _origination(subject: Subject) -> Finding:
    """Both ends of the way in: our trunk asks for no password, and the carrier knows our address."""
    found = await of_stored(stored.no_password_inbound)(subject)
    return found if found.colour is Colour.RED else await twilio.origination(subject)


CHECKS: tuple[Check, ...] = (
    Check(1, "containers", "Docker, disk and memory", machine.containers),
    Check(2, "ports", "Ports are free or ours", machine.ports),
    Check(3, "sound_ports", "Few published ports for sound", machine.sound_ports),
    Check(4, "sip_service", "livekit-sip takes requests", livekit.sip_service),
    Check(5, "keys", "LiveKit's key and secret fit", livekit.keys),
    Check(6, "clock", "The clocks agree", machine.clock),
    Check(7, "advertised_address", "The carrier is told a public address", livekit.advertised_address),
    Check(8, "browser_address", "A browser reaches livekit-server", livekit.browser_address),
    Check(9, "sound_arrives", "The carrier's sound arrives", livekit.sound_arrives),
    Check(10, "carrier_account", "The carrier's account is valid", twilio.account),
    Check(11, "callee_verified", "A trial account may call this number", twilio.callee_verified),
    Check(12, "geo_permission", "The account may call this country", twilio.geo_permission),
    Check(13, "credential_list", "The trunk knows our user", twilio.credential_list),
    Check(14, "caller_id", "The caller id is the account's", twilio.caller_id),
    Check(15, "from_rule", "The carrier's rule for the From header", carrier.from_rule),
    Check(16, "origination", "Calls are sent to us, without a password", _origination),
    Check(17, "inbound_numbers", "Inbound numbers are exact", of_stored(stored.inbound_numbers_exact)),
    Check(18, "rules", "Dispatch rules name their trunks", of_stored(stored.rules_name_trunks)),
    Check(19, "closed", "Scanners stay outside", of_stored(stored.closed_to_scanners)),
    Check(20, "no_duplicates", "No trunk or rule twice", of_stored(stored.no_duplicates)),
    Check(21, "workers", "A worker has a free slot", fleet.workers),
    Check(22, "agent_comes", "An agent comes quickly", livekit.agent_comes),
)


@dataclass(frozen=True, slots=True)
class Examined:
    """A check and what it found."""

    check: Check
    finding: Finding

    def to_json(self) -> dict[str, Any]:
        return {"number": self.check.number, "name": self.check.name, "title": self.check.title, **self.finding.to_json()}


async def examine(subject: Subject, names: Collection[str] | None = None) -> AsyncIterator[Examined]:
    """Look at everything, or at what is named, side by side; yield in the table's order as soon as each is known."""
    chosen = [check for check in CHECKS if names is None or check.name in names]
    async with asyncio.TaskGroup() as tasks:
        looking = [(check, tasks.create_task(_one(check, subject), name=check.name)) for check in chosen]
        for check, task in looking:
            yield Examined(check, await task)


async def _one(check: Check, subject: Subject) -> Finding:
    try:
        async with asyncio.timeout(_LIMIT_S):
            return await check.examine(subject)
    except TimeoutError:
        return not_proven(f"It took longer than {_LIMIT_S:g} s.")
    except Exception as error:
        log.exception("check.stumbled", check=check.name)  # one check's fault must not hide what the others found
        return not_proven(f"The check itself failed ({type(error).__name__}); this is our fault.", "Please report it.")
