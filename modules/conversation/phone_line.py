"""From a waiting agent to an answered phone: the carrier's turn, the gate once more, `dialing` on disk, then the one request.

Nothing here is ever repeated for one attempt. What came of the request is told by its answer; no answer means nobody knows.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from livekit import api, rtc

from modules.call_queue_manager import CallQueue, Held, Pacing, Records
from modules.calls import Call, Disposition, Event, Outcome, Report
from modules.calls.errors import NotFound, Unavailable
from modules.calls.gate import Allowed, NotBefore, Policy, Refusal, decide
from modules.calls.retry import retry_at
from modules.metrics_logger import get_logger
from modules.sip_management import CALLEE, Trunk, dial, meaning_of

log = get_logger("voice_agent")


@dataclass(frozen=True, slots=True)
class Failed:
    """No conversation: what to report. `report` None: the call is somebody else's or has ended."""

    report: Report | None
    why: str


class PhoneLine:
    """One attempt's way to the telephone."""

    def __init__(self, records: Records, queue: CallQueue, pacing: Pacing, policy: Policy, trunk: Trunk) -> None:
        self._records = records
        self._queue = queue
        self._pacing = pacing
        self._policy = policy
        self._trunk = trunk

    async def ring(self, held: Held, room: rtc.Room, lkapi: api.LiveKitAPI, dialing: Callable[[], None]) -> Failed | None:
        """Dial and wait for the answer; None = answered. `dialing` is called when the point of no return is on disk.

        `lkapi` speaks to the trunk's SIP API. Raises Unavailable when Redis is away before anything was dialled.
        """
        ticket = await self._pacing.turn(held.call.call_id)
        refused = await self._gate(held) or await self._on_disk(held)
        if refused:
            return refused
        dialing()
        leaving = asyncio.create_task(self._leaving(ticket, room), name="dial leaving")
        try:
            line = await dial(lkapi, self._trunk, held.call)
        except Exception as error:
            return await self._failed(held, error)
        finally:
            leaving.cancel()
        log.info("call.answered", call_id=held.call.call_id, sip_call_id=line.sip_call_id)
        return None

    async def _leaving(self, ticket: str, room: rtc.Room) -> None:
        """Tell the pacing when the request has arrived: the phone's leg joins the room before the INVITE leaves."""
        joined = asyncio.Event()
        room.on("participant_connected", lambda participant: joined.set() if participant.identity == CALLEE else None)
        try:
            await joined.wait()
        finally:
            with contextlib.suppress(Unavailable):
                await self._pacing.left(ticket)

    async def _gate(self, held: Held) -> Failed | None:
        now = self._records.now()
        barred = await self._queue.barred(held.call.to_number)
        match decide(held.call, self._policy, now, paused=await self._queue.paused(), do_not_call=barred):
            case Allowed():
                return None
            case NotBefore(at, reason):
                return Failed(Report(Event.ATTEMPT_FAILED, Outcome.BLOCKED, reason, retry_at=at), reason)
            case Refusal(name, reason):
                return Failed(Report(Event.BLOCKED, reason=f"{name}: {reason}"), reason)

    async def _on_disk(self, held: Held) -> Failed | None:
        """Write `dialing`; nothing is dialled unless Redis has confirmed it."""
        call_id = held.call.call_id
        try:
            _, disposition = await self._records.report(call_id, Report(Event.DIALING), token=held.token)
        except Unavailable:
            # It may have been written or not; either way no INVITE has left, so this attempt failed safely.
            return Failed(_nothing_sent(held, "Redis was away at the moment of dialling.", self._records.now()), "redis away")
        except NotFound:
            return Failed(None, "the call is unknown")
        return Failed(None, "the call has ended") if disposition is Disposition.REPEATED else None

    async def _failed(self, held: Held, error: Exception) -> Failed:
        meaning, sip_status = meaning_of(error)
        log.info(
            "call.not_answered", call_id=held.call.call_id, outcome=meaning.outcome.value, sip_status_code=sip_status,
            error=type(error).__name__,
        )  # fmt: skip
        if meaning.outcome is Outcome.INDETERMINATE:
            return Failed(Report(Event.LOST, Outcome.INDETERMINATE, meaning.sentence), "no clear answer")
        call = await self._now(held)
        again = retry_at(call, meaning.outcome, self._records.now())
        report = Report(Event.ATTEMPT_FAILED, meaning.outcome, meaning.sentence, sip_status, retry_at=again)
        return Failed(report, meaning.outcome.value)

    async def _now(self, held: Held) -> Call:
        try:
            return await self._records.load(held.call.call_id)
        except (Unavailable, NotFound):
            return held.call


def _nothing_sent(held: Held, reason: str, now: datetime) -> Report:
    again = retry_at(held.call, Outcome.INFRASTRUCTURE, now)
    return Report(Event.ATTEMPT_FAILED, Outcome.INFRASTRUCTURE, reason, retry_at=again)
