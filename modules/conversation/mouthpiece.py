"""The way of the agent's sound to the phone: what is heard of it is counted here, and a prepared sentence can be put in.

A filler must not wait in the session's queue of speeches, behind the very sentence that does not come. So it is put into the
sound itself: into the gap where a sentence is stuck, or by itself between two; the session does not notice.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from modules.conversation.dead_air import DeadAir

_LOUD = 300  # of 32767: above a codec's dust, below any speech
# A voice that sends silence says nothing; more of it than this at a time is left out.
_PAUSE_S = 1.0


class Mouthpiece(io.AudioOutput):
    """Stands before `phone`, tells `dead_air` what is heard and until when. `clock` counts seconds, as that of `dead_air`."""

    def __init__(self, phone: io.AudioOutput, dead_air: DeadAir, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(
            label="Mouthpiece", capabilities=io.AudioOutputCapabilities(pause=True), next_in_chain=phone,
            sample_rate=phone.sample_rate,
        )  # fmt: skip
        self._dead_air = dead_air
        self._clock = clock
        self._until = 0.0
        self._paused_with_s: float | None = None
        self._pause_s = 0.0
        self._inside = False
        self._ours = False
        self._idle = asyncio.Event()  # nothing of ours is on its way by itself
        self._open = asyncio.Event()  # the session may speak
        self._idle.set()
        self._open.set()

    @property
    def _phone(self) -> io.AudioOutput:
        assert self.next_in_chain is not None
        return self.next_in_chain

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """The session's sound; it waits for a sentence of ours to end."""
        await self._open.wait()
        await self._idle.wait()
        loud = _is_loud(frame)
        self._pause_s = 0.0 if loud else self._pause_s + frame.duration
        if self._pause_s > _PAUSE_S:
            return
        await super().capture_frame(frame)
        self._inside = True
        await self._phone.capture_frame(frame)
        self._sent(frame)
        if loud:
            self._dead_air.sound(self._until)

    def flush(self) -> None:
        """The session's sentence is complete."""
        super().flush()
        if self._inside and self._open.is_set():
            self._inside = False
            self._phone.flush()
        self._pause_s = 0.0
        self._dead_air.spoken()

    def clear_buffer(self) -> None:
        """The session was interrupted."""
        if self._open.is_set():
            self._phone.clear_buffer()
            self._until, self._paused_with_s = self._clock(), None

    def pause(self) -> None:
        if self._open.is_set():
            self._paused_with_s = max(0.0, self._until - self._clock())
            super().pause()

    def resume(self) -> None:
        if self._paused_with_s is not None:
            self._until, self._paused_with_s = self._clock() + self._paused_with_s, None
        super().resume()

    def on_playback_started(self, *, created_at: float) -> None:
        if not self._ours:
            super().on_playback_started(created_at=created_at)

    def on_playback_finished(self, *, playback_position: float, interrupted: bool, **more: Any) -> None:
        if self._ours:
            self._ours = False
            self._idle.set()
        else:
            super().on_playback_finished(playback_position=playback_position, interrupted=interrupted, **more)

    async def put_in(self, sentence: Sequence[rtc.AudioFrame]) -> None:
        """Say this now: into the sentence that is stuck, or by itself. Returns when it is on its way."""
        by_itself = not self._inside
        if by_itself:
            await self._idle.wait()
            self._idle.clear()
            await self.wait_for_playout()
            self._ours = True
        for frame in sentence:
            await self._phone.capture_frame(frame)
            self._sent(frame)
            self._dead_air.filled(self._until)
        if by_itself:
            self._phone.flush()

    async def last_words(self, sentence: Sequence[rtc.AudioFrame], own_sentence_s: float) -> None:
        """Say this once what is being said is over, at most so much later, and nothing after it. Returns when it was heard."""
        self._open.clear()
        await asyncio.sleep(min(own_sentence_s, max(0.0, self._until - self._clock())))
        self.resume()
        await self.put_in(sentence)
        await asyncio.sleep(max(0.0, self._until - self._clock()))

    def _sent(self, frame: rtc.AudioFrame) -> None:
        self._until = max(self._until, self._clock()) + frame.duration


def _is_loud(frame: rtc.AudioFrame) -> bool:
    return bool(np.abs(np.frombuffer(frame.data, dtype=np.int16).astype(np.int32)).max(initial=0) > _LOUD)
