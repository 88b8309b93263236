"""One call, from the agent's entry into its room to the last written word.

The order is the promise: session first, greeting while it rings, dial, speak with the answer, converse, hang up by deleting
the room, write the end. Whatever ends the call goes through Ending; only `_close` hangs up, and only it reports an end.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from livekit import rtc
from livekit.agents import NOT_GIVEN, AgentSession, llm
from livekit.agents.voice import AgentStateChangedEvent, CloseEvent, ErrorEvent, UserInputTranscribedEvent, UserStateChangedEvent

from modules.call_queue_manager import Held
from modules.calls import Direction, Event, Outcome, Report, State
from modules.calls.errors import Unavailable, VoicefleetError
from modules.calls.retry import retry_at
from modules.conversation.call_script import CallScript
from modules.conversation.ending import Closing, Ending
from modules.conversation.keypad import Keypad
from modules.conversation.machine import Machine
from modules.conversation.phone_line import Failed
from modules.conversation.prepared import Prepared
from modules.conversation.scribe import Scribe
from modules.conversation.session import Caller, room_options
from modules.conversation.speech import Voice
from modules.conversation.speech.punctual import NOTHING_TO_SAY
from modules.conversation.speech.vendor_errors import is_final, session_failure
from modules.conversation.tools import Hands, tools_of
from modules.conversation.transcript import Transcript
from modules.conversation.unasked import Unasked
from modules.conversation.voicemail import is_machine
from modules.metrics_logger import get_logger
from modules.sip_management import CALLEE

log = get_logger("voice_agent")

# livekit-agents kills a job 15 s after its room is gone; the end must be written by then.
_LAST_WORDS_S = 3.0
# An inbound caller lets it ring this much longer at most, for a voice that is slow with the first words.
_FIRST_WORDS_S = 4.0
_WRITE_END_S = 10.0
# How a phone leaves by its owner's hand. Any other way it was lost, e.g. with livekit-server.
_BY_HAND = (
    rtc.DisconnectReason.CLIENT_INITIATED, rtc.DisconnectReason.USER_REJECTED, rtc.DisconnectReason.USER_UNAVAILABLE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """What one call needs from its process: the room, the way to the phone, and the way to hang up."""

    room: rtc.Room
    connect: Callable[[], Awaitable[None]]
    ring: Callable[[Held, Callable[[], None]], Awaitable[Failed | None]]
    delete_room: Callable[[], Awaitable[None]]
    hand_over: Callable[[str], Awaitable[str]]
    """To a number; "" or why it failed."""
    identity: str = CALLEE
    """The phone's, in the room."""


