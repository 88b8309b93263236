"""What a person on the phone hears: the room's sound through mu-law, measured, cut into utterances, turned into words."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from livekit import rtc
from livekit.agents import inference, vad

from modules.conversation.speech.local.decoder import SAMPLE_RATE
from modules.metrics_logger import get_logger
from modules.simulation.g711 import FRAME_S, RATE, MuLaw, resample
from modules.simulation.meter import Meter

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance of the other side; times on the clock of the event loop."""

    text: str
    started_at: float
    ended_at: float


class Hears(Protocol):
    async def hear(self, pcm: bytes) -> str: ...


class Ears:
    def __init__(
        self, meter: Meter, mulaw: MuLaw, listener: Hears, pause_s: float, threads: Executor, heard: Callable[[Heard], None]
    ) -> None:
        self._meter, self._mulaw, self._listener, self._heard = meter, mulaw, listener, heard
        self._clock = asyncio.get_running_loop().time
        self._unfinished: list[bytes] = []
        self._started_at = 0.0
        self._vad = inference.VAD(min_silence_duration=pause_s, executor=threads)

    async def follow(self, track: rtc.Track) -> None:
        """Listen to a track until it ends or this is cancelled."""
        sound = rtc.AudioStream.from_track(track=track, sample_rate=RATE, num_channels=1, frame_size_ms=round(FRAME_S * 1000))
        activity = self._vad.stream()
        utterances = asyncio.create_task(self._utterances(activity), name="callee-utterances")
        try:
            async for event in sound:
                samples = self._mulaw(np.frombuffer(event.frame.data, dtype=np.int16))
                self._meter.hear(samples, self._clock())
                activity.push_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples)))
        finally:
            utterances.cancel()
            await asyncio.gather(utterances, return_exceptions=True)
            await activity.aclose()
            await sound.aclose()

    async def last_words(self) -> None:
        """The line was cut: what was being said is heard as far as it came."""
        if self._unfinished:
            await self._understand(ended_at=self._clock())

    async def _utterances(self, activity: vad.VADStream) -> None:
        async for event in activity:
            if event.type is vad.VADEventType.START_OF_SPEECH:
                self._started_at = self._clock() - event.speech_duration
                self._unfinished = [frame.data.tobytes() for frame in event.frames]
            elif event.type is vad.VADEventType.INFERENCE_DONE and self._unfinished:
                self._unfinished += [frame.data.tobytes() for frame in event.frames]
            elif event.type is vad.VADEventType.END_OF_SPEECH:
                await self._understand(ended_at=self._clock() - event.silence_duration)

    async def _understand(self, ended_at: float) -> None:
        pcm, self._unfinished = b"".join(self._unfinished), []
        text = await self._listener.hear(resample(pcm, RATE, SAMPLE_RATE).tobytes())
        log.debug("callee_heard", **{"pii.text": text})
        self._heard(Heard(text, self._started_at, ended_at))
