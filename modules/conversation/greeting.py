"""The first sentence, spoken into memory while the phone rings, so that it can start with the answer's first frame."""

from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import tts

from modules.metrics_logger import get_logger

log = get_logger("voice_agent")


class Greeting:
    """One greeting as text and, once `prepare` has run, as sound."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._frames: list[rtc.AudioFrame] = []

    async def prepare(self, speaker: tts.TTS[Any]) -> None:
        """Synthesise it. A failure is left to the session, which then speaks it the ordinary way."""
        try:
            async with speaker.synthesize(self.text) as stream:
                self._frames = [chunk.frame async for chunk in stream]
        except Exception as error:
            log.warning("greeting.not_prepared", error=type(error).__name__)
            self._frames = []

    @property
    def ready(self) -> bool:
        """Whether the sound is there."""
        return bool(self._frames)

    async def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """Yield the sound."""
        for frame in self._frames:
            yield frame
