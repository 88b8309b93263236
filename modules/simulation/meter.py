"""What the person on the phone experiences, measured on the waveform of the phone leg: waiting times and silence.

Times are readings of one monotonic clock in seconds, given by whoever owns the sound. No audio devices, no tasks.
"""

import numpy as np

from modules.simulation.g711 import FRAME_S, Samples

LOUD = 500  # of 32767: above comfort noise and codec dust, below any speech
# Who speaks this long has said something new; a shorter "Hello?" into a silence is one of waiting, and does not end it.
_TURN_S = 2.5


class Meter:
    def __init__(self, answered_at: float) -> None:
        self.answered_at = answered_at
        self.first_word_ms: int | None = None
        """Pick-up to the first sound of the agent."""
        self.turns_ms: list[int] = []
        """End of each of the callee's utterances to the agent's next sound; one that it did not wait for is left out."""
        self.last_sound_at = answered_at
        self._longest_silence_s = 0.0
        self._longest_wait_s = 0.0
        self._waited_s = 0.0
        self._wait_goes_on_since: float | None = answered_at
        self._callee_speaks_since = answered_at
        self._waiting_since: float | None = None
        self._loud_frames = 0
        self._agent_last_at = 0.0

    def hear(self, samples: Samples, arrived_at: float) -> None:
        """A frame of the agent's sound that arrived just now; two loud ones in a row are speech, one is a click."""
        loud = len(samples) > 0 and int(np.abs(samples.astype(np.int32)).max()) > LOUD
        self._loud_frames = self._loud_frames + 1 if loud else 0
        if self._loud_frames < 2:
            return
        started_at = arrived_at - (self._loud_frames - 1) * FRAME_S
        self._agent_last_at = arrived_at
        self._sound(started_at, arrived_at)
        self._longest_wait_s, self._waited_s, self._wait_goes_on_since = self._wait_s(started_at), 0.0, None
        if self.first_word_ms is None:
            self.first_word_ms = _ms(started_at - self.answered_at)
        if self._waiting_since is not None:
            self.turns_ms.append(_ms(max(0.0, started_at - self._waiting_since)))
            self._waiting_since = None

    def callee_speaks(self, now: float) -> None:
        self._sound(now, now)
        self._waiting_since = None
        self._callee_speaks_since = now
        if self._wait_goes_on_since is not None:
            self._waited_s += now - self._wait_goes_on_since
            self._longest_wait_s = max(self._longest_wait_s, self._waited_s)
            self._wait_goes_on_since = None

    def callee_stopped(self, now: float) -> None:
        """Nobody waits where the agent is speaking already."""
        self.last_sound_at = max(self.last_sound_at, now)
        if now - self._callee_speaks_since >= _TURN_S:
            self._waited_s = 0.0
        if now - self._agent_last_at > 2 * FRAME_S:
            self._waiting_since = self._wait_goes_on_since = now

    def longest_silence_ms(self, now: float) -> int:
        return _ms(max(self._longest_silence_s, now - self.last_sound_at))

    def longest_wait_ms(self, now: float) -> int:
        """The agent's longest silence after the answer or something the callee had said, without the callee's own words in it."""
        return _ms(self._wait_s(now))

    def _wait_s(self, until: float) -> float:
        since = self._wait_goes_on_since
        return max(self._longest_wait_s, self._waited_s + (0.0 if since is None else until - since))

    def _sound(self, started_at: float, until: float) -> None:
        self._longest_silence_s = max(self._longest_silence_s, started_at - self.last_sound_at)
        self.last_sound_at = max(self.last_sound_at, until)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
