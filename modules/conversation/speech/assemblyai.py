"""AssemblyAI: streaming speech to text."""

from typing import TYPE_CHECKING, Any

from config import Settings
from modules.conversation.personality import Hearing
from modules.conversation.speech.missing import need
from modules.conversation.vendors import vendor

if TYPE_CHECKING:
    from livekit.agents import stt

_STEERED = "universal-3"  # only models of this family are told the language; the others have one, or find it out


def hearing(component: Hearing, settings: Settings) -> "stt.STT[Any]":
    """Return AssemblyAI's streaming recogniser. Raises MissingKey."""
    from livekit.plugins import assemblyai

    us = vendor("stt", "assemblyai")
    model: Any = component.model or us.model
    where: dict[str, Any] = {"base_url": f"ws{component.base_url.removeprefix('http')}"} if component.base_url else {}
    language: dict[str, Any] = {"language_codes": [component.language.partition("-")[0]]} if model.startswith(_STEERED) else {}
    return assemblyai.STT(model=model, api_key=need(us, settings)["ASSEMBLYAI_API_KEY"], **where, **language)
