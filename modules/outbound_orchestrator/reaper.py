"""Calls whose holder is gone, calls that missed their deadline, rooms that belong to nobody: ended, so that no phone stays
on a silent line and no slot is lost. Any number of reapers may run; seizing a call fences every other party off.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from modules.call_queue_manager import CallQueue, Fenced, Held, Records
from modules.calls import Call, Event, Report, State
from modules.calls.errors import NotFound, Unavailable, VoicefleetError
from modules.calls.second_truth import LEG_LEFT, LegEnd, lost
from modules.metrics_logger import get_logger
from modules.outbound_orchestrator.rooms import UNREACHABLE, Rooms

log = get_logger("reaper")

SWEEP_S = 1.0
# No sweep for this long means that holders, too, may have been unable to renew.
GAP_S = 3.0
# A phone may come back into a room that was just deleted (a dial that was on its way, a LiveKit that was started again) and
# would hear nothing there until it is found.
ROOMS_EVERY_S = 4.0
# A room whose call nobody knows may be one that is just being made, e.g. by an inbound call.
_UNKNOWN_ROOM_AGE = timedelta(seconds=30)


class Reaper:
    """Looks once, when asked."""

    def __init__(self, queue: CallQueue, records: Records, rooms: Rooms) -> None:
        self._queue = queue
        self._records = records
        self._rooms = rooms

    async def sweep(self) -> None:
        """End what is overdue. Raises Unavailable when Redis is away."""
        lost, late = await self._queue.overdue(gap_s=GAP_S)
        for call_id in lost:
            await self._each(call_id, self._lost)
        for call_id in late:
            await self._each(call_id, self._late)

    async def sweep_rooms(self) -> None:
        """Delete rooms whose call is over, or was placed into another room since."""
        now = datetime.now(UTC)
        for room in await self._rooms.list():
            call_id, _, attempt = room.name.rpartition("-")
            if attempt.isdigit() and await self._ownerless(call_id, room.name, age=now - room.opened_at):
                log.warning("room.ownerless", room=room.name)
                await self._rooms.close(room.name)

    async def _ownerless(self, call_id: str, room: str, age: timedelta) -> bool:
        if not call_id.startswith(("outbound-", "inbound-")):
            return False
        try:
            call = await self._records.load(call_id)
        except NotFound:
            return age > _UNKNOWN_ROOM_AGE
        return call.state is State.ENDED or call.room != room

    async def _each(self, call_id: str, end: Callable[[str], Awaitable[None]]) -> None:
        """End one call; whatever is wrong with it must not keep the others waiting."""
        try:
            await end(call_id)
        except Unavailable:
            raise
        except VoicefleetError as error:
            log.warning("call.not_reaped", call_id=call_id, reason=error.code)  # it moved on just now; the next sweep sees
        except (TypeError, ValueError, KeyError):
            log.exception("call.unreadable", call_id=call_id)
            await self._records.release(call_id, None)
            await self._queue.forget(call_id)

    async def _lost(self, call_id: str) -> None:
        held = await self._queue.seize(call_id)
        if held:
            await self._end(held, "Its worker stopped answering.")

    async def _late(self, call_id: str) -> None:
        try:
            call = await self._records.load(call_id)
        except NotFound:
            await self._queue.forget(call_id)
            return
        if call.state is State.QUEUED:
            await self._records.report(call_id, Report(Event.EXPIRED, reason="Nobody could place it in time."))
            log.info("call.expired", call_id=call_id)
            return
        held = await self._queue.seize(call_id, force=True)
        if held:
            await self._end(held, "It was still going on after its last moment.")

    async def _end(self, held: Held, why: str) -> None:
        call = held.call
        gone = await self._hang_up(call)
        log.warning("call.reaped", call_id=call.call_id, attempt=call.attempt, state=call.state.value, reason=why)
        try:
            if call.state is State.ENDED:
                if gone:
                    await self._records.release(call.call_id, held.token)
            elif call.state is State.QUEUED:
                await self._records.postpone(held, self._records.now(), "")
            else:
                report = lost(call, await self._leg_end(call), why, self._records.now())
                await self._records.report(call.call_id, report, token=held.token, release=gone)
        except Fenced:
            log.info("call.taken_over", call_id=call.call_id)

    async def _leg_end(self, call: Call) -> LegEnd | None:
        """How LiveKit saw this attempt's phone leave, if it did."""
        seen = await self._records.remarks(call.call_id, LEG_LEFT)
        known = {end.value: end for end in LegEnd}
        ends = [known.get(data["leg_end"], LegEnd.LOST) for data in seen if data["room"] == call.room]
        return ends[-1] if ends else None

    async def _hang_up(self, call: Call) -> bool:
        """Return whether the room is surely gone. If not, the slot stays taken and the next sweep tries again."""
        if not call.room:
            return True
        try:
            await self._rooms.close(call.room)
        except UNREACHABLE as error:
            log.warning("room.not_closed", call_id=call.call_id, error=type(error).__name__)
            return False
        return True
