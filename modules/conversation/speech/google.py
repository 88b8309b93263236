"""Google: speech by Google Cloud (a service account's file), language models by the Gemini API (a key). An extra to install."""

from typing import TYPE_CHECKING, Any

from config import Settings
from modules.conversation.personality import Hearing, Speaking, Thinking
from modules.conversation.speech.missing import need
from modules.conversation.speech.openai import temperature
from modules.conversation.vendors import vendor

if TYPE_CHECKING:
    from livekit.agents import llm, stt, tts

_HOME = "https://generativelanguage.googleapis.com"


def hearing(component: Hearing, settings: Settings) -> "stt.STT[Any]":
    """Return Google Cloud's streaming recogniser. Raises MissingKey."""
    from livekit.plugins import google

    us = vendor("stt", "google")
    return google.STT(
        languages=component.language,
        detect_language=False,
        model=component.model or us.model,
        credentials_file=need(us, settings)["GOOGLE_APPLICATION_CREDENTIALS"],
    )


def thinking(component: Thinking, settings: Settings) -> "llm.LLM[Any]":
    """Return a Gemini model. Raises MissingKey."""
    from google.genai.types import HttpOptions
    from livekit.plugins import google

    us = vendor("llm", "google")
    return google.LLM(
        model=component.model or us.model,
        api_key=need(us, settings)["GOOGLE_API_KEY"],
        vertexai=False,
        http_options=HttpOptions(base_url=component.base_url or _HOME),
        **temperature(component),
    )


def speaking(component: Speaking, settings: Settings) -> "tts.TTS[Any]":
    """Return Google Cloud's streaming synthesis. Raises MissingKey."""
    from livekit.plugins import google

    us = vendor("tts", "google")
    return google.TTS(
        language=component.language,
        voice_name=component.voice or f"{component.language}-{us.voice}",
        model_name=component.model or us.model,
        sample_rate=16000,
        credentials_file=need(us, settings)["GOOGLE_APPLICATION_CREDENTIALS"],
    )
