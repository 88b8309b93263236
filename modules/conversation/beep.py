"""The tone after which a mailbox records, told by its sound: one steady pitch and nothing else for a seventh of a second."""

import numpy as np
from livekit import rtc

_LOWEST_HZ, _HIGHEST_HZ = 350, 2700
_LOUD_ENOUGH = 300  # root mean square of 16 bit samples
# Of a frame's energy, how much lies within two bins of its strongest pitch. Sung vowels stay below; telephone tones do not.
_PURE = 0.9
_LASTS_S = 0.14
_SAME_HZ = 45


class Beep:
    """Frames of one call in, the ends of beeps out."""

    def __init__(self) -> None:
        self._hz = 0.0
        self._lasted_s = 0.0

    def ends_in(self, frame: rtc.AudioFrame) -> bool:
        """Take in the next frame (16 bit mono, some 20 to 100 ms); return whether a beep is over with it."""
        hz = _pitch(np.frombuffer(frame.data, dtype=np.int16), frame.sample_rate)
        if hz and abs(hz - self._hz) <= _SAME_HZ:
            self._lasted_s += frame.samples_per_channel / frame.sample_rate
            return False
        was_one = self._lasted_s >= _LASTS_S
        self._hz, self._lasted_s = hz, frame.samples_per_channel / frame.sample_rate if hz else 0.0
        return was_one


def _pitch(samples: np.ndarray[tuple[int], np.dtype[np.int16]], rate: int) -> float:
    """The one pitch of a frame in Hz; 0 where there is none or more than one."""
    sound = samples.astype(np.float32)
    if len(sound) < 32 or float(np.sqrt(np.mean(sound**2))) < _LOUD_ENOUGH:
        return 0.0
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    peak = int(np.argmax(power))
    hz = peak * rate / len(sound)
    if not _LOWEST_HZ <= hz <= _HIGHEST_HZ:
        return 0.0
    near = float(power[max(0, peak - 2) : peak + 3].sum())
    return hz if near >= _PURE * float(power.sum()) else 0.0
