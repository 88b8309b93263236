"""The way in: one trunk for our numbers and one dispatch rule that sends each caller into a room with an agent.

The rule always names the trunk: one without would let strangers in. Which personality answers is decided by the worker, so that
an edited personality counts from the next call without touching what livekit-server stores.
"""

from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration
from livekit import api

from config import Settings
from modules.calls.job import InboundJob
from modules.sip_management.ensure import Ensured, dispatch_rules, ensure, inbound_trunks

INBOUND = "inbound"
"""Key of the inbound trunk and of its rule."""
ROOM_PREFIX = "inbound-"
"""How the rooms of inbound calls begin; LiveKit adds the caller's number and something random."""
# The agent has this long to leave by itself after the phone has gone.
_DEPARTURE_S = 10


def wanted_trunk(settings: Settings, numbers: Iterable[str], allowed_addresses: Iterable[str] = ()) -> api.SIPInboundTrunkInfo:
    """Return the trunk that lets calls to these numbers in, from these networks only where any are named."""
    ours = {*numbers, *([settings.sip_from_number] if settings.sip_from_number else [])}
    return api.SIPInboundTrunkInfo(
        numbers=sorted(ours),
        allowed_addresses=sorted(allowed_addresses),
        ringing_timeout=Duration(seconds=settings.ring_timeout_s),
        max_call_duration=Duration(seconds=settings.max_call_s),
    )


def wanted_rule(settings: Settings, trunk_ids: Iterable[str]) -> api.SIPDispatchRuleInfo:
    """Return the rule for calls that come in over these trunks: a room for each, and one of our agents into it."""
    job = InboundJob(direction="inbound").model_dump_json(exclude_defaults=True)
    agent = api.RoomAgentDispatch(agent_name=settings.livekit_agent_name, metadata=job)
    return api.SIPDispatchRuleInfo(
        rule=api.SIPDispatchRule(dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix=ROOM_PREFIX)),
        trunk_ids=list(trunk_ids),
        room_config=api.RoomConfiguration(departure_timeout=_DEPARTURE_S, max_participants=4, agents=[agent]),
    )


async def ensure_inbound(settings: Settings, lkapi: api.LiveKitAPI, numbers: Iterable[str]) -> tuple[Ensured, Ensured]:
    """Make livekit-server's trunk and rule for calls that come in equal the configuration; return what became of both."""
    trunk = await ensure(inbound_trunks(lkapi), INBOUND, wanted_trunk(settings, numbers))
    return trunk, await ensure(dispatch_rules(lkapi), INBOUND, wanted_rule(settings, [trunk.id]))
