"""One upload through the three models of a personality: what was said, what is answered, how that sounds, and how long each took.

The same models, instructions and greeting as in a call; no turn taking, no tools. Of a fallback chain the first that answers
counts. Nothing of what is said is logged.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from livekit import rtc
from livekit.agents import APIConnectOptions, llm, stt, tts, vad
from livekit.agents.voice.transcription.filters import filter_emoji, filter_markdown

from config import Settings
from modules.calls.errors import VoicefleetError
from modules.conversation import vendors
from modules.conversation.call_script import CallScript
from modules.conversation.speech import HEARING, SPEAKING, mind
from modules.conversation.speech.vendor_errors import named
from modules.conversation.voice_pipeline.decode_child import BYTES_A_SECOND, RATE
from modules.conversation.voice_pipeline.errors import NothingHeard, NothingToSay, VendorFailed

ModelT = TypeVar("ModelT")
AnswerT = TypeVar("AnswerT")
_PATIENCE = APIConnectOptions(max_retry=1, retry_interval=0.5, timeout=15.0)
# A vendor that only listens live is given the sound as a telephone would, and silence after it, to know that it was the end.
_PIECE_S = 0.1
_SILENCE_S = 0.8
_ENDS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of it. `wav` is the reply as a WAV file."""

    transcript: str
    reply: str
    wav: bytes
    stt_s: float
    llm_s: float
    tts_s: float


async def answered(pcm: bytes, script: CallScript, settings: Settings, activity: vad.VAD) -> Spoken:
    """Return the answer to what is said in `pcm` (16 kHz, 16 bit, mono). No vendor is asked about a sound in which nobody speaks.

    Raises NothingHeard, NothingToSay, VendorFailed, MissingKey, YamlError.
    """
    parts = script.personality.content.components
    began = time.perf_counter()
    ears = [(one.provider, lambda one=one: HEARING[one.provider](one, settings)) for one in parts.stt]
    spoken = await _somebody_speaks(pcm, activity)
    transcript = (await _first("stt", ears, lambda model: _hear(model, pcm))).strip() if spoken else ""
    if not transcript:
        raise NothingHeard("No words were understood in the file.", field="file")
    heard = time.perf_counter()
    minds = [(one.provider, lambda one=one: mind(one, settings, script.variables)) for one in parts.llm]
    reply = (await _first("llm", minds, lambda model: _think(model, _talk(script, transcript)))).strip()
    if not reply:
        raise NothingToSay("The model answered without a word.")
    thought = time.perf_counter()
    mouths = [(one.provider, lambda one=one: SPEAKING[one.provider](one, settings)) for one in parts.tts]
    wav = await _first("tts", mouths, lambda model: _speak(model, reply))
    return Spoken(transcript, reply, wav, heard - began, thought - heard, time.perf_counter() - thought)


async def _first(
    kind: vendors.Kind, chain: Sequence[tuple[str, Callable[[], Any]]], work: Callable[[Any], Awaitable[AnswerT]]
) -> AnswerT:
    """Return what the first of the chain answers that does. Raises VendorFailed in the words of the last."""
    for provider, made in chain[:-1]:
        try:
            return await _asked(kind, provider, made, work)
        except VendorFailed:
            continue
    return await _asked(kind, *chain[-1], work)


async def _asked(
    kind: vendors.Kind, provider: str, made: Callable[[], Any], work: Callable[[Any], Awaitable[AnswerT]]
) -> AnswerT:
    model = made()
    try:
        async with _closing(model):
            return await work(model)
    except VoicefleetError:
        raise
    except Exception as error:
        raise VendorFailed(str(named(vendors.vendor(kind, provider), error))) from error


@asynccontextmanager
async def _closing(model: ModelT) -> AsyncIterator[ModelT]:
    try:
        yield model
    finally:
        await model.aclose()  # type: ignore[attr-defined]  # every model and stream of the framework has it


async def _somebody_speaks(pcm: bytes, activity: vad.VAD) -> bool:
    async with _closing(activity.stream()) as stream:
        stream.push_frame(_frame(pcm))
        stream.end_input()
        async for event in stream:
            if event.type is vad.VADEventType.START_OF_SPEECH:
                return True
    return False


async def _hear(ears: stt.STT[Any], pcm: bytes) -> str:
    if ears.capabilities.offline_recognize:
        event = await ears.recognize([_frame(pcm)], conn_options=_PATIENCE)
        return event.alternatives[0].text if event.alternatives else ""
    words: list[str] = []
    async with ears.stream(conn_options=_PATIENCE) as stream:
        feeding = asyncio.create_task(_live(stream, pcm), name="listen-live")
        try:
            async with asyncio.timeout(len(pcm) / BYTES_A_SECOND + _SILENCE_S + _ENDS_WITHIN_S):
                async for event in stream:
                    if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives:
                        words.append(event.alternatives[0].text)
        except TimeoutError:  # plugins wait for a vendor's last word as long as it takes
            if not words:
                raise
        finally:
            feeding.cancel()
    return " ".join(words)


async def _live(stream: stt.RecognizeStream, pcm: bytes) -> None:
    size = int(RATE * _PIECE_S) * 2
    sound = pcm + bytes(int(RATE * _SILENCE_S) * 2)
    for start in range(0, len(sound), size):
        stream.push_frame(_frame(sound[start : start + size]))
        await asyncio.sleep(_PIECE_S)
    stream.end_input()


def _frame(pcm: bytes) -> rtc.AudioFrame:
    return rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2)


def _talk(script: CallScript, transcript: str) -> llm.ChatContext:
    """The conversation so far, as a call would have it: the greeting was said, and this was the answer."""
    talk = llm.ChatContext.empty()
    talk.add_message(role="system", content=script.instructions)
    talk.add_message(role="assistant", content=script.greeting)
    talk.add_message(role="user", content=transcript)
    return talk


async def _think(model: llm.LLM[Any], talk: llm.ChatContext) -> str:
    async def words() -> AsyncIterator[str]:
        async with model.chat(chat_ctx=talk, conn_options=_PATIENCE) as stream:
            async for chunk in stream:
                if chunk.delta and chunk.delta.content:
                    yield chunk.delta.content

    return "".join([piece async for piece in filter_emoji(filter_markdown(words()))])


async def _speak(voice: tts.TTS[Any], text: str) -> bytes:
    async with voice.synthesize(text, conn_options=_PATIENCE) as stream:
        frames = [audio.frame async for audio in stream]
    return rtc.combine_audio_frames(frames).to_wav_bytes()