class CallRunner:
    """Runs one call to its end."""

    def __init__(
        self, desk: Desk, held: Held, scribe: Scribe, script: CallScript, voice: Voice, session: AgentSession[None],
        ending: Ending,
    ) -> None:  # fmt: skip
        self._desk = desk
        self._held = held
        self._scribe = scribe
        self._script = script
        self._voice = voice
        self._session = session
        self._ending = ending
        self._transcript = Transcript(scribe, hides_keys=script.personality.content.turns.keys == "hidden")
        self._greeting = Prepared(script.greeting)
        self._unasked = Unasked(
            session, script.personality.content, self._transcript, voice.unheard, self._hang_up, self._broke
        )  # fmt: skip
        self._inbound = held.call.direction is Direction.INBOUND
        wanted = None if self._inbound else script.personality.content.voicemail  # whoever calls us is no mailbox
        self._machine = Machine(script, wanted, session, voice.writer, self._transcript, self._unasked.dead_air, self._hang_up)
        self._unasked.muted = lambda: self._machine.known
        self._keypad = Keypad(session, self._transcript, self._unasked.dead_air, self._answers_keys)
        self._state = held.call.state
        self._handing_over = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Converse and hang up; returns when the end is written."""
        self._start(self._converse(), "converse")
        try:
            closing = await self._ending.wait()
        except asyncio.CancelledError:
            # The worker's main process is gone; this process has seconds. Nobody may be left on a silent line.
            self._broke("the worker was stopped", Outcome.AGENT_FAILED)
            await self._close(await self._ending.wait())
            raise
        await self._close(closing)

    async def _converse(self) -> None:
        self._watch()
        await self._desk.connect()
        if self._inbound:  # the agent's sound is what answers the phone, so the first words are ready before it
            await self._first_words()
        self._start(self._prepare(), "sentences")
        agent = Caller(self._script, self._tools(), self._voice.unheard, self._machine, self._takes_up)
        options = room_options(self._desk.identity)
        await self._session.start(agent, room=self._desk.room, room_options=options, session_host=False, record=False)
        self._unasked.watch_the_sound()
        if isinstance(self._voice.llm, llm.RealtimeModel):
            agent.realtime_llm_session.on(NOTHING_TO_SAY, self._unasked.dead_air.had_nothing_to_say)
        failed = await self._desk.ring(self._held, self._dialing)
        if failed:
            self._ending.decide(failed.report, failed.why)
            return
        self._picked_up()

    async def _prepare(self) -> None:
        if not self._greeting.ready:
            await self._greeting.prepare(self._voice.tts)
        await self._unasked.prepare(self._voice.tts)

    async def _first_words(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_WORDS_S):
                await self._greeting.prepare(self._voice.tts)

    def _tools(self) -> list[llm.Tool | llm.Toolset]:
        over = lambda: self._hang_up("the agent said goodbye")  # noqa: E731
        return tools_of(self._script.personality.content, Hands(self._desk.room, over, self._hand_over, self._transcript.pressed))

    async def _hand_over(self, name: str, number: str) -> str:
        """Hand the phone over; return "" when it is theirs, else why not. Until that is known, its leaving means nothing."""
        self._handing_over = True
        self._unasked.dead_air.spoke()
        try:
            failed = await self._desk.hand_over(number)
        finally:
            self._handing_over = False
        if not failed:
            self._ending.decide(Report(Event.TRANSFERRED, reason=f"Handed over to {name}."), "handed over")
        elif self._desk.identity not in self._desk.room.remote_participants:
            self._hang_up("they hung up while they were being handed over")
        else:
            self._scribe.note("call.not_handed_over", {"to": name, "reason": failed})
        return failed

    def _dialing(self) -> None:
        if self._state is State.PLACING:  # a phone that rings us may have been answered already, as it hears the agent
            self._state = State.RINGING

    def _picked_up(self) -> None:
        """The phone was answered; told by the leg's status or by the dial request, whichever comes first."""
        if self._state is not State.RINGING or self._ending.decided:
            return
        self._state = State.IN_PROGRESS
        self._transcript.answered()
        self._scribe.report(Report(Event.ANSWERED))
        self._unasked.dead_air.owe(firm=True)
        self._start(self._unasked.at_the_limit(self._max_call_s()), "time limit")
        self._start(self._unasked.never_silent(), "dead air")
        self._start(self._machine.deal(), "machine")
        try:
            sound = self._greeting.frames() if self._greeting.ready else NOT_GIVEN
            greeting = self._session.say(self._greeting.text, audio=sound, allow_interruptions=False)
            self._start(self._unasked.to_what_was_said_into(greeting), "answer")
        except RuntimeError:  # the session is closing; LiveKit would swallow this, as it calls us from the room's events
            self._broke("the agent could not speak", Outcome.AGENT_FAILED)

    def _watch(self) -> None:
        room, session = self._desk.room, self._session
        self._transcript.listen(session)
        self._keypad.listen(room, self._desk.identity)
        room.on("participant_attributes_changed", self._leg_changed)
        room.on("participant_disconnected", self._leg_left)
        room.on("disconnected", lambda _: self._broke("the room was closed", Outcome.INFRASTRUCTURE))
        session.on("agent_state_changed", self._agent_changed)
        session.on("user_state_changed", self._callee_changed)
        session.on("user_input_transcribed", self._heard)
        session.on("error", self._model_failed)
        session.on("close", self._session_closed)

    def _leg_changed(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if participant.identity == self._desk.identity and changed.get("sip.callStatus") == "active":
            self._picked_up()

    def _leg_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._desk.identity or self._state is not State.IN_PROGRESS or self._handing_over:
            return
        if participant.disconnect_reason in _BY_HAND:
            self._hang_up(f"the {'caller' if self._inbound else 'callee'} hung up")
        else:
            self._broke("the line was lost", Outcome.INFRASTRUCTURE)

    def _agent_changed(self, event: AgentStateChangedEvent) -> None:
        if event.new_state == "speaking" and self._transcript.count == 0:
            self._transcript.spoke_first()
        if event.new_state == "thinking":
            self._unasked.dead_air.owe()
        elif event.old_state == "thinking" and event.new_state != "speaking":
            self._unasked.dead_air.had_nothing_to_say()

    def _callee_changed(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._unasked.dead_air.they_speak()
            self._voice.unheard.began()
        elif event.old_state == "speaking":
            self._unasked.dead_air.they_stopped()
            self._voice.unheard.finished()
        if event.new_state == "away" and self._state is State.IN_PROGRESS and not self._handing_over:
            self._start(self._unasked.to_silence(), "silence")

    def _takes_up(self, said: llm.ChatMessage) -> None:
        self._transcript.taken_up(said)
        self._unasked.dead_air.owe()

    def _answers_keys(self) -> bool:
        return self._state is State.IN_PROGRESS and not (self._handing_over or self._ending.decided or self._machine.known)

    def _heard(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript.strip():
            self._unasked.dead_air.heard_words()

    def _max_call_s(self) -> float:
        own = self._script.personality.content.turns.max_call_s
        return min(self._held.call.max_call_s, own or self._held.call.max_call_s)

    def _model_failed(self, event: ErrorEvent) -> None:
        if self._state is State.IN_PROGRESS and is_final(event.error):
            self._unasked.failed(self._failure(event.error))

    def _session_closed(self, event: CloseEvent) -> None:
        self._broke(self._failure(event.error) if event.error is not None else "the session closed", Outcome.AGENT_FAILED)

    def _failure(self, error: object) -> str:
        return session_failure(error, self._script.personality.content.components)

    def _hang_up(self, why: str) -> None:
        machine = not self._inbound and is_machine(self._transcript.heard)
        outcome = Outcome.VOICEMAIL if machine else Outcome.COMPLETED
        self._ending.decide(Report(Event.HUNG_UP, outcome, f"{why[0].upper()}{why[1:]}."), why)

    def _broke(self, why: str, outcome: Outcome, *, retry: bool = True) -> None:
        sentence = f"{why[0].upper()}{why[1:]}."
        match self._state:
            case State.PLACING:
                again = retry_at(self._held.call, outcome, datetime.now(UTC)) if retry else None
                self._ending.decide(Report(Event.ATTEMPT_FAILED, outcome, sentence, retry_at=again), why)
            case State.RINGING if self._inbound:
                self._ending.decide(Report(Event.ATTEMPT_FAILED, outcome, sentence), why)
            case State.RINGING:
                self._ending.decide(Report(Event.LOST, Outcome.INDETERMINATE, sentence), why)
            case _:
                self._ending.decide(Report(Event.LOST, outcome, sentence), why)

    def _start(self, work: Awaitable[None], name: str) -> None:
        async def guarded() -> None:
            try:
                await work
            except Unavailable:
                self._broke("Redis was away", Outcome.INFRASTRUCTURE)
            except rtc.ConnectError:
                self._broke("LiveKit was away", Outcome.INFRASTRUCTURE)
            except VoicefleetError as error:
                self._broke(error.message, Outcome.AGENT_FAILED)
            except Exception as error:
                log.exception("call.crashed", call_id=self._held.call.call_id, task=name)
                self._broke(f"the agent crashed ({type(error).__name__})", Outcome.AGENT_FAILED)

        task = asyncio.create_task(guarded(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close(self, closing: Closing) -> None:
        """Hang up and write the end. Only where the phone has left a conversation are its last words heard out first."""
        for task in list(self._tasks):
            task.cancel()
        if self._state is State.IN_PROGRESS and self._desk.identity not in self._desk.room.remote_participants:
            await self._last_words()
        self._keypad.line_is_cut()
        self._transcript.keep_unanswered()
        gone = await self._delete_room()
        if closing.report:
            self._scribe.report(closing.report, release=gone)
        elif gone:
            self._scribe.release()
        log.info("call.closed", call_id=self._held.call.call_id, why=closing.why)
        await self._scribe.finish(_WRITE_END_S)

    async def _last_words(self) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._session.aclose()

    async def _delete_room(self) -> bool:
        """The one place that hangs up. False: LiveKit did not answer; the lease then stays and the reaper ends the room."""
        try:
            async with asyncio.timeout(3):
                await self._desk.delete_room()
        except Exception as error:
            log.warning("room.not_closed", call_id=self._held.call.call_id, error=type(error).__name__)
            return False
        return True
