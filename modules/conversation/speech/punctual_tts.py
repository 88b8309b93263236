"""Voices that speak in time or fail, and one that says a sentence again when it was broken off.

Sentences are spoken one by one, also by vendors who take a stream of words: only so it is known which one was broken off.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    APIConnectionError,
    APIConnectOptions,
    APIError,
    APITimeoutError,
    tts,
    utils,
)

from modules.conversation.deadlines import Deadlines
from modules.conversation.speech.punctual import on_time

# Nobody speaks a letter in less: what is shorter is not the sentence that was asked for. People need 0.06 s.
_LETTER_S = 0.015
_FEW_LETTERS = 12
_ROUNDS = 2
_BETWEEN_S = 0.2


class _Around(tts.TTS[Any]):
    """A voice around `voice`: whole sentences, and what it measures is passed on."""

    def __init__(self, voice: tts.TTS[Any]) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=voice.sample_rate, num_channels=voice.num_channels
        )
        self.wrapped = voice
        voice.on("metrics_collected", self._forward)

    @property
    def model(self) -> str:
        return self.wrapped.model

    @property
    def provider(self) -> str:
        return self.wrapped.provider

    def prewarm(self) -> None:
        self.wrapped.prewarm()

    async def aclose(self) -> None:
        self.wrapped.off("metrics_collected", self._forward)
        await self.wrapped.aclose()

    def _forward(self, *metrics: Any) -> None:
        self.emit("metrics_collected", *metrics)


class PunctualTTS(_Around):
    """`voice`, one sentence at a time, with `first_s` for its first sound. `completed` counts the sentences it has finished.

    Who waits for a voice that hangs says "hello?", which interrupts our sentence and asks for another one. So what was waited
    in vain is kept, `waited_s`, and the next sentence has only the rest of the time. But never less than `next_s`, in which a
    voice that is well begins: sentences are broken off before their first sound also where it is not late, e.g. one begun too
    soon.
    """

    def __init__(self, voice: tts.TTS[Any], first_s: float, deadlines: Deadlines) -> None:
        super().__init__(voice)
        self.first_s = first_s
        self.next_s = deadlines.next_sound
        self.completed = 0
        self.waited_s = 0.0

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        return _Sentence(self, text, conn_options)


class _Sentence(tts.ChunkedStream):
    def __init__(self, voice: PunctualTTS, text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=voice, input_text=text, conn_options=conn_options)
        self._voice = voice

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        _begin(output_emitter, self._voice)
        lasts_s, letters = 0.0, len(self._input_text)
        least_s = min(self._voice.first_s, self._voice.next_s)
        left_s, asked_at = max(least_s, self._voice.first_s - self._voice.waited_s), time.monotonic()
        try:
            async with self._ask() as stream:
                async for audio in on_time(stream, left_s, self._voice.next_s):
                    lasts_s += audio.frame.duration
                    self._voice.waited_s = 0.0
                    output_emitter.push_frame(audio.frame)
        except asyncio.CancelledError:
            if not lasts_s:
                self._voice.waited_s += time.monotonic() - asked_at
            raise
        except APITimeoutError as late:
            self._voice.waited_s = 0.0
            raise APITimeoutError(late.message, retryable=bool(lasts_s)) from late  # who hangs would only hang again
        if letters >= _FEW_LETTERS and lasts_s < letters * _LETTER_S:
            raise APIConnectionError("the sound is too short to be the sentence")
        self._voice.completed += 1

    def _ask(self) -> tts.ChunkedStream | tts.SynthesizeStream:
        once = APIConnectOptions(max_retry=0, timeout=self._voice.first_s)
        if not self._voice.wrapped.capabilities.streaming:
            return self._voice.wrapped.synthesize(self._input_text, conn_options=once)
        stream = self._voice.wrapped.stream(conn_options=once)
        stream.push_text(self._input_text)
        stream.end_input()
        return stream

    async def _metrics_monitor_task(self, event_aiter: Any) -> None:
        async for _ in event_aiter:
            pass


class RepeatingTTS(_Around):
    """Says a sentence again, with whoever is well, when it was broken off or nobody could say it."""

    def __init__(self, voice: tts.TTS[Any], voices: Sequence[PunctualTTS]) -> None:
        super().__init__(voice)
        self.voices = voices

    async def aclose(self) -> None:
        await super().aclose()
        if self.wrapped not in self.voices:
            for voice in self.voices:
                await voice.aclose()

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        return _Repeated(self, text, APIConnectOptions(max_retry=0, timeout=conn_options.timeout))


class _Repeated(tts.ChunkedStream):
    def __init__(self, voice: RepeatingTTS, text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=voice, input_text=text, conn_options=conn_options)
        self._voice = voice

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        _begin(output_emitter, self._voice)
        failed: APIError = APIConnectionError("it was broken off again")
        for again in range(_ROUNDS + 1):
            if again:
                await asyncio.sleep(_BETWEEN_S)
            before = self._completed()
            try:
                async with self._voice.wrapped.synthesize(self._input_text, conn_options=self._conn_options) as stream:
                    async for audio in stream:
                        output_emitter.push_frame(audio.frame)
            except APIError as error:
                failed = error
                if not error.retryable:
                    break
            else:
                if self._completed() > before:  # LiveKit's adapter ends quietly where a voice left in mid-sentence
                    return
        raise failed

    def _completed(self) -> int:
        return sum(voice.completed for voice in self._voice.voices)

    async def _metrics_monitor_task(self, event_aiter: Any) -> None:
        async for _ in event_aiter:
            pass


def _begin(output_emitter: tts.AudioEmitter, voice: tts.TTS[Any]) -> None:
    output_emitter.initialize(
        request_id=utils.shortuuid(), sample_rate=voice.sample_rate, num_channels=voice.num_channels, mime_type="audio/pcm"
    )
