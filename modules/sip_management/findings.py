"""What the phone side looks like right now, compared with the configuration. It reports; it repairs nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from livekit import api

from config import Settings
from modules.sip_management.client import AWAY, why
from modules.sip_management.plan import Change, plan
from modules.sip_management.reach import Reach, reach
from modules.sip_management.shelves import Noun, Thing, everything, id_of
from modules.sip_management.trunks import Trunk, TrunksUnusable, configured, transport
from modules.sip_management.wanted import wanted

_SAID: dict[Reach, str] = {
    "answers": "answers SIP",
    "silent": "does not answer SIP's OPTIONS; some carriers never do, so this is a hint",
    "unknown_name": "is a name that does not exist",
}
Ask = Callable[[str, str], Awaitable[Reach]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: its name, whether it is well, a sentence, and the trunk it is about ("" for none)."""

    what: str
    ok: bool
    detail: str
    trunk: str = ""


async def look(settings: Settings, lkapi: api.LiveKitAPI, answered: Iterable[str], ask: Ask = reach) -> list[Finding]:
    """Look at the configuration, livekit-server's SIP API, what it stores, and the carriers. `answered` are our numbers."""
    try:
        trunks, wishes = configured(settings), wanted(settings, answered)
    except TrunksUnusable as error:
        return [Finding("configuration", False, error.message)]
    found = [Finding("inbound", False, problem) for problem in wishes.problems]
    found += [finding for trunk in trunks.values() for finding in _as_written(trunk)]
    try:
        stored = await everything(lkapi)
        found.append(Finding("livekit_sip_api", True, "livekit-server answers"))
        found += [_stored(change) for change in plan(stored, wishes.wishes, settings.livekit_agent_name, prune=True)]
        found += [*_by_id(trunks, stored), *_open_rules(stored)]
    except AWAY as error:
        found.append(Finding("livekit_sip_api", False, f"livekit-server's SIP API does not answer: {why(error)}"))
    return [*found, *await asyncio.gather(*(_carrier(trunk, ask) for trunk in trunks.values() if trunk.hostname))]


def _as_written(trunk: Trunk) -> list[Finding]:
    """What the carrier would not take, seen before it is asked."""
    if trunk.preset is None:
        return []
    findings = [Finding("hostname", False, why, trunk.name) for why in [trunk.preset.hostname_problem(trunk.hostname)] if why]
    if why := trunk.preset.from_problem(trunk.from_number):
        findings.append(Finding("from_number", False, why, trunk.name))
    return findings


def _stored(change: Change) -> Finding:
    match change.doing:
        case "keep":
            detail = "as configured"
        case "create":
            detail = "is not stored in livekit-server"
        case "update":
            detail = f"differs from the configuration in {', '.join(change.fields)}"
        case "delete":
            detail = "is stored in livekit-server, and nothing asks for it any more"
    if change.extra_ids:
        detail += f"; there are others of this name, delete those that nothing uses: {', '.join(change.extra_ids)}"
    return Finding("stored", change.doing == "keep" and not change.extra_ids, f"{change.noun} {change.name} {detail}")


def _by_id(trunks: Mapping[str, Trunk], stored: Mapping[Noun, Sequence[Thing]]) -> list[Finding]:
    known = {id_of(Noun.OUTBOUND, thing) for thing in stored[Noun.OUTBOUND]}
    return [
        Finding("stored_id", there, f"{trunk.stored_id} is {'there' if there else 'not stored in livekit-server'}", trunk.name)
        for trunk in trunks.values()
        if trunk.stored_id and not trunk.simulated
        for there in [trunk.stored_id in known]
    ]


def _open_rules(stored: Mapping[Noun, Sequence[Thing]]) -> list[Finding]:
    said = "names no trunk and so answers calls from anybody on the internet; give it trunk_ids or delete it"
    return [
        Finding("open_rule", False, f"dispatch-rule {id_of(Noun.RULE, rule)} {said}")
        for rule in stored[Noun.RULE]
        if isinstance(rule, api.SIPDispatchRuleInfo) and not any(rule.trunk_ids)
    ]


async def _carrier(trunk: Trunk, ask: Ask) -> Finding:
    answer = await ask(trunk.hostname, transport(trunk))
    return Finding("carrier", answer == "answers", f"{trunk.hostname} {_SAID[answer]}", trunk.name)
