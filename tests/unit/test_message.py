"""A message after the tone: the words that were said are written down, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectionError,
    NotGivenOr,
    stt,
    utils,
    vad,
)

from modules.conversation.deadlines import Deadlines
from modules.conversation.message import RATE, Message, with_tone
from modules.conversation.session import voice_activity
from modules.conversation.speech import chain
from modules.conversation.speech.local import flite_tts, sphinx_stt
from modules.conversation.speech.punctual_stt import Unheard

pytestmark = [pytest.mark.unit, pytest.mark.timeout(60)]

WORDS = ["could somebody call me back about an invoice", "my name is robin miller"]
QUICK = Deadlines(words=0.3, last_resort=0.3)


class Deaf(stt.STT[Any]):
    """A listener whose vendor is away."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))

    async def _recognize_impl(
        self, buffer: utils.AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: Any
    ) -> Any:
        raise APIConnectionError


class Hanging(stt.STT[Any]):
    """A listener that takes sound as it is spoken and never says a word."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))

    def stream(self, *, conn_options: Any = DEFAULT_API_CONNECT_OPTIONS, **_: Any) -> stt.RecognizeStream:
        return Nothing(stt=self, conn_options=conn_options)

    async def _recognize_impl(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("it takes sound as it is spoken")


class Nothing(stt.RecognizeStream):
    async def _run(self) -> None:
        await asyncio.Event().wait()


class Heard:
    """What was written down."""

    def __init__(self, listener: stt.STT[Any], activity: vad.VAD, quiet_s: float = 8, limits: Deadlines = QUICK) -> None:
        self.words: list[str] = []
        unheard = Unheard()
        ears = chain.listener([listener], activity, unheard, limits)
        self.message = Message(ears, activity, unheard, self._write, quiet_s)

    def _write(self, text: str, times: tuple[float, float]) -> None:
        assert times[0] <= times[1]
        self.words.append(text)


@pytest.fixture
def activity() -> vad.VAD:
    return voice_activity()


async def said(*sentences: str, then_waits: bool = False, pause_s: float = 0.01) -> AsyncIterator[rtc.AudioFrame]:
    """Somebody speaks, with a breath after each sentence, and hangs up or stays. With `pause_s=0.05` no faster than people do."""
    for sentence in sentences:
        pcm = await flite_tts("kal16").speak(sentence) + bytes(RATE)
        for start in range(0, len(pcm), 1600):
            part = pcm[start : start + 1600]
            yield rtc.AudioFrame(part, RATE, 1, len(part) // 2)
            await asyncio.sleep(pause_s)
    while then_waits:
        yield rtc.AudioFrame(bytes(1600), RATE, 1, 800)
        await asyncio.sleep(0.05)


async def test_what_is_said_until_they_hang_up_is_written_down(activity: vad.VAD) -> None:
    """I left a message and hung up: each of its sentences is there, the last one too."""
    heard = Heard(sphinx_stt(WORDS), activity)
    assert await heard.message.take(said(*WORDS), longest_s=30) is True
    assert " ".join(heard.words) == " ".join(WORDS)


async def test_who_falls_silent_is_not_listened_to_for_ever(activity: vad.VAD) -> None:
    """I put the phone down beside me: what I said is kept, and the call is not left open."""
    heard = Heard(sphinx_stt(WORDS), activity, quiet_s=1)
    assert await heard.message.take(said(WORDS[0], then_waits=True), longest_s=30) is False
    assert heard.words == WORDS[:1]


async def test_a_message_has_a_longest_length(activity: vad.VAD) -> None:
    """Whoever goes on is cut, and what they said until then is kept."""
    heard = Heard(sphinx_stt(WORDS), activity)
    assert await heard.message.take(said(*WORDS * 20), longest_s=3) is False
    assert heard.words and " ".join(WORDS * 20).startswith(" ".join(heard.words))


async def test_a_listener_that_fails_is_told_of(activity: vad.VAD) -> None:
    """Nobody is left talking to a machine that does not hear."""
    heard = Heard(Deaf(), activity)
    with pytest.raises(APIConnectionError):
        await heard.message.take(said(WORDS[0], then_waits=True), longest_s=30)
    assert heard.words == []


@pytest.mark.parametrize(("then_waits", "limits"), [(True, QUICK), (False, QUICK), (False, Deadlines())])
async def test_a_listener_that_hangs_is_told_of(activity: vad.VAD, then_waits: bool, limits: Deadlines) -> None:
    """It never fails and never understands: nobody says that I left no message, and I am not cut while I speak."""
    heard, finished = Heard(Hanging(), activity, quiet_s=3, limits=limits), asyncio.Event()

    async def telling() -> AsyncIterator[rtc.AudioFrame]:
        async for frame in said(WORDS[0], pause_s=0.05):
            yield frame
        finished.set()
        async for frame in said(then_waits=then_waits):
            yield frame

    with pytest.raises(APIConnectionError):
        await heard.message.take(telling(), longest_s=30)
    assert finished.is_set() and heard.words == []


@pytest.mark.parametrize("channels", [1, 2])
def test_the_tone_comes_after_the_sentence(channels: int) -> None:
    """The sentence is as it was, then one steady pitch for less than half a second."""
    sentence = rtc.AudioFrame(bytes(2 * 8000 * channels), 8000, channels, 8000)
    sound = with_tone(sentence)
    assert (sound.sample_rate, sound.num_channels) == (8000, channels)
    tone = np.frombuffer(sound.data, dtype=np.int16)[8000 * channels :: channels].astype(float)
    assert 0.2 < len(tone) / 8000 < 0.5
    assert int(np.argmax(np.abs(np.fft.rfft(tone))) * 8000 / len(tone)) == 1000
