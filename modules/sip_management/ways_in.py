"""The way in: one inbound trunk for each carrier that brings us numbers, and one rule that sends each call to an agent.

Nobody gets in who is not known: a trunk needs the networks its carrier calls from, or a user and password, and the rule names
its trunks. Which personality answers is decided by the worker, so that an edited personality counts from the next call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from livekit import api

from modules.calls.job import InboundJob
from modules.sip_management.carriers import GENERIC, LAN, own_network
from modules.sip_management.trunk_file import NUMBER
from modules.sip_management.trunks import Trunk

ROOM_PREFIX = "inbound-"
"""How the rooms of inbound calls begin; LiveKit adds the caller's number and something random."""
# The agent has this long to leave by itself after the phone has gone.
_DEPARTURE_S = 10
_MOST_IN_A_ROOM = 4


@dataclass(frozen=True, slots=True)
class WaysIn:
    """What should be stored, by the trunk's name here; `problems` are sentences about numbers nobody can call."""

    trunks: dict[str, api.SIPInboundTrunkInfo]
    rule: api.SIPDispatchRuleInfo | None
    problems: tuple[str, ...] = ()


def ways_in(trunks: Mapping[str, Trunk], answered: Iterable[str], *, agent_name: str, max_call_s: int) -> WaysIn:
    """Return the inbound trunks without ids and names, and the rule without `trunk_ids`.

    A call is let in to the numbers that personalities answer (`answered`), those that trunks.yaml lists, and those we call
    from: whoever calls back hears more than ringing, even where no personality answers.
    """
    answered = set(answered)
    shares = {name: numbers for name, numbers in _shares(trunks, answered).items() if numbers}
    safe = {name: _inbound(trunks[name], numbers, max_call_s) for name, numbers in shares.items() if _is_safe(trunks[name])}
    problems = [
        _problem(trunks[name], meant)
        for name, numbers in shares.items()
        if name not in safe and (meant := [one for one in numbers if one in answered or one in trunks[name].inbound.numbers])
    ]
    return WaysIn(safe, rule_for(agent_name) if safe else None, tuple(problems))


def allowed_networks(trunk: Trunk) -> list[str]:
    """Return the networks calls of this trunk come from, [] where they are not known.

    Networks, never bare addresses: livekit-server takes a bare one that stands in the From header for proof.
    """
    if trunk.inbound.allowed_addresses:
        return list(trunk.inbound.allowed_addresses)
    if trunk.carrier == LAN and (own := own_network(trunk.hostname)):
        return [own]
    return list(trunk.preset.networks) if trunk.preset else []


def _shares(trunks: Mapping[str, Trunk], answered: Iterable[str]) -> dict[str, list[str]]:
    """Which trunk brings which number: the one that lists it, else the one that calls from it, else the first."""
    owner = {number: next(iter(trunks)) for number in answered if trunks}
    owner |= {trunk.from_number: name for name, trunk in trunks.items() if NUMBER.fullmatch(trunk.from_number)}
    owner |= {number: name for name, trunk in trunks.items() for number in trunk.inbound.numbers}
    return {name: sorted(number for number in owner if owner[number] == name) for name in trunks}


def _is_safe(trunk: Trunk) -> bool:
    return bool(allowed_networks(trunk) or trunk.inbound.username)


def _problem(trunk: Trunk, numbers: list[str]) -> str:
    whose = trunk.preset.name if trunk.preset and trunk.carrier != GENERIC else "its carrier"
    return (
        f"{', '.join(numbers)} cannot be called: it is not known where {whose} calls from, and trunk '{trunk.name}' would let "
        "anybody in. Write allowed_addresses, or username and password, under its `inbound` in trunks.yaml"
    )


def _inbound(trunk: Trunk, numbers: list[str], max_call_s: int) -> api.SIPInboundTrunkInfo:
    return api.SIPInboundTrunkInfo(
        numbers=numbers,
        allowed_addresses=allowed_networks(trunk),
        auth_username=trunk.inbound.username,
        auth_password=trunk.inbound.password.get_secret_value(),
        ringing_timeout=Duration(seconds=trunk.inbound.ringing_timeout_s),
        max_call_duration=Duration(seconds=max_call_s),
    )


def rule_for(agent_name: str, personality: str = "") -> api.SIPDispatchRuleInfo:
    """Return a rule without `trunk_ids`: a room of its own for each call, and an agent of this fleet in it.

    The numbers stay visible to the agent, who picks the personality by them where none is named here.
    """
    job = InboundJob(direction="inbound", personality=personality).model_dump_json(exclude_defaults=True)
    agent = api.RoomAgentDispatch(agent_name=agent_name, metadata=job)
    return api.SIPDispatchRuleInfo(
        rule=api.SIPDispatchRule(dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix=ROOM_PREFIX)),
        room_config=api.RoomConfiguration(departure_timeout=_DEPARTURE_S, max_participants=_MOST_IN_A_ROOM, agents=[agent]),
    )
