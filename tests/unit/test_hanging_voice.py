"""A voice that hangs, and somebody who says "hello?" into it: each hello breaks our sentence off and asks for another one."""

import asyncio
import contextlib
from typing import Any

import pytest
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, APITimeoutError, tts

from modules.conversation.deadlines import Deadlines
from modules.conversation.speech.punctual_tts import PunctualTTS, RepeatingTTS

pytestmark = [pytest.mark.unit, pytest.mark.timeout(20)]

HELLO_S, FIRST_S = 0.05, 0.4


class Hanging(tts.TTS[Any]):
    """Says nothing until it is `well`; counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=16_000, num_channels=1)
        self.asked = 0
        self.well = asyncio.Event()

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        self.asked += 1
        return Sound(self, text, conn_options)


class Sound(tts.ChunkedStream):
    def __init__(self, voice: Hanging, text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=voice, input_text=text, conn_options=conn_options)
        self._well = voice.well

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(request_id="r", sample_rate=16_000, num_channels=1, mime_type="audio/pcm")
        await self._well.wait()
        output_emitter.push(bytes(2 * 16_000))


async def asked_until_it_fails(voice: tts.TTS[Any]) -> int:
    """Ask for sentences, each broken off by a hello; return how many it took until the voice was given up."""
    once = APIConnectOptions(max_retry=0)
    for sentences in range(1, 100):
        try:
            async with asyncio.timeout(HELLO_S), voice.synthesize("What does a visit cost?", conn_options=once) as stream:
                await anext(stream)
        except TimeoutError:
            continue
        except APITimeoutError:
            return sentences
    raise AssertionError("it was waited for without an end")


async def test_hellos_do_not_give_a_hanging_voice_all_the_time_in_the_world() -> None:
    """However often they say hello, my agent notices that its voice is gone."""
    hanging = Hanging()
    voice = PunctualTTS(hanging, FIRST_S, Deadlines(next_sound=HELLO_S / 2))
    assert await asked_until_it_fails(voice) <= FIRST_S / HELLO_S + 2
    assert await asked_until_it_fails(voice) > 1, "after it was given up it may be asked again, with its whole time"


async def test_a_voice_that_was_only_broken_off_is_not_taken_for_one_that_hangs() -> None:
    """Answers that were begun too early were dropped before their first sound; the next sentence has time to begin."""
    hanging = Hanging()
    voice = PunctualTTS(hanging, 1.0, Deadlines())
    while voice.waited_s < voice.first_s:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HELLO_S), voice.synthesize("What does a visit cost?") as stream:
                await anext(stream)
    hanging.well.set()
    async with voice.synthesize("What does a visit cost?", conn_options=APIConnectOptions(max_retry=0)) as stream:
        assert (await anext(stream)).frame.duration > 0
    assert voice.waited_s == 0


async def test_who_hangs_is_not_asked_to_say_it_again() -> None:
    """The apology does not wait for a second silence as long as the first."""
    hanging = Hanging()
    alone = PunctualTTS(hanging, 2 * HELLO_S, Deadlines())
    stream = RepeatingTTS(alone, [alone]).synthesize("What does a visit cost?")
    with pytest.raises(APITimeoutError):
        async with stream:
            await anext(stream)
    assert hanging.asked == 1
