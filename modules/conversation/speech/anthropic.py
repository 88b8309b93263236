"""Anthropic: language models."""

from typing import TYPE_CHECKING, Any

from config import Settings
from modules.conversation.personality import Thinking
from modules.conversation.speech.missing import need
from modules.conversation.speech.openai import temperature
from modules.conversation.vendors import vendor

if TYPE_CHECKING:
    from livekit.agents import llm

_HOME = "https://api.anthropic.com"


def thinking(component: Thinking, settings: Settings) -> "llm.LLM[Any]":
    """Return a Claude model. Raises MissingKey."""
    from livekit.plugins import anthropic

    us = vendor("llm", "anthropic")
    return anthropic.LLM(
        model=component.model or us.model,
        api_key=need(us, settings)["ANTHROPIC_API_KEY"],
        base_url=component.base_url or _HOME,
        **temperature(component),
    )
