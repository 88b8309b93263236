"""OpenAI: all three models and the realtime one, also of any service that speaks its API (base_url).

And Azure's deployments of its chat models.
"""

from typing import TYPE_CHECKING, Any

from config import Settings
from modules.conversation.deadlines import Deadlines
from modules.conversation.personality import Hearing, Speaking, Thinking
from modules.conversation.speech.missing import need
from modules.conversation.vendors import Vendor, vendor

if TYPE_CHECKING:
    from livekit.agents import llm, stt, tts

_HOME = "https://api.openai.com/v1"


def hearing(component: Hearing, settings: Settings) -> "stt.STT[Any]":
    """Return OpenAI's recogniser: one request for each thing said. Raises MissingKey."""
    from livekit.plugins import openai

    us = vendor("stt", "openai")
    language = component.language.partition("-")[0]
    return openai.STT(model=component.model or us.model, language=language, **_access(us, component.base_url, settings))


def thinking(component: Thinking, settings: Settings) -> "llm.LLM[Any]":
    """Return OpenAI's chat model, or any service's that speaks its API (base_url). Raises MissingKey."""
    from livekit.plugins import openai

    us = vendor("llm", "openai")
    access = _access(us, component.base_url, settings)
    return openai.LLM(model=component.model or us.model, **access, **temperature(component))


def writing(component: Thinking, settings: Settings) -> "llm.LLM[Any]":
    """Return the chat model that does for a realtime model what is written and not spoken. Raises MissingKey."""
    return thinking(component.model_copy(update={"model": ""}), settings)


def conversing(component: Thinking, settings: Settings, deadlines: Deadlines) -> "llm.RealtimeModel":
    """Return OpenAI's realtime model, or any service's that speaks its API (base_url). Raises MissingKey."""
    from modules.conversation.speech.punctual_realtime import PunctualRealtime

    us = vendor("llm", "openai_realtime")
    return PunctualRealtime(deadlines, model=component.model or us.model, **_access(us, component.base_url, settings))


def thinking_azure(component: Thinking, settings: Settings) -> "llm.LLM[Any]":
    """Return an Azure OpenAI deployment. Raises MissingKey."""
    from livekit.plugins import openai

    us = vendor("llm", "azure_openai")
    keys = need(us, settings, AZURE_OPENAI_DEPLOYMENT_NAME=component.model)
    return openai.LLM.with_azure(
        model=component.model or us.model,
        azure_endpoint=keys["AZURE_OPENAI_ENDPOINT"],
        azure_deployment=keys["AZURE_OPENAI_DEPLOYMENT_NAME"],
        api_version=settings.azure_openai_api_version,
        api_key=keys["AZURE_OPENAI_API_KEY"],
        **temperature(component),
    )


def speaking(component: Speaking, settings: Settings) -> "tts.TTS[Any]":
    """Return OpenAI's voices; they speak the language of the text. Raises MissingKey."""
    from livekit.plugins import openai

    us = vendor("tts", "openai")
    return openai.TTS(
        model=component.model or us.model,
        voice=component.voice or us.voice,
        response_format="pcm",
        **_access(us, component.base_url, settings),
    )


def temperature(component: Thinking) -> dict[str, Any]:
    """Return the option only where the personality sets it: some models refuse any."""
    return {} if component.temperature is None else {"temperature": component.temperature}


def _access(us: Vendor, base_url: str, settings: Settings) -> dict[str, Any]:
    """OPENAI_API_KEY goes to OpenAI, or where the operator's OPENAI_BASE_URL says; never where a personality says."""
    if base_url:
        return {"base_url": base_url, "api_key": settings.openai_compatible_api_key.get_secret_value() or "none"}
    return {"base_url": settings.openai_base_url or _HOME, "api_key": need(us, settings)["OPENAI_API_KEY"]}
