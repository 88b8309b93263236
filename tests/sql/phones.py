"""Calls as the fleet makes them, through the real queue and records, without an orchestrator or a worker."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from modules.call_queue_manager import CallQueue, Held, Records
from modules.calls import Call, Direction, Event, Outcome, Report, new_call_id, room_name

NUMBER = "+12025550100"


@dataclass(frozen=True, slots=True)
class Phones:
    """The parties of calls: who asks for one, who takes it, who speaks."""

    queue: CallQueue
    records: Records

    async def ask(self, created_at: datetime | None = None, **facts: Any) -> Call:
        """Queue a call."""
        now = created_at or datetime.now(UTC)
        known: dict[str, Any] = {"to_number": NUMBER, "personality": "gym", "trunk": "simulated", "simulated": True} | facts
        call_id = new_call_id(Direction.OUTBOUND, now)
        call = Call(call_id=call_id, created_at=now, expires_at=datetime.now(UTC) + timedelta(hours=1), **known)
        await self.queue.enqueue(call)
        return call

    async def take(self) -> Held:
        """Claim the next call and say that it is being placed."""
        held = await self.queue.claim(limit=1000, calls_per_second=1000, lease_s=7)
        assert held is not None
        room = room_name(held.call.call_id, held.call.attempt + 1)
        return await self.tell(held, Report(Event.CLAIMED, room=room))

    async def tell(self, held: Held, report: Report) -> Held:
        """Report what happened to a call somebody holds."""
        call, _ = await self.records.report(held.call.call_id, report, token=held.token)
        return Held(call, held.token)

    async def answer(self, held: Held) -> Held:
        """Dial, and somebody picks up."""
        held = await self.records.take(held, "call.agent_ready", worker_id="worker-1") or held
        held = await self.tell(held, Report(Event.DIALING))
        return await self.tell(held, Report(Event.ANSWERED))

    async def say(self, held: Held, index: int, text: str, **facts: Any) -> None:
        """Somebody speaks; the agent has the even turns."""
        speaker = "callee" if index % 2 else "agent"
        turn = {"index": index, "speaker": speaker, "text": text, "start_s": 2.0 * index, "end_s": 2.0 * index + 1.5}
        await self.records.note(held, "call.turn", turn | {"interrupted": False, "latency_ms": 400} | facts)

    async def hang_up(self, held: Held) -> Call:
        """The conversation is over."""
        return (await self.tell(held, Report(Event.HUNG_UP))).call

    async def whole(self, *said: str, **facts: Any) -> Call:
        """One call from request to hang-up."""
        await self.ask(**facts)
        held = await self.answer(await self.take())
        for index, text in enumerate(said):
            await self.say(held, index, text)
        return await self.hang_up(held)

    async def refused(self, outcome: Outcome, code: int, **facts: Any) -> Call:
        """One call that nobody picks up."""
        await self.ask(**facts)
        held = await self.tell(await self.take(), Report(Event.DIALING))
        failed = Report(Event.ATTEMPT_FAILED, outcome, "The line is busy.", sip_status_code=code)
        return (await self.tell(held, failed)).call
