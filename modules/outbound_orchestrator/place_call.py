"""One claimed call: ask the gate, say that it is being placed, make its room with an agent on the way. The agent dials."""

from modules.call_queue_manager import CallQueue, Fenced, Held, Records
from modules.calls import Disposition, Event, Outcome, Report, room_name
from modules.calls.gate import Allowed, NotBefore, Policy, Refusal, decide
from modules.calls.job import CallJob
from modules.calls.retry import retry_at
from modules.metrics_logger import get_logger
from modules.outbound_orchestrator.rooms import UNREACHABLE, Rooms

log = get_logger("outbound_orchestrator")


class Placer:
    """Places claimed calls. Whatever happens to it midway, the claim's lease runs out and the reaper takes the call up."""

    def __init__(self, queue: CallQueue, records: Records, rooms: Rooms, policy: Policy) -> None:
        self._queue = queue
        self._records = records
        self._rooms = rooms
        self._policy = policy

    async def ready(self) -> None:
        """Return when rooms can be made; raises one of UNREACHABLE otherwise. Calls then wait, instead of using up attempts."""
        await self._rooms.there()

    async def place(self, held: Held) -> None:
        """Send an agent into a new room for this call, or end or postpone it. Raises Unavailable when Redis is away."""
        call, now = held.call, self._records.now()
        try:
            barred = await self._queue.barred(call.to_number)
            match decide(call, self._policy, now, paused=await self._queue.paused(), do_not_call=barred):
                case Allowed():
                    await self._open(held)
                case NotBefore(at, reason):
                    await self._records.postpone(held, at, reason)
                    log.info("call.postponed", call_id=call.call_id, reason=reason)
                case Refusal(name, reason):
                    event = Event.EXPIRED if name == "expired" else Event.BLOCKED
                    await self._records.report(call.call_id, Report(event, reason=f"{name}: {reason}"), token=held.token)
                    log.info("call.refused", call_id=call.call_id, reason=name)
        except Fenced:
            log.info("call.taken_over", call_id=call.call_id)

    async def _open(self, held: Held) -> None:
        call_id = held.call.call_id
        room = room_name(call_id, held.call.attempt + 1)
        call, disposition = await self._records.report(call_id, Report(Event.CLAIMED, room=room), token=held.token)
        if disposition is Disposition.REPEATED:
            await self._records.release(call_id, held.token)
            return
        try:
            await self._rooms.open(room, CallJob(call_id=call_id, attempt=call.attempt, token=held.token))
        except UNREACHABLE as error:
            log.warning("room.not_opened", call_id=call_id, attempt=call.attempt, error=type(error).__name__)
            again = retry_at(call, Outcome.INFRASTRUCTURE, self._records.now())
            failed = Report(Event.ATTEMPT_FAILED, Outcome.INFRASTRUCTURE, "LiveKit could not make a room.", retry_at=again)
            await self._records.report(call_id, failed, token=held.token)
        else:
            log.info("call.placing", call_id=call_id, attempt=call.attempt)
