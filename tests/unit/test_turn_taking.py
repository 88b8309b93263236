"""How a personality says who notices speech and its end: each choice is an object of its own, none in anybody's cloud."""

from typing import Any

import pytest
from livekit.agents import AgentSession, inference
from livekit.plugins import silero
from pydantic import ValidationError

from modules.conversation.personality import Hearing, Personality, Turns
from modules.conversation.session import voice_activity
from modules.conversation.turn_taking import detector, end_of_turn
from modules.conversation.vendors import names, vendor

pytestmark = pytest.mark.unit


def test_the_prepared_detector_is_the_default() -> None:
    """Nothing is loaded when a call begins."""
    prepared = voice_activity()
    assert detector(Turns(), prepared) is prepared
    assert isinstance(detector(Turns(vad="silero"), prepared), silero.VAD)


@pytest.mark.parametrize("choice", ["vad", "stt", "v1-mini"])
async def test_the_session_gets_what_the_personality_says(choice: Any) -> None:
    """What I wrote is what decides when I have finished."""
    chosen = end_of_turn(Turns(detection=choice))
    session: AgentSession[None] = AgentSession(vad=voice_activity(), turn_handling={"turn_detection": chosen})
    assert session.turn_detection is chosen
    if isinstance(chosen, inference.TurnDetector):
        assert chosen.model == "turn-detector-v1-mini"
    else:
        assert chosen == choice


def test_the_model_in_the_cloud_cannot_be_named() -> None:
    """No word of a personality sends a call's sound to LiveKit."""
    with pytest.raises(ValidationError, match="'vad', 'stt' or 'v1-mini'"):
        Turns.model_validate({"detection": "v1"})


def test_a_realtime_model_leaves_the_end_of_a_turn_to_the_call() -> None:
    """`detection: stt` is refused beside it: LiveKit would take no notice of it."""
    written = {
        "name": "x", "greeting": "Hello.", "turns": {"detection": "stt"},
        "components": {"stt": {"provider": "deepgram"}, "llm": {"provider": "openai_realtime"}, "tts": {"provider": "local"}},
    }  # fmt: skip
    with pytest.raises(ValidationError, match="cannot be stt with openai_realtime; use vad or v1-mini"):
        Personality.model_validate(written)


@pytest.mark.parametrize("name", names("stt"))
def test_a_listener_that_cannot_tell_the_end_is_refused(name: str) -> None:
    """`detection: stt` needs a vendor who says when somebody has finished."""
    written = {
        "name": "x", "greeting": "Hello.", "turns": {"detection": "stt"},
        "components": {"stt": [Hearing(provider=name)], "llm": [{"provider": "openai"}], "tts": [{"provider": "local"}]},
    }  # fmt: skip
    if vendor("stt", name).tells_the_end:
        assert Personality.model_validate(written).turns.detection == "stt"
    else:
        with pytest.raises(ValidationError, match=f"{name} does not tell when somebody has finished"):
            Personality.model_validate(written)
