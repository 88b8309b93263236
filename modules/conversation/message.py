"""A message from a caller who is not put through: their words, written down until they hang up, fall silent or time is up.

Only the personality's listener is at work here, no language model. The sound is not kept. Whether somebody speaks is told by our
own voice detector: a listener may have no words until a long sentence is over, or never.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, Callable
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import APITimeoutError, stt, vad

from modules.conversation.deadlines import Deadlines
from modules.conversation.speech.chain import connect_options
from modules.conversation.speech.punctual_stt import Unheard
from modules.metrics_logger import get_logger

log = get_logger("voice_agent")

RATE = 16_000
_QUIET_S = 8.0
_TONE_HZ, _TONE_S, _TONE_LOUDNESS = 1000, 0.4, 6000
# A listener finishes a sentence upon silence, and a caller's last one may end in a hang-up.
_SILENCE = rtc.AudioFrame(bytes(2 * RATE), RATE, 1, RATE)
_LAST_WORDS_S = 4.0
_STARTS, _ENDS = vad.VADEventType.START_OF_SPEECH, vad.VADEventType.END_OF_SPEECH


def with_tone(sentence: rtc.AudioFrame) -> rtc.AudioFrame:
    """Return the sentence followed by the tone after which one speaks."""
    moments = np.arange(int(sentence.sample_rate * _TONE_S)) / sentence.sample_rate
    tone = (np.sin(2 * np.pi * _TONE_HZ * moments) * _TONE_LOUDNESS).astype(np.int16)
    sound = np.concatenate([np.frombuffer(sentence.data, dtype=np.int16), np.repeat(tone, sentence.num_channels)])
    return rtc.AudioFrame(sound.tobytes(), sentence.sample_rate, sentence.num_channels, len(sound) // sentence.num_channels)


class Message:
    """One caller's words. `heard` is told each piece with when it began and ended (Unix time)."""

    def __init__(
        self,
        listener: stt.STT[Any],
        activity: vad.VAD,
        unheard: Unheard,
        heard: Callable[[str, tuple[float, float]], None],
        quiet_s: float = _QUIET_S,
    ) -> None:
        self._listener, self._activity, self._unheard = listener, activity, unheard
        self._heard, self._quiet_s = heard, quiet_s
        self._speaks = False
        self._began_at = self._quiet_since = time.time()

    async def take(self, sound: AsyncIterable[rtc.AudioFrame], longest_s: float) -> bool:
        """Write down what is said in `sound`; return True when its end came first, False when we have to end the call.

        Raises what the listener raises when it fails for good; what it understood before that was told.
        """
        options = connect_options(Deadlines()).stt_conn_options
        async with self._listener.stream(conn_options=options) as words, contextlib.aclosing(self._activity.stream()) as voice:
            hearing = asyncio.create_task(self._hear(words), name="words of a message")
            saying = asyncio.create_task(self._say(sound, words, voice), name="sound of a message")
            quiet = asyncio.create_task(self._fallen_silent(), name="silence in a message")
            noticing = asyncio.create_task(self._notice(voice), name="voice in a message")
            try:
                await asyncio.wait((hearing, saying, quiet), timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
                if hearing.done():
                    hearing.result()
                they_ended_it = saying.done()
                saying.cancel()
                await self._last_words(words, hearing)
                return they_ended_it
            finally:
                tasks = (hearing, saying, quiet, noticing)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _say(self, sound: AsyncIterable[rtc.AudioFrame], words: stt.RecognizeStream, voice: vad.VADStream) -> None:
        async for frame in sound:
            self._unheard.keep(frame)
            words.push_frame(frame)
            voice.push_frame(frame)

    async def _hear(self, words: stt.RecognizeStream) -> None:
        async for event in words:
            self._quiet_since = time.time()
            if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                self._final(event, self._quiet_since)

    def _final(self, event: stt.SpeechEvent, now: float) -> None:
        self._unheard.understood()
        text = event.alternatives[0].text.strip() if event.alternatives else ""
        if text:
            self._heard(text, (min(self._began_at, now), now))
        self._began_at = now

    async def _notice(self, voice: vad.VADStream) -> None:
        async for event in voice:
            if event.type is _STARTS:
                self._speaks, self._began_at = True, time.time()
                self._unheard.began()
            elif event.type is _ENDS:
                self._speaks, self._quiet_since = False, time.time()
                self._unheard.finished()

    async def _fallen_silent(self) -> None:
        while (rest_s := self._quiet_since + self._quiet_s - time.time()) > 0 or self._speaks:  # noqa: ASYNC110 - a clock
            await asyncio.sleep(max(rest_s, 0.2))

    async def _last_words(self, words: stt.RecognizeStream, hearing: asyncio.Task[None]) -> None:
        self._unheard.finished()
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                words.push_frame(_SILENCE)
                words.end_input()
                await asyncio.shield(hearing)
        except TimeoutError:
            if self._unheard.overlooked:
                raise APITimeoutError("no words came for what was said") from None
