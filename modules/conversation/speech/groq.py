"""Groq: speech to text and language models, both in OpenAI's format at Groq's address."""

from typing import TYPE_CHECKING, Any

from config import Settings
from modules.conversation.personality import Hearing, Thinking
from modules.conversation.speech.missing import need
from modules.conversation.speech.openai import temperature
from modules.conversation.vendors import vendor

if TYPE_CHECKING:
    from livekit.agents import llm, stt

_HOME = "https://api.groq.com/openai/v1"


def hearing(component: Hearing, settings: Settings) -> "stt.STT[Any]":
    """Return Groq's recogniser: one request for each thing said. Raises MissingKey."""
    from livekit.plugins import groq

    us = vendor("stt", "groq")
    return groq.STT(
        model=component.model or us.model,
        language=component.language.partition("-")[0],
        api_key=need(us, settings)["GROQ_API_KEY"],
        base_url=component.base_url or _HOME,
    )


def thinking(component: Thinking, settings: Settings) -> "llm.LLM[Any]":
    """Return a chat model at Groq. Raises MissingKey."""
    from livekit.plugins import groq

    us = vendor("llm", "groq")
    return groq.LLM(
        model=component.model or us.model,
        api_key=need(us, settings)["GROQ_API_KEY"],
        base_url=component.base_url or _HOME,
        **temperature(component),
    )
