"""Speech without keys: flite speaks, pocketsphinx listens, a script answers. English, for demo and tests only.

    tts = flite_tts("rms")
    stt = sphinx_stt(collect_lines(Path("scenarios"))).load()     # hears what the other side can say
    llm = scripted_llm(load_script(Path("prompts/scripts/gym_researcher.yaml")), {"patient_name": "Maria Lopez"})

Reading order: words, script, dialogue, scripted_llm; decoder, sphinx; flite. No vendor, no network, no settings.
"""

from collections.abc import Iterable

from modules.conversation.speech.local.flite import FliteTTS
from modules.conversation.speech.local.script import Script, load_script
from modules.conversation.speech.local.scripted_llm import ScriptedLLM
from modules.conversation.speech.local.sphinx import SphinxSTT
from modules.conversation.speech.local.words import collect_lines
from modules.strict_yaml import YamlError

__all__ = [
    "FliteTTS", "Script", "ScriptedLLM", "SphinxSTT", "YamlError", "collect_lines", "flite_tts", "load_script",
    "scripted_llm", "sphinx_stt",
]  # fmt: skip


def flite_tts(voice: str = "rms") -> FliteTTS:
    """A speaker with one of flite's voices; `rms` and `kal16` are the two that are understood best over a phone line."""
    return FliteTTS(voice)


def sphinx_stt(lines: Iterable[str]) -> SphinxSTT:
    """A listener for the lines the other side can say; call load() in prewarm (0.05 s)."""
    return SphinxSTT(lines)


def scripted_llm(script: Script, variables: dict[str, str] | None = None) -> ScriptedLLM:
    """A model that follows a script; `variables` fill the places the script declares."""
    return ScriptedLLM(script, variables)
