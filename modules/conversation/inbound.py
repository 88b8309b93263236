"""A call that came in: who is it for, may it be taken now, and then either the conversation or one polite sentence.

The phone rings while all this happens; it is answered when the agent can be heard, with the first word ready. Every call has
a record, also one that is turned away.
"""

import asyncio
import contextlib
from dataclasses import replace

from livekit import rtc
from livekit.agents import JobContext, vad

from config import Settings
from modules.call_queue_manager import Admission, FrontDoor, Held, Records, SourceLimits, Store, Workers, connect
from modules.calls import Call, arriving
from modules.calls.errors import Unavailable, UnknownPersonality
from modules.calls.job import InboundJob
from modules.conversation.assembly import CALLER_NUMBER, CONTACT_NAME
from modules.conversation.call_runner import Desk
from modules.conversation.call_script import Composer
from modules.conversation.contacts import name_of
from modules.conversation.farewell import Farewell
from modules.conversation.hand_over import HandOver
from modules.conversation.inbound_line import InboundLine
from modules.conversation.inbound_route import answering
from modules.conversation.personalities import Personalities, personalities_of
from modules.conversation.personality import Personality
from modules.conversation.taken_call import Said, TakenCall, cut, hang_up, worker_id
from modules.conversation.turned_away import turned_away
from modules.metrics_logger import get_logger
from modules.sip_management.phone import Phone, trunk_of
from modules.strict_yaml import YamlError

log = get_logger("voice_agent")

# livekit-sip is in the room before its agent; only a caller who gave up at once is not.
_PHONE_S = 5.0


async def receive(ctx: JobContext, settings: Settings, activity: vad.VAD, job: InboundJob) -> None:
    """Take the call that rings in this job's room, unless another agent has it already."""
    await ctx.connect()
    phone = await _phone(ctx.room, settings)
    if phone is None:
        log.info("inbound.nobody_there")
        await hang_up(ctx)
        ctx.shutdown("nobody there")
        return
    async with contextlib.AsyncExitStack() as closing:
        try:
            store = await connect(settings.redis_url)
            closing.push_async_callback(store.close)
            visit = _Visit(ctx, settings, phone, store, personalities_of(settings))
            admission, held, said = await visit.noted(job)
        except Unavailable:
            log.error("inbound.not_taken", reason="Redis is away")  # what cannot be noted is not answered
            await hang_up(ctx)
            ctx.shutdown("Redis is away")
            return
        if admission is Admission.KNOWN:
            ctx.shutdown("not ours")
            return
        ctx.log_context_fields = {"call_id": held.call.call_id, "attempt": held.call.attempt}
        taken = TakenCall.begin(visit.records, held, closing)
        log.info("call.arrived", call_id=held.call.call_id, admission=admission.value, personality=held.call.personality)
        await visit.go_on(admission, taken, said, activity)
    ctx.shutdown("call over")


async def _phone(room: rtc.Room, settings: Settings) -> Phone | None:
    """Return the phone in this room; None where none comes."""
    came = asyncio.Event()
    room.on("participant_connected", lambda _: came.set())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PHONE_S):
            while True:
                for participant in room.remote_participants.values():
                    if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
                        return Phone.of(participant.identity, participant.attributes, settings.default_region)
                await came.wait()
                came.clear()
    return None


class _Visit:
    """One caller at the door."""

    def __init__(self, ctx: JobContext, settings: Settings, phone: Phone, store: Store, personalities: Personalities) -> None:
        self._ctx, self._settings, self._phone = ctx, settings, phone
        self._store, self._personalities = store, personalities
        self.records = Records(store, lease_s=settings.lease_s, retention_s=settings.retention_s)
        self._line = InboundLine(ctx.room, phone, settings.ring_timeout_s)

    async def noted(self, job: InboundJob) -> tuple[Admission, Held, Said]:
        """Write the call down. Raises Unavailable."""
        settings, said = self._settings, Said(Composer(self._personalities))
        call = self._call(job, await trunk_of(self._ctx.api, self._phone, settings.livekit_agent_name))
        if call.personality:
            call = replace(call, **said.facts(call))
        speaks = self._speaks(call)
        away = turned_away(Admission.OVERFLOW, call, speaks, self.records.now()) if speaks else None
        slots = sum(worker.slots for worker in await Workers(self._store).alive())
        admission, held = await FrontDoor(self._store, lease_s=settings.lease_s).arrive(
            call,
            most=min(settings.max_concurrent_calls, slots),
            limits=SourceLimits(settings.inbound_per_minute, settings.inbound_per_hour),
            beyond=settings.overflow_lines if away and away.instead else 0,
        )
        return admission, held, said

    async def go_on(self, admission: Admission, taken: TakenCall, said: Said, activity: vad.VAD) -> None:
        """Converse, or turn away; returns when the end is written and the line is cut."""
        speaks = self._speaks(taken.held.call)
        away = speaks and turned_away(admission, taken.held.call, speaks, self.records.now())
        identity = self._phone.identity
        away_to = HandOver(self._settings, self._store, taken.held, self._ctx.job.room.name, identity)
        if speaks and away:
            await Farewell(self._ctx, self._settings, self._line, taken, speaks, away, activity, away_to.to).say()
            return
        desk = Desk(self._ctx.room, _nothing, self._line.ring, lambda: hang_up(self._ctx), away_to.to, identity)
        runner = taken.runner(desk, self._settings, activity, said)
        if runner:
            await runner.run()
        else:
            await cut(self._ctx, taken, None)

    def _call(self, job: InboundJob, trunk: str) -> Call:
        settings, phone = self._settings, self._phone
        name = name_of(phone.caller, settings.contacts_file)
        return arriving(
            self.records.now(),
            to_number=phone.called,
            from_number=phone.caller,
            personality=answering(job, phone, self._personalities, settings),
            trunk=trunk,
            simulated=phone.simulated,
            caller_name=name,
            variables=job.variables | {CALLER_NUMBER: phone.caller, CONTACT_NAME: name},
            metadata={"sip_call_id": phone.sip_call_id},
            max_call_s=settings.max_call_s,
            ring_timeout_s=settings.ring_timeout_s,
            worker_id=worker_id(),
            room=self._ctx.room.name,
        )

    def _speaks(self, call: Call) -> Personality | None:
        """Whose voice the caller hears; the default's where nobody answers."""
        try:
            name = call.arm or call.personality or self._settings.default_personality
            return self._personalities.load(name).content
        except (UnknownPersonality, YamlError):
            return None


async def _nothing() -> None:
    """The room was entered before: who calls is told there."""
