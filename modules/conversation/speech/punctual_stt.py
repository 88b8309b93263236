"""Listeners that have words for what was said in time, or fail; and what was said is not lost with them.

`Unheard` keeps the sound for which there are no words yet. The next listener, or the next connection to the same one, gets it
first. When somebody has finished is told by the call's own voice detector, never by the vendor.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, APITimeoutError, NotGivenOr, stt, utils, vad

from modules.conversation.deadlines import KEPT_S, STATEMENT_S, Deadlines

_TICK_S = 0.1
_ONSET_S = 1.0


class Unheard:
    """One call's sound without words. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sound: deque[rtc.AudioFrame] = deque()
        self._lasts_s = 0.0
        self._began_at: float | None = None
        self._finished_at: float | None = None

    def keep(self, frame: rtc.AudioFrame) -> None:
        """Keep a frame; of silence the last moment, in which speech may have begun."""
        self._sound.append(frame)
        self._lasts_s += frame.duration
        limit_s = KEPT_S if self._began_at is not None or self._finished_at is not None else _ONSET_S
        while self._lasts_s > limit_s:
            self._lasts_s -= self._sound.popleft().duration

    def began(self) -> None:
        """Somebody speaks, perhaps again before there are words."""
        self._began_at, self._finished_at = self._clock(), None

    def finished(self) -> None:
        """They have stopped. A cough is not waited for."""
        began_at, self._began_at = self._began_at, None
        if began_at is not None and self._clock() - began_at >= STATEMENT_S and self._sound:
            self._finished_at = self._clock()

    def understood(self) -> None:
        """There are final words, or nobody waits for them any more."""
        self._sound.clear()
        self._lasts_s = 0.0
        self._finished_at = None

    @property
    def overlooked(self) -> bool:
        """Whether there are no words for something that was said and is over."""
        return self._finished_at is not None

    def sound(self) -> list[rtc.AudioFrame]:
        """Return what is kept."""
        return list(self._sound)

    async def overdue(self, within_s: float) -> None:
        """Return when words have been waited for so long, from now or from the end of what was said, whichever is later."""
        began = self._clock()
        while self._finished_at is None or self._clock() - max(self._finished_at, began) < within_s:  # noqa: ASYNC110 - a clock
            await asyncio.sleep(_TICK_S)


class PunctualSTT(stt.STT[Any]):
    """`listener`, with `words_s` for the words of a finished utterance. One that hears whole utterances is given `activity`."""

    def __init__(self, listener: stt.STT[Any], activity: vad.VAD, unheard: Unheard, words_s: float, deadlines: Deadlines) -> None:
        streaming = listener if listener.capabilities.streaming else stt.StreamAdapter(stt=listener, vad=activity)
        super().__init__(capabilities=streaming.capabilities)
        self.wrapped = listener
        self.streaming = streaming
        self.unheard = unheard
        self.words_s = words_s
        self.connect_s = deadlines.words
        self._recognize_metrics_needed = False
        streaming.on("metrics_collected", self._forward)

    @property
    def model(self) -> str:
        return self.wrapped.model

    @property
    def provider(self) -> str:
        return self.wrapped.provider

    def prewarm(self) -> None:
        self.wrapped.prewarm()

    async def aclose(self) -> None:
        self.streaming.off("metrics_collected", self._forward)
        if self.streaming is not self.wrapped:
            await self.streaming.aclose()
        await self.wrapped.aclose()

    async def _recognize_impl(
        self, buffer: utils.AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        return await self.wrapped.recognize(buffer, language=language, conn_options=conn_options)

    def stream(
        self, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> stt.RecognizeStream:
        return _Stream(self, language, conn_options)

    def _forward(self, *metrics: Any) -> None:
        self.emit("metrics_collected", *metrics)


class _Stream(stt.RecognizeStream):
    def __init__(self, listener: PunctualSTT, language: NotGivenOr[str], conn_options: APIConnectOptions) -> None:
        super().__init__(stt=listener, conn_options=conn_options)
        self._listener = listener
        self._language = language

    async def _run(self) -> None:
        once = APIConnectOptions(max_retry=0, timeout=self._listener.connect_s)
        async with self._listener.streaming.stream(language=self._language, conn_options=once) as inner:
            inner.start_time_offset = self.start_time_offset
            saying = asyncio.create_task(self._say(inner), name="sound to the listener")
            ends = [asyncio.create_task(work, name="listener") for work in (self._listen(inner), self._give_up())]
            try:
                done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                for end in done:
                    end.result()
            finally:
                await utils.aio.cancel_and_wait(saying, *ends)

    async def _listen(self, inner: stt.RecognizeStream) -> None:
        async for event in inner:
            self._event_ch.send_nowait(event)

    async def _say(self, inner: stt.RecognizeStream) -> None:
        """First what nobody has understood yet, then what is said now; a frame that is in both is said once."""
        kept = self._listener.unheard.sound()
        for frame in kept:
            inner.push_frame(frame)
        said = {id(frame) for frame in kept}
        async for item in self._input_ch:
            if not isinstance(item, rtc.AudioFrame):
                inner.flush()
            elif id(item) not in said:
                inner.push_frame(item)
        inner.end_input()

    async def _give_up(self) -> None:
        await self._listener.unheard.overdue(self._listener.words_s)
        raise APITimeoutError(f"no words for what was said within {self._listener.words_s:g} s")

    async def _metrics_monitor_task(self, event_aiter: Any) -> None:
        async for _ in event_aiter:
            pass
