"""Cartesia: text to speech by websocket."""

from typing import TYPE_CHECKING, Any

from config import Settings
from modules.conversation.personality import Speaking
from modules.conversation.speech.missing import need
from modules.conversation.vendors import vendor

if TYPE_CHECKING:
    from livekit.agents import tts

_HOME = "https://api.cartesia.ai"


def speaking(component: Speaking, settings: Settings) -> "tts.TTS[Any]":
    """Return Cartesia's streaming synthesis; `voice` is a voice's id. Raises MissingKey."""
    from livekit.plugins import cartesia

    us = vendor("tts", "cartesia")
    return cartesia.TTS(
        model=component.model or us.model,
        voice=component.voice or us.voice,
        language=component.language,
        sample_rate=16000,
        api_key=need(us, settings)["CARTESIA_API_KEY"],
        base_url=component.base_url or _HOME,
    )
