"""Inbound callers whom no agent has come to: LiveKit asks one worker once and forgets it. Here they are asked for again, and a
caller nobody could come to is noted and let go. Any number of these may run: of all agents that come, one takes the call.
"""

import time
from collections.abc import Callable

from config import Settings
from modules.call_queue_manager import Admission, FrontDoor, Records, SourceLimits
from modules.calls import Call, Event, Outcome, Report, State, arriving
from modules.calls.errors import NotFound
from modules.metrics_logger import get_logger
from modules.outbound_orchestrator.rooms import UNREACHABLE, Rooms
from modules.sip_management.phone import Phone
from modules.sip_management.ways_in import ROOM_PREFIX

log = get_logger("outbound_orchestrator")

WAITING_S = 1.0
"""How often to look."""
# A worker says yes within a second, where one is free.
AGAIN_S = 3.0
# An agent that was promised and does not come: its process starts slowly, or its worker died. Each agent too many slows the rest.
PROMISED_S = 12.0
_NO_AGENT = Report(Event.ATTEMPT_FAILED, Outcome.BLOCKED, "full_house: No agent was free while it rang.")
_ANY = SourceLimits(per_minute=0, per_hour=0)


class Lobby:
    """Looks once, when asked."""

    def __init__(
        self, door: FrontDoor, records: Records, rooms: Rooms, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._door, self._records, self._rooms, self._settings = door, records, rooms, settings
        # The trunk ends the ringing by itself soon after; whom we let go before that was at least noted.
        self._patience_s = max(AGAIN_S, settings.ring_timeout_s - AGAIN_S)
        self._since: dict[str, float] = {}

    async def sweep(self) -> None:
        """Look after every inbound room. Raises Unavailable, or one of UNREACHABLE."""
        now = self._clock()
        inbound = [room.name for room in await self._rooms.list() if room.name.startswith(ROOM_PREFIX)]
        self._since = {name: self._since.get(name, now) for name in inbound}
        for name in inbound:
            try:
                await self._look_after(name, now - self._since[name])
            except UNREACHABLE as error:  # one room that LiveKit cannot reach must not keep the others waiting
                log.warning("livekit.away", error=type(error).__name__)

    async def _look_after(self, room: str, age_s: float) -> None:
        call_id = await self._door.call_in(room)
        if call_id is None:
            await self._waits(room, age_s)
        elif await self._is_over(call_id):
            log.warning("room.ownerless", call_id=call_id)
            await self._rooms.close(room)

    async def _waits(self, room: str, age_s: float) -> None:
        try:
            offers = await self._rooms.our_offers(room)
        except UNREACHABLE:
            if age_s < self._patience_s:
                raise
            await self._rooms.close(room)  # its livekit-server died while it rang
            return
        if not offers:
            return  # another agent's room, or gone
        if age_s >= self._patience_s:
            await self._let_go(room)
        elif len(offers) <= age_s // (PROMISED_S if any(offer.taken for offer in offers) else AGAIN_S):
            await self._rooms.offer_again(room, offers[0].metadata)
            log.warning("inbound.offered_again", times=len(offers))

    async def _let_go(self, room: str) -> None:
        phone = await self._rooms.phone(room, self._settings.default_region)
        if phone is None:
            await self._rooms.close(room)
            return
        trunk = await self._rooms.trunk_of(phone)
        admission, held = await self._door.arrive(self._call(room, phone, trunk), most=0, limits=_ANY)
        if admission is not Admission.KNOWN:  # else an agent has come in this moment
            await self._rooms.close(room)
            await self._records.report(held.call.call_id, _NO_AGENT, token=held.token)
            log.warning("inbound.no_agent", call_id=held.call.call_id)

    def _call(self, room: str, phone: Phone, trunk: str) -> Call:
        return arriving(
            self._records.now(),
            to_number=phone.called,
            from_number=phone.caller,
            trunk=trunk,
            simulated=phone.simulated,
            metadata={"sip_call_id": phone.sip_call_id},
            max_call_s=self._settings.max_call_s,
            ring_timeout_s=self._settings.ring_timeout_s,
            room=room,
        )

    async def _is_over(self, call_id: str) -> bool:
        try:
            return (await self._records.load(call_id)).state is State.ENDED
        except NotFound:
            return True
