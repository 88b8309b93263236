"""The sound of a phone line: 8 kHz, G.711 mu-law. The codec is FFmpeg's (PyAV); here it is only asked once for every value.

mu-law has no memory (each sample stands alone), so what encoding and decoding do to 65,536 values is the whole codec.
"""

import av
import numpy as np
import numpy.typing as npt

RATE = 8000
FRAME_S = 0.02
FRAME = int(RATE * FRAME_S)

Samples = npt.NDArray[np.int16]


class MuLaw:
    """Calling it with samples returns them as they arrive at the other end of the line."""

    def __init__(self) -> None:
        every: Samples = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
        encoder = av.CodecContext.create("pcm_mulaw", "w")
        decoder = av.CodecContext.create("pcm_mulaw", "r")
        for codec in (encoder, decoder):
            codec.sample_rate = RATE
            codec.layout = "mono"
        encoder.format = "s16"
        frame = av.AudioFrame.from_ndarray(every.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        packets = [*encoder.encode(frame), *encoder.encode(None)]
        heard = np.concatenate([part.to_ndarray().ravel() for packet in packets for part in decoder.decode(packet)])
        self._heard: Samples = np.concatenate([heard[32768:], heard[:32768]]).astype(np.int16)

    def __call__(self, samples: Samples) -> Samples:
        return self._heard[samples.view(np.uint16)]


def resample(pcm: bytes, from_hz: int, to_hz: int) -> Samples:
    """Return a whole piece of 16 bit mono sound at another rate."""
    if not pcm:
        return np.zeros(0, dtype=np.int16)
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, dtype=np.int16).reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = from_hz
    resampler = av.AudioResampler(format="s16", layout="mono", rate=to_hz)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray().ravel() for part in parts]).astype(np.int16)


def beep(seconds: float = 0.5, hz: int = 1000) -> Samples:
    """The tone of a mailbox."""
    times = np.arange(int(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * hz * times) * 8000).astype(np.int16)
