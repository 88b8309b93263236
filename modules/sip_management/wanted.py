"""What the configuration wants livekit-server to hold: the ways in, and the outbound trunks for other programs that share it.

Our own calls carry their trunk with them, so an outbound trunk is stored only where somebody asks for it, and corrected
where it is stored already.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from livekit import api

from config import Settings
from modules.sip_management.marks import managed_name
from modules.sip_management.plan import Wish
from modules.sip_management.shelves import Noun
from modules.sip_management.trunks import Trunk, configured
from modules.sip_management.ways_in import ways_in


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wishes, and what could not be wished: a sentence each."""

    wishes: tuple[Wish, ...]
    problems: tuple[str, ...]


def wanted(settings: Settings, answered: Iterable[str], *, store_outbound: bool = False) -> Wanted:
    """Return what to store, for the numbers that personalities answer. Raises TrunksUnusable."""
    trunks = configured(settings)
    fleet = settings.livekit_agent_name
    ways = ways_in(trunks, answered, agent_name=fleet, max_call_s=settings.max_call_s)
    names = {key: managed_name(fleet, Noun.INBOUND, key) for key in ways.trunks}
    wishes = [Wish(Noun.INBOUND, names[key], trunk) for key, trunk in ways.trunks.items()]
    outbound = {key: found for key, trunk in trunks.items() if (found := _outbound(trunk))}
    wishes += [
        Wish(Noun.OUTBOUND, managed_name(fleet, Noun.OUTBOUND, key), trunk, optional=not store_outbound)
        for key, trunk in outbound.items()
    ]
    if ways.rule:
        wishes.append(Wish(Noun.RULE, managed_name(fleet, Noun.RULE), ways.rule, trunks=tuple(names.values())))
    missing = [
        f"trunk '{key}' cannot be stored without a number to call from"
        for key, trunk in trunks.items()
        if store_outbound and trunk.inline and not trunk.from_number
    ]
    return Wanted(tuple(wishes), (*ways.problems, *missing))


def _outbound(trunk: Trunk) -> api.SIPOutboundTrunkInfo | None:
    if trunk.inline is None or not trunk.from_number:
        return None
    return api.SIPOutboundTrunkInfo(
        address=trunk.inline.hostname,
        transport=trunk.inline.transport,
        numbers=[trunk.from_number],
        auth_username=trunk.inline.auth_username,
        auth_password=trunk.inline.auth_password,
        from_host=trunk.inline.from_host,
    )
