"""The vendors a personality lists, made into one listener, one model and one voice: LiveKit's FallbackAdapter over punctual ones.

A chain of one has no adapter: there is nobody to go on to, so it is given longer, and asked a second time where it refuses.
"""

from typing import Any

from livekit.agents import APIConnectOptions, llm, stt, tts, vad
from livekit.agents.voice.agent_session import SessionConnectOptions

from modules.conversation.deadlines import Deadlines
from modules.conversation.speech.punctual_llm import PunctualLLM
from modules.conversation.speech.punctual_stt import PunctualSTT, Unheard
from modules.conversation.speech.punctual_tts import PunctualTTS, RepeatingTTS

# Of a whole chain; the adapter's own attempts at one vendor are never repeated: the next one is asked instead.
_AGAIN_S = 0.5
# The session would close without a word; the first failure of all of a chain is the call's polite end (unasked.py).
_WE_END_IT = 1000


def connect_options(deadlines: Deadlines) -> SessionConnectOptions:
    """Return how the session asks: twice at most, and the voice, which repeats by itself, once."""
    twice = APIConnectOptions(max_retry=1, retry_interval=_AGAIN_S, timeout=deadlines.last_resort)
    once = APIConnectOptions(max_retry=0, timeout=deadlines.last_resort)
    return SessionConnectOptions(
        stt_conn_options=twice, llm_conn_options=twice, tts_conn_options=once, max_unrecoverable_errors=_WE_END_IT
    )


def listener(listeners: list[stt.STT[Any]], activity: vad.VAD, unheard: Unheard, deadlines: Deadlines) -> stt.STT[Any]:
    """Return one listener."""
    limits = _limits(len(listeners), deadlines.words, deadlines)
    chain = [PunctualSTT(one, activity, unheard, limit, deadlines) for one, limit in zip(listeners, limits, strict=True)]
    if len(chain) == 1:
        return chain[0]
    return stt.FallbackAdapter(list(chain), attempt_timeout=deadlines.last_resort, max_retry_per_stt=0, retry_interval=_AGAIN_S)


def model(models: list[llm.LLM[Any]], deadlines: Deadlines) -> llm.LLM[Any]:
    """Return one model. An answer that was begun is begun anew by the next one; Caller keeps the two apart."""
    limits = _limits(len(models), deadlines.first_word, deadlines)
    chain = [PunctualLLM(one, limit, deadlines) for one, limit in zip(models, limits, strict=True)]
    if len(chain) == 1:
        return chain[0]
    return llm.FallbackAdapter(
        list(chain), attempt_timeout=deadlines.last_resort, max_retry_per_llm=0, retry_interval=_AGAIN_S,
        retry_on_chunk_sent=True,
    )  # fmt: skip


def voice(voices: list[tts.TTS[Any]], deadlines: Deadlines) -> tts.TTS[Any]:
    """Return one voice."""
    limits = _limits(len(voices), deadlines.first_sound, deadlines)
    chain = [PunctualTTS(one, limit, deadlines) for one, limit in zip(voices, limits, strict=True)]
    return RepeatingTTS(chain[0] if len(chain) == 1 else tts.FallbackAdapter(list(chain), max_retry_per_tts=0), chain)


def _limits(vendors: int, each_s: float, deadlines: Deadlines) -> list[float]:
    return [each_s] * (vendors - 1) + [max(each_s, deadlines.last_resort)]
