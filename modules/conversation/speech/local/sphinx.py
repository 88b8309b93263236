"""The listener as a livekit-agents STT. It decodes while somebody speaks, so the words are there 1-3 ms after the silence
that ends an utterance; its own VAD, a little quicker than the session's, says where that is. English, demo and tests only.
"""

import asyncio
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Never

from livekit import rtc
from livekit.agents import inference, stt, utils, vad
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr

from modules.conversation.speech.local.decoder import SAMPLE_RATE, Decoder, Expected
from modules.metrics_logger import get_logger

log = get_logger(__name__)

SILENCE_S = 0.2  # longer than flite's pauses (flite.PAUSE_S), shorter than any session's end of turn


class SphinxSTT(stt.STT[Never]):
    """Hears the lines it was given, in any order and mixture. One object may serve many sessions of a process."""

    def __init__(self, lines: Iterable[str]) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self._lines: Sequence[str] = tuple(lines)
        self._expected: Expected | None = None
        self._loading = threading.Lock()

    @property
    def model(self) -> str:
        return "pocketsphinx-en-us"

    @property
    def provider(self) -> str:
        return "local"

    @property
    def missing_words(self) -> list[str]:
        """Words of the lines that the dictionary does not hold, so that they are never heard. Known after load()."""
        return self._expected.missing_words if self._expected else []

    def load(self) -> "SphinxSTT":
        """Build the language model now (prewarm, 0.05 s) instead of with the first stream. Safe to repeat."""
        self.new_decoder()
        return self

    def new_decoder(self) -> Decoder:
        with self._loading:
            if self._expected is None:
                self._expected = Expected(self._lines)
                if self._expected.missing_words:
                    log.warning("stt_words_missing", words=self._expected.missing_words)
        return self._expected.decoder()

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return _Listening(stt=self, conn_options=conn_options, sample_rate=SAMPLE_RATE)

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        pcm = _at_16_khz(utils.merge_frames(buffer))
        text = await asyncio.to_thread(lambda: self.new_decoder().decode(pcm))
        return _final(text)


class _Listening(stt.RecognizeStream):
    _stt: SphinxSTT

    async def _run(self) -> None:
        decoder = await asyncio.to_thread(self._stt.new_decoder)
        activity = inference.VAD(min_silence_duration=SILENCE_S, prefix_padding_duration=0.3).stream()
        forward = asyncio.create_task(self._forward(activity), name="stt-forward")
        try:
            await self._listen(activity, decoder)
        finally:
            await utils.aio.cancel_and_wait(forward)
            await activity.aclose()

    async def _forward(self, activity: vad.VADStream) -> None:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                activity.push_frame(item)
        activity.end_input()

    async def _listen(self, activity: vad.VADStream, decoder: Decoder) -> None:
        speaking = False
        async for event in activity:
            pcm = b"".join(frame.data.tobytes() for frame in event.frames)
            if event.type is vad.VADEventType.START_OF_SPEECH:
                speaking = True
                decoder.begin()
                self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.START_OF_SPEECH))
                await asyncio.to_thread(decoder.feed, pcm)
            elif event.type is vad.VADEventType.INFERENCE_DONE and speaking:
                await asyncio.to_thread(decoder.feed, pcm)
            elif event.type is vad.VADEventType.END_OF_SPEECH:
                speaking = False
                self._heard(decoder.end(), time.time() - event.silence_duration, event.speech_duration)

    def _heard(self, text: str, ended_at: float, lasted_s: float) -> None:
        self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.END_OF_SPEECH, speech_end_time=ended_at))
        if text:
            final = _final(text)
            final.speech_end_time = ended_at
            self._event_ch.send_nowait(final)
        usage = stt.RecognitionUsage(audio_duration=lasted_s)
        self._event_ch.send_nowait(
            stt.SpeechEvent(stt.SpeechEventType.RECOGNITION_USAGE, request_id=uuid.uuid4().hex, recognition_usage=usage)
        )


def _final(text: str) -> stt.SpeechEvent:
    found = stt.SpeechData(language=LanguageCode("en"), text=text, confidence=1.0 if text else 0.0)
    return stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, request_id=uuid.uuid4().hex, alternatives=[found])


def _at_16_khz(frame: rtc.AudioFrame) -> bytes:
    if frame.sample_rate == SAMPLE_RATE and frame.num_channels == 1:
        return frame.data.tobytes()
    resampler = rtc.AudioResampler(
        frame.sample_rate, SAMPLE_RATE, num_channels=frame.num_channels, quality=rtc.AudioResamplerQuality.HIGH
    )
    return b"".join(part.data.tobytes() for part in [*resampler.push(frame), *resampler.flush()])
