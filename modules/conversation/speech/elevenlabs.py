"""ElevenLabs: text to speech by websocket."""

from typing import TYPE_CHECKING, Any

from config import Settings
from modules.conversation.personality import Speaking
from modules.conversation.speech.missing import need
from modules.conversation.vendors import vendor

if TYPE_CHECKING:
    from livekit.agents import tts

_HOME = "https://api.elevenlabs.io"


def speaking(component: Speaking, settings: Settings) -> "tts.TTS[Any]":
    """Return ElevenLabs' streaming synthesis; `voice` is a voice's id. Raises MissingKey."""
    from livekit.plugins import elevenlabs

    us = vendor("tts", "elevenlabs")
    return elevenlabs.TTS(
        voice_id=component.voice or us.voice,
        model=component.model or us.model,
        language=component.language,
        encoding="pcm_16000",
        api_key=need(us, settings)["ELEVEN_API_KEY"],
        base_url=f"{component.base_url or _HOME}/v1",
    )
