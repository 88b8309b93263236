"""How a call notices that somebody speaks and that they have finished, as a personality's `turns` say. All of it runs here."""

from typing import Literal

from livekit.agents import inference, vad

from modules.conversation.personality import Turns


def detector(turns: Turns, prepared: vad.VAD) -> vad.VAD:
    """Return what notices speech: the one prepared with the process, or Silero's plugin, which takes 0.1 s to load."""
    if turns.vad == "local":
        return prepared
    from livekit.plugins import silero

    return silero.VAD.load(min_silence_duration=0.2)


def end_of_turn(turns: Turns) -> Literal["vad", "stt"] | inference.TurnDetector:
    """Return what notices the end of a turn. The model is named: without a version LiveKit may choose the one in its cloud."""
    if turns.detection == "v1-mini":
        return inference.TurnDetector(version="v1-mini")
    return turns.detection
