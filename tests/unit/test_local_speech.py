"""flite speaks, pocketsphinx listens, over a phone line: every line that can be said is understood."""

from collections.abc import AsyncIterator

import jiwer
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import stt

from modules.conversation.speech.local import FliteTTS, collect_lines, flite_tts, sphinx_stt
from modules.conversation.speech.local.decoder import SAMPLE_RATE, Expected, NothingToListenFor
from modules.conversation.speech.local.flite import PAUSE_S, tighten
from modules.conversation.speech.local.words import plain
from modules.setup.places import PROJECT
from modules.simulation.g711 import RATE, MuLaw, resample

pytestmark = pytest.mark.unit

WORD_ERRORS = 0.02


async def over_the_phone(tts: FliteTTS, mulaw: MuLaw, text: str) -> bytes:
    """`text` as it arrives at the other end, with a little silence around it."""
    line = mulaw(resample(await tts.speak(text), SAMPLE_RATE, RATE))
    quiet = np.zeros(RATE // 3, dtype=np.int16)
    return resample(np.concatenate([quiet, line, quiet]).tobytes(), RATE, SAMPLE_RATE).tobytes()


@pytest.mark.parametrize(("voice", "folder"), [("kal16", "scenarios"), ("rms", "prompts/scripts"), ("rms", "scenarios")])
async def test_every_line_is_understood_over_the_phone(voice: str, folder: str) -> None:
    """Both sides' lines, in the voices they are spoken in, come out as the words they were."""
    lines, tts, mulaw = collect_lines(PROJECT / folder), flite_tts(voice), MuLaw()
    decoder = Expected(lines).decoder()
    heard = [decoder.decode(await over_the_phone(tts, mulaw, line)) for line in lines]
    assert jiwer.wer([plain(line) for line in lines], heard) <= WORD_ERRORS


async def test_speech_starts_and_ends_with_sound() -> None:
    """Silence at the head of a sentence would be waiting time; there is none, and no long pause inside."""
    pcm = await flite_tts("rms").speak("Thank you. And what should I bring with me?")
    loud = np.abs(np.frombuffer(pcm, dtype=np.int16).astype(int)) > 100
    assert loud[: SAMPLE_RATE // 100].any()
    assert loud[-SAMPLE_RATE // 100 :].any()
    quiet = np.diff(np.flatnonzero(loud)).max() / SAMPLE_RATE
    assert 0.05 < quiet <= PAUSE_S + 0.02


def test_silence_alone_is_nothing() -> None:
    """Nothing spoken is nothing sent."""
    assert tighten(bytes(32000)) == b""


async def test_a_sentence_that_was_spoken_is_kept() -> None:
    """The second time costs nothing, and old sentences make room."""
    tts = flite_tts("kal16")
    assert await tts.speak("Hello?") is await tts.speak("Hello?")
    assert await tts.speak("...") == b""


async def test_the_speaker_is_a_provider_like_any_other() -> None:
    """The framework gets frames, and names to count usage by."""
    tts = flite_tts("kal16")
    async with tts.synthesize("Hello?") as stream:
        frame = await stream.collect()
    assert (frame.sample_rate, frame.num_channels) == (SAMPLE_RATE, 1)
    assert frame.duration > 0.3
    assert (tts.provider, tts.model) == ("local", "flite-kal16")


def test_an_unknown_voice_is_refused() -> None:
    """The error lists the voices there are."""
    with pytest.raises(ValueError, match="rms, kal16"):
        flite_tts("anna")


def test_words_nobody_can_hear_are_reported() -> None:
    """A made-up word is named and does no harm to the others."""
    listener = sphinx_stt(["Hello flumbertree."]).load()
    assert listener.missing_words == ["flumbertree"]
    with pytest.raises(NothingToListenFor):
        sphinx_stt(["flumbertree", "..."]).load()


async def speech(pcm: bytes) -> AsyncIterator[rtc.AudioFrame]:
    step = SAMPLE_RATE // 50 * 2
    for start in range(0, len(pcm) - step + 1, step):
        yield rtc.AudioFrame(pcm[start : start + step], SAMPLE_RATE, 1, step // 2)


async def test_a_stream_hears_one_utterance_after_the_other() -> None:
    """Two sentences with silence between them are two final transcripts, and their seconds are reported."""
    tts, mulaw, listener = flite_tts("kal16"), MuLaw(), sphinx_stt(collect_lines(PROJECT / "scenarios")).load()
    stream = listener.stream()
    for text in ("One visit costs twenty dollars.", "No, using a mat is free."):
        async for frame in speech(await over_the_phone(tts, mulaw, text) + bytes(SAMPLE_RATE)):
            stream.push_frame(frame)
    stream.end_input()
    events = [event async for event in stream]
    await stream.aclose()
    finals = [event.alternatives[0].text for event in events if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT]
    assert finals == ["one visit costs twenty dollars", "no using a mat is free"]
    usage = [event.recognition_usage for event in events if event.recognition_usage]
    assert all(used.audio_duration > 1 for used in usage)
    assert len(usage) == 2


async def test_a_whole_buffer_can_be_recognized_at_any_rate() -> None:
    """Sound of 8 kHz, as other parts may hand it over, is understood as well."""
    pcm = await over_the_phone(flite_tts("kal16"), MuLaw(), "Just bring a towel and a bottle of water.")
    narrow = resample(pcm, SAMPLE_RATE, RATE)
    listener = sphinx_stt(collect_lines(PROJECT / "scenarios"))
    event = await listener.recognize(rtc.AudioFrame(narrow.tobytes(), RATE, 1, len(narrow)))
    assert event.alternatives[0].text == "just bring a towel and a bottle of water"
