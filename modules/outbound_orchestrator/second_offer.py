"""An agent that does not come is asked for again. LiveKit offers a job to one worker and forgets it when that one fails.

Any number of orchestrators may do so: of all agents that come for an attempt, one takes it and the others leave.
"""

from modules.call_queue_manager import CallQueue, Held, Records
from modules.calls import State
from modules.calls.errors import NotFound
from modules.calls.job import CallJob
from modules.metrics_logger import get_logger
from modules.outbound_orchestrator.rooms import Rooms

log = get_logger("outbound_orchestrator")

# An agent that was only slow (a cold worker, a busy machine) is in the room by then.
AGAIN_S = 6.0
LOOK_S = 1.0


class SecondOffer:
    """Looks once, when asked."""

    def __init__(self, queue: CallQueue, records: Records, rooms: Rooms, *, within_s: float) -> None:
        self._queue = queue
        self._records = records
        self._rooms = rooms
        self._last_s = within_s - AGAIN_S / 2  # later, the reaper may take the call before the agent is there

    async def sweep(self) -> None:
        """Offer again what nobody took. Raises Unavailable, or one of UNREACHABLE."""
        for call_id, age_s in await self._queue.placing(longer_than_s=AGAIN_S):
            try:
                held = await self._records.holding(call_id)
            except NotFound:
                continue
            if age_s < self._last_s and held.call.state is State.PLACING and held.call.worker_id is None:
                await self._offer(held, age_s)

    async def _offer(self, held: Held, age_s: float) -> None:
        call = held.call
        room = call.room or ""
        if 0 < len(await self._rooms.our_offers(room)) <= age_s // AGAIN_S:
            await self._rooms.offer_again(room, CallJob(call_id=call.call_id, attempt=call.attempt, token=held.token))
            log.warning("call.offered_again", call_id=call.call_id, attempt=call.attempt)
