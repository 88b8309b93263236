"""A call that comes in: somebody rings one of our numbers. It makes the room its rule asks for, waits for an agent, talks.

It is answered when an agent's sound can be heard, as livekit-sip does it. Which way it takes in is decided in inbound_match.py.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

from livekit import api
from livekit.protocol.sip import ListSIPDispatchRuleRequest, ListSIPInboundTrunkRequest

from modules.simulation import twirp
from modules.simulation.call import RINGS_AT_MOST_S, Network, SimulatedCall
from modules.simulation.inbound_match import Invite, Match, match
from modules.simulation.ledger import Dial
from modules.simulation.scenario import Scenario

# Who hung up is told from the person's side in a scenario: there, the person was called.
_SIDES = {"callee": "caller", "caller": "callee"}


class WaysIn:
    """The trunks and rules that livekit-server stores, asked for at every INVITE: a change counts from the next one."""

    def __init__(self, lkapi: api.LiveKitAPI) -> None:
        self._lkapi = lkapi

    async def find(self, invite: Invite) -> Match:
        """Return the way in. Raises Dropped, and livekit's ServerError or aiohttp's ClientError when nobody can tell."""
        trunks = await self._lkapi.sip.list_inbound_trunk(ListSIPInboundTrunkRequest())
        rules = await self._lkapi.sip.list_dispatch_rule(ListSIPDispatchRuleRequest())
        return match(invite, trunks.items, rules.items)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the caller lets it ring, in seconds; None: as long as the trunk does."""

    rings_s: float | None = None


class InboundCall(SimulatedCall):
    def __init__(self, network: Network, dial: Dial, scenario: Scenario, way: Match, patience: Patience) -> None:
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=dial.trunk_id,
            room_name=way.room,
            participant_identity=dial.identity,
            participant_name=f"Phone {dial.from_number}",
            participant_metadata=way.rule.metadata,
            participant_attributes=dict(way.rule.attributes),
            hide_phone_number=way.rule.hide_phone_number,
        )
        if way.trunk is not None:
            request.max_call_duration.CopyFrom(way.trunk.max_call_duration)
            request.ringing_timeout.CopyFrom(way.trunk.ringing_timeout)
        super().__init__(network, dial, request, scenario)
        self._way, self._patience = way, patience

    @property
    def _room_config(self) -> api.RoomConfiguration | None:
        return self._way.rule.room_config

    async def _ring(self) -> None:
        """Return when an agent can be heard; raise Refused otherwise."""
        self._now("ringing")
        limit_s = self.request.ringing_timeout.ToTimedelta().total_seconds() or RINGS_AT_MOST_S
        patience_s = min(limit_s, self._patience.rings_s or limit_s)
        heard = asyncio.create_task(self._leg.somebody_to_talk_to(), name=f"waits for an agent {self.dial.sip_call_id}")
        try:
            ends: list[asyncio.Future[Any]] = [heard, self._leg.gone]
            await asyncio.wait(ends, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            heard.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heard
        if self._leg.gone.done():
            raise twirp.by_sip(480, "Temporarily Unavailable")
        if heard.cancelled():
            raise twirp.by_sip(487, "Request Terminated") if patience_s < limit_s else twirp.by_sip(408, "Request Timeout")

    def _sip_attributes(self) -> dict[str, str]:
        """The same as on a dialled leg, seen from the other side: the phone is the caller's, the trunk's number is ours."""
        seen = super()._sip_attributes() | {"sip.ruleID": self._way.rule.sip_dispatch_rule_id, "sip.callStatus": "ringing"}
        numbers = {"sip.phoneNumber": self.dial.from_number, "sip.trunkPhoneNumber": self.dial.to_number}
        return seen | {name: value for name, value in numbers.items() if name in seen}

    def _side(self, by: str) -> str:
        return _SIDES.get(by, by)
