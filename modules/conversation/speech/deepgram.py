"""Deepgram: speech to text and text to speech, both by websocket."""

from typing import TYPE_CHECKING, Any, get_args

from config import Settings
from modules.conversation.personality import Hearing, Speaking
from modules.conversation.speech.missing import need
from modules.conversation.vendors import vendor

if TYPE_CHECKING:
    from livekit.agents import stt, tts

_HOME = "https://api.deepgram.com"


def hearing(component: Hearing, settings: Settings) -> "stt.STT[Any]":
    """Return Deepgram's streaming recogniser. Raises MissingKey."""
    from livekit.plugins import deepgram
    from livekit.plugins.deepgram.models import DeepgramLanguages

    us = vendor("stt", "deepgram")
    # Of most languages Deepgram knows no countries: de-DE is refused, de is German.
    known = component.language in get_args(DeepgramLanguages)
    return deepgram.STT(
        model=component.model or us.model,
        language=component.language if known else component.language.partition("-")[0],
        api_key=need(us, settings)["DEEPGRAM_API_KEY"],
        base_url=f"{component.base_url or _HOME}/v1/listen",
    )


def speaking(component: Speaking, settings: Settings) -> "tts.TTS[Any]":
    """Return Deepgram's speech synthesis; a voice is also its model and its language. Raises MissingKey."""
    from livekit.plugins import deepgram

    us = vendor("tts", "deepgram")
    return deepgram.TTS(
        model=component.voice or component.model or us.voice,
        sample_rate=16000,
        api_key=need(us, settings)["DEEPGRAM_API_KEY"],
        base_url=f"{component.base_url or _HOME}/v1/speak",
    )
