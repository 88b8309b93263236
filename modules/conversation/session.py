"""A personality as a LiveKit session. Every option that could reach for LiveKit's cloud is set here, explicitly.

The lean options (16 kHz, no gain control, no text streams) cost a third less CPU than the framework's defaults.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable

from livekit import rtc
from livekit.agents import (
    NOT_GIVEN,
    Agent,
    AgentSession,
    FlushSentinel,
    ModelSettings,
    StopResponse,
    inference,
    llm,
    stt,
    vad,
)
from livekit.agents.voice import room_io

from modules.conversation.call_script import CallScript
from modules.conversation.deadlines import Deadlines
from modules.conversation.machine import Machine
from modules.conversation.speech import Voice
from modules.conversation.speech.chain import connect_options
from modules.conversation.speech.punctual_stt import Unheard
from modules.conversation.turn_taking import detector, end_of_turn
from modules.sip_management import CALLEE

_RATE = 16_000
# Shorter than a personality's end of turn, so that `endpointing_s` decides and not the detector.
_DETECTOR_SILENCE_S = 0.2
# A model that thinks somebody has not finished may wait for more this long; then their silence is our turn.
_LONGEST_END_S = 2.0
# What is heard waits for a frame to fill: 50 ms costs a call a tenth more CPU than 100 ms and answers about 40 ms sooner.
_FRAME_MS = 50


def voice_activity() -> vad.VAD:
    """Return the local voice detector; made once per process, in prewarm."""
    return inference.VAD(model="silero", min_silence_duration=_DETECTOR_SILENCE_S)


def make_session(script: CallScript, voice: Voice, activity: vad.VAD) -> AgentSession[None]:
    """Return the session of one call, not started yet."""
    turns = script.personality.content.turns
    return AgentSession(
        stt=voice.stt,
        llm=voice.llm,
        tts=voice.tts,
        vad=detector(turns, activity),
        turn_handling={
            "turn_detection": end_of_turn(turns),
            "endpointing": {
                "mode": "fixed",
                "min_delay": turns.endpointing_s,
                "max_delay": max(_LONGEST_END_S, turns.endpointing_s),
            },
            "interruption": {
                "enabled": turns.interruptions,
                "mode": "vad",
                "min_duration": 0.5,
                "discard_audio_if_uninterruptible": False,  # what is said into the greeting counts, a mailbox's words above all
            },
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
        conn_options=connect_options(Deadlines()),
        user_away_timeout=turns.nudge_after_s,
        aec_warmup_duration=None,  # a telephone cancels its own echo
        session_close_transcript_timeout=1.0,
    )


def room_options(identity: str = CALLEE) -> room_io.RoomOptions:
    """Return how the session sits in its room: linked to that phone only; we alone decide when the room closes."""
    publish = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=False)
    return room_io.RoomOptions(
        text_input=False,
        text_output=False,
        audio_input=room_io.AudioInputOptions(
            sample_rate=_RATE, frame_size_ms=_FRAME_MS, auto_gain_control=False, pre_connect_audio=False
        ),
        audio_output=room_io.AudioOutputOptions(sample_rate=_RATE, track_publish_options=publish),
        participant_kinds=[rtc.ParticipantKind.PARTICIPANT_KIND_SIP],
        participant_identity=identity,
        close_on_disconnect=False,
        delete_room_on_close=False,
    )


class Caller(Agent):
    """The agent of one call."""

    def __init__(
        self, script: CallScript, tools: list[llm.Tool | llm.Toolset], unheard: Unheard, machine: Machine | None = None,
        takes_up: Callable[[llm.ChatMessage], None] = lambda said: None,
    ) -> None:  # fmt: skip
        """Make the agent; `takes_up` is told what a realtime model answers now, of which LiveKit itself tells no words."""
        super().__init__(instructions=script.instructions, tools=tools, turn_detection=NOT_GIVEN)
        self._unheard = unheard
        self._machine = machine
        self._takes_up = takes_up

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """Answer nothing to a mailbox that is dealt with by itself."""
        if self._machine and self._machine.known:
            raise StopResponse
        if isinstance(self.session.llm, llm.RealtimeModel):
            self._takes_up(new_message)

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterator[stt.SpeechEvent | str]:
        """Hear as every agent does, with one more ear for a mailbox's beep; what has no words yet is kept."""
        async for event in Agent.default.stt_node(self, self._overheard(audio), model_settings):
            if not isinstance(event, str) and event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                self._unheard.understood()
            yield event

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterator[llm.ChatChunk | str | FlushSentinel]:
        """Think as every agent does; an answer begun anew by another model is a sentence of its own."""
        answer = ""
        async for chunk in Agent.default.llm_node(self, chat_ctx, tools, model_settings):
            if isinstance(chunk, llm.ChatChunk):
                if answer and chunk.id != answer:
                    yield FlushSentinel()
                answer = chunk.id
            yield chunk

    async def _overheard(self, audio: AsyncIterable[rtc.AudioFrame]) -> AsyncIterator[rtc.AudioFrame]:
        async for frame in audio:
            if self._machine:
                self._machine.hears(frame)
            self._unheard.keep(frame)
            yield frame
