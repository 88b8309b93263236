"""The three models of a voice, built from a personality's components: one file per vendor, one table per kind.

Every model is an explicit object of a vendor's plugin (a string would resolve to LiveKit's cloud). Vendors are imported when
they are used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from livekit.agents import llm, stt, tts, vad

from config import Settings
from modules.conversation.deadlines import Deadlines
from modules.conversation.personality import Components, Hearing, Speaking, Thinking
from modules.conversation.speech import (
    anthropic,
    assemblyai,
    azure,
    cartesia,
    chain,
    deepgram,
    elevenlabs,
    google,
    groq,
    openai,
)  # fmt: skip
from modules.conversation.speech.local import collect_lines, flite_tts, load_script, scripted_llm, sphinx_stt
from modules.conversation.speech.punctual_stt import Unheard

HEARING: dict[str, Callable[[Hearing, Settings], stt.STT[Any]]] = {
    "azure": azure.hearing,
    "deepgram": deepgram.hearing,
    "openai": openai.hearing,
    "google": google.hearing,
    "groq": groq.hearing,
    "assemblyai": assemblyai.hearing,
    "local": lambda component, settings: sphinx_stt(collect_lines(settings.scenarios_dir)),
}
THINKING: dict[str, Callable[[Thinking, Settings], llm.LLM[Any]]] = {
    "azure_openai": openai.thinking_azure,
    "openai": openai.thinking,
    "openai_realtime": openai.writing,
    "anthropic": anthropic.thinking,
    "google": google.thinking,
    "groq": groq.thinking,
}
CONVERSING: dict[str, Callable[[Thinking, Settings, Deadlines], llm.RealtimeModel]] = {"openai_realtime": openai.conversing}
SPEAKING: dict[str, Callable[[Speaking, Settings], tts.TTS[Any]]] = {
    "azure": azure.speaking,
    "openai": openai.speaking,
    "elevenlabs": elevenlabs.speaking,
    "cartesia": cartesia.speaking,
    "google": google.speaking,
    "deepgram": deepgram.speaking,
    "local": lambda component, settings: flite_tts(component.voice or "rms"),
}


@dataclass(frozen=True, slots=True)
class Voice:
    """What listens, thinks and speaks in one call. `unheard` is the sound that waits for words, filled by the call's agent.

    `writer` words what is not part of the conversation; it is the same as `llm`, except beside a realtime model.
    """

    stt: stt.STT[Any]
    writer: llm.LLM[Any]
    llm: llm.LLM[Any] | llm.RealtimeModel
    tts: tts.TTS[Any]
    unheard: Unheard


def build(
    components: Components, settings: Settings, variables: dict[str, str], activity: vad.VAD, deadlines: Deadlines | None = None
) -> Voice:
    """Return the models of a personality; a list becomes a fallback chain. Raises MissingKey, YamlError.

    `activity` cuts utterances for listeners that want whole ones.
    """
    limits, unheard = deadlines or Deadlines(), Unheard()
    ears = [HEARING[item.provider](item, settings) for item in components.stt]
    writer = chain.model([mind(item, settings, variables) for item in components.llm], limits)
    answers = CONVERSING.get(components.llm[0].provider)
    return Voice(
        stt=chain.listener(ears, activity, unheard, limits),
        writer=writer,
        llm=answers(components.llm[0], settings, limits) if answers else writer,
        tts=mouth(components, settings, limits),
        unheard=unheard,
    )


def ear(components: Components, settings: Settings, activity: vad.VAD, unheard: Unheard) -> stt.STT[Any]:
    """Return what listens alone. Raises MissingKey."""
    return chain.listener([HEARING[item.provider](item, settings) for item in components.stt], activity, unheard, Deadlines())


def mouth(components: Components, settings: Settings, deadlines: Deadlines | None = None) -> tts.TTS[Any]:
    """Return what speaks alone. Raises MissingKey."""
    return chain.voice([SPEAKING[item.provider](item, settings) for item in components.tts], deadlines or Deadlines())


def mind(component: Thinking, settings: Settings, variables: dict[str, str]) -> llm.LLM[Any]:
    """Return one language model for text; `variables` fill a local script's places. Raises MissingKey, YamlError."""
    if component.provider != "local":
        return THINKING[component.provider](component, settings)
    return scripted_llm(load_script(settings.prompts_dir / "scripts" / f"{component.script}.yaml"), variables)
