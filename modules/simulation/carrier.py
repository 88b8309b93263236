"""The simulated carrier: every dial request and every INVITE that gets in becomes a call of its own; transfers reach a call
by its room and identity.

It has no SIP code and opens no connection but to livekit-server: no telephone can be reached from here.
"""

import asyncio
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
from livekit import api
from livekit.protocol.sip import TransferSIPParticipantResponse

from modules.metrics_logger import get_logger
from modules.simulation import twirp
from modules.simulation.call import Network, SimulatedCall
from modules.simulation.inbound_call import InboundCall, Patience, WaysIn
from modules.simulation.inbound_match import Dropped, Invite
from modules.simulation.ledger import ATTEMPT, CALL_ID, Dial
from modules.simulation.scenario import Scenario

log = get_logger(__name__)


class Carrier:
    def __init__(self, network: Network, scenarios: Mapping[str, Scenario], ways_in: WaysIn) -> None:
        self.scenarios, self.ledger = scenarios, network.ledger
        self._network, self._ways_in = network, ways_in
        self._calls: dict[asyncio.Task[None], SimulatedCall] = {}

    @property
    def calls_now(self) -> int:
        return len(self._calls)

    async def dial(self, request: api.CreateSIPParticipantRequest) -> api.SIPParticipantInfo:
        """Place a call; raise Refused. Whoever asked may go away: the call goes on, as it does with LiveKit."""
        dial = _arrived(request)
        self.ledger.write(dial)
        try:
            _check(request)
        except twirp.Refused as refused:
            dial.result, dial.ended_by, dial.ended_at = refused.code, "carrier", datetime.now(UTC)
            self.ledger.write(dial)
            raise
        scenario = self.scenarios.get(dial.to_number)
        dial.scenario = scenario.name if scenario else ""
        call = SimulatedCall(self._network, dial, request, scenario)
        self._begin(call)
        await asyncio.shield(call.answered if request.wait_until_answered else call.joined)
        return api.SIPParticipantInfo(
            participant_id=call.participant_id,
            participant_identity=request.participant_identity,
            room_name=request.room_name,
            sip_call_id=dial.sip_call_id,
        )

    async def call_in(self, invite: Invite, scenario: Scenario, patience: Patience) -> Dial:
        """Let somebody ring one of our numbers; return when it rings, or was dropped. Raises Refused."""
        dial = _invited(invite, scenario)
        self.ledger.write(dial)
        try:
            way = await self._ways_in.find(invite)
            dial.room, dial.trunk_id = way.room, way.trunk.sip_trunk_id if way.trunk else ""
            call = InboundCall(self._network, dial, scenario, way, patience)
            self._begin(call)
            await asyncio.shield(call.joined)
        except Dropped as dropped:
            dial.result, dial.why = "dropped", str(dropped)
            dial.ended_by, dial.ended_at = "carrier", datetime.now(UTC)
            self.ledger.write(dial)
        except (api.ServerError, aiohttp.ClientError, TimeoutError) as error:
            dial.result, dial.ended_by, dial.ended_at = "unavailable", "carrier", datetime.now(UTC)
            self.ledger.write(dial)
            raise twirp.Refused("unavailable", f"livekit-server does not tell its trunks and rules: {error}") from error
        return dial

    def _begin(self, call: SimulatedCall) -> None:
        task = asyncio.create_task(call.run(), name=f"call {call.dial.sip_call_id}")
        self._calls[task] = call
        task.add_done_callback(lambda done: self._calls.pop(done, None))

    async def transfer(self, request: api.TransferSIPParticipantRequest) -> TransferSIPParticipantResponse:
        """Hand an answered call to another number: its leg leaves the room, or Refused is raised and it stays."""
        if not request.transfer_to.startswith(("tel:", "sip:", "sips:")):
            raise twirp.invalid("transfer_to must be a tel: or sip: address")
        call = next((call for call in self._calls.values() if call.is_in(request.room_name, request.participant_identity)), None)
        if call is None:
            raise twirp.Refused("not_found", "participant not found")
        number = request.transfer_to.partition(":")[2].partition("@")[0]
        target = self.scenarios.get(number)
        if target is None:
            raise twirp.by_sip(404, "Not Found")
        if target.refusal is not None:
            raise twirp.of(target.refusal)
        call.transferred.set()
        return TransferSIPParticipantResponse(transfer_id=f"STR_{uuid.uuid4().hex[:12]}")

    async def aclose(self) -> None:
        """Hang up every call and wait until each has left its room."""
        tasks = list(self._calls)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _invited(invite: Invite, scenario: Scenario) -> Dial:
    return Dial(
        sip_call_id=f"SCL_{uuid.uuid4().hex[:12]}",
        to_number=invite.to_number,
        from_number=invite.from_number,
        room="",
        identity=f"sip_{invite.from_number}",
        attributes={},
        arrived_at=datetime.now(UTC),
        arrived_monotonic_s=asyncio.get_running_loop().time(),
        direction="inbound",
        scenario=scenario.name,
    )


def _arrived(request: api.CreateSIPParticipantRequest) -> Dial:
    attributes = dict(request.participant_attributes)
    return Dial(
        sip_call_id=f"SCL_{uuid.uuid4().hex[:12]}",
        to_number=request.sip_call_to,
        from_number=request.sip_number,
        room=request.room_name,
        identity=request.participant_identity,
        attributes=attributes,
        arrived_at=datetime.now(UTC),
        arrived_monotonic_s=asyncio.get_running_loop().time(),
        call_id=attributes.get(CALL_ID, ""),
        attempt=attributes.get(ATTEMPT, ""),
    )


def _check(request: api.CreateSIPParticipantRequest) -> None:
    """What livekit-server refuses before any SIP."""
    if not request.sip_trunk_id and not request.HasField("trunk"):
        raise twirp.invalid("missing sip trunk id")
    if request.HasField("trunk") and not request.trunk.hostname:
        raise twirp.invalid("missing trunk hostname")
    if request.HasField("trunk") and not request.sip_number:
        raise twirp.invalid("missing sip number for an inline trunk")
    if not request.sip_call_to or "@" in request.sip_call_to:
        raise twirp.invalid("sip_call_to must be the user part of an address")
    if not request.room_name:
        raise twirp.invalid("missing room name")
    if not request.participant_identity:
        raise twirp.invalid("missing participant identity")
