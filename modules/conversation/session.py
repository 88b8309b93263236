"""A personality as a LiveKit session. Every option that could reach for LiveKit's cloud is set here, explicitly.

The lean options (16 kHz, no gain control, no text streams) cost a third less CPU than the framework's defaults.
"""

from collections.abc import AsyncIterable, AsyncIterator

from livekit import rtc
from livekit.agents import (
    NOT_GIVEN,
    Agent,
    AgentSession,
    ModelSettings,
    StopResponse,
    inference,
    llm,
    stt,
    vad,
)
from livekit.agents.voice import room_io

from modules.conversation.call_script import CallScript
from modules.conversation.machine import Machine
from modules.conversation.speech import Voice
from modules.conversation.turn_taking import detector, end_of_turn
from modules.sip_management import CALLEE

_RATE = 16_000
# Shorter than a personality's end of turn, so that `endpointing_s` decides and not the detector.
_DETECTOR_SILENCE_S = 0.2
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
            "endpointing": {"mode": "fixed", "min_delay": turns.endpointing_s, "max_delay": 3.0},
            "interruption": {
                "enabled": turns.interruptions,
                "mode": "vad",
                "min_duration": 0.5,
                "discard_audio_if_uninterruptible": False,  # what is said into the greeting counts, a mailbox's words above all
            },
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
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

    def __init__(self, script: CallScript, tools: list[llm.Tool | llm.Toolset], machine: Machine | None = None) -> None:
        super().__init__(instructions=script.instructions, tools=tools, turn_detection=NOT_GIVEN)
        self._machine = machine

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """Answer nothing to a mailbox that is dealt with by itself."""
        if self._machine and self._machine.known:
            raise StopResponse

    def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterable[stt.SpeechEvent | str]:
        """Hear as every agent does, with one more ear for a mailbox's beep."""
        return Agent.default.stt_node(self, self._overheard(audio), model_settings)

    async def _overheard(self, audio: AsyncIterable[rtc.AudioFrame]) -> AsyncIterator[rtc.AudioFrame]:
        async for frame in audio:
            if self._machine:
                self._machine.hears(frame)
            yield frame
