"""A sentence spoken into memory before it is needed: the greeting while the phone rings, the fixed sentences after it.

The greeting can start with the answer's first frame; the others are there when the voice that spoke them is not any more.
"""

from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import tts

from modules.metrics_logger import get_logger

log = get_logger("voice_agent")

RATE = 16_000
"""Of the sound that is sent to the phone."""


class Prepared:
    """One sentence as text and, once `prepare` has run, as sound."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sound: list[rtc.AudioFrame] = []

    async def prepare(self, speaker: tts.TTS[Any]) -> None:
        """Synthesise it. A failure is left to the session, which then speaks it the ordinary way."""
        if self.ready:
            return
        try:
            async with speaker.synthesize(self.text) as stream:
                self.sound = _at_phone_rate([chunk.frame async for chunk in stream])
        except Exception as error:
            log.warning("sentence.not_prepared", error=type(error).__name__)

    @property
    def ready(self) -> bool:
        """Whether the sound is there."""
        return bool(self.sound)

    async def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """Yield the sound."""
        for frame in self.sound:
            yield frame


def _at_phone_rate(frames: list[rtc.AudioFrame]) -> list[rtc.AudioFrame]:
    if not frames or frames[0].sample_rate == RATE:
        return frames
    resampler = rtc.AudioResampler(frames[0].sample_rate, RATE, num_channels=frames[0].num_channels)
    return [*(part for frame in frames for part in resampler.push(frame)), *resampler.flush()]
