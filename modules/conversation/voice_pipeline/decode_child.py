"""The child that decodes an upload: a file on standard input, 16 kHz 16 bit mono sound on standard output, an exit code.

Run by its path in isolated mode, with an empty environment. It takes every right from itself that it does not need before it
looks at a byte: memory, processor time, new files and sockets. What it decodes was made by a stranger.
"""

import io
import os
import sys
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, BinaryIO

RATE = 16_000
BYTES_A_SECOND = 2 * RATE
CPU_S = 10
MEMORY_BYTES = 512 * 1024 * 1024  # of address space; Python with PyAV alone takes 125 MB of it
MOST_CHANNELS = 8
RATES = range(4_000, 384_001)
# What microphones, browsers and telephones write. Anything else ffmpeg knows is never tried, whatever a header asks for.
CODECS = frozenset({
    "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw",
    "opus", "libopus", "vorbis", "libvorbis", "flac", "mp3", "mp3float",
})  # fmt: skip


class Went(IntEnum):
    """How it went."""

    WELL = 0
    BROKEN = 3
    TOO_LONG = 4
    TOO_COSTLY = 5


def main(container: str, longest_s: float) -> Went:
    """Decode standard input, known to begin like a `container`, to standard output."""
    _give_up_rights()
    upload = io.BytesIO(sys.stdin.buffer.read())
    left = int(longest_s * BYTES_A_SECOND)
    try:
        return _decode(upload, container, left, sys.stdout.buffer)
    except MemoryError:
        return Went.TOO_COSTLY
    except BrokenPipeError:
        return Went.BROKEN


def _give_up_rights() -> None:
    """Take what limits the system has. Windows has none of these; there the parent's clock and count of bytes remain."""
    try:
        import resource
    except ImportError:
        return
    import av.subtitles.stream  # noqa: F401 - the last piece PyAV loads, while files may still be opened

    inputs_and_outputs = 3
    for limit, most in (
        (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, inputs_and_outputs),
    ):  # fmt: skip
        _, already = resource.getrlimit(limit)
        bound = most if already == resource.RLIM_INFINITY else min(most, already)
        resource.setrlimit(limit, (bound, bound))


def _decode(upload: io.BytesIO, container: str, left: int, out: BinaryIO) -> Went:
    import av

    try:
        # A file-like object and no protocol: a container that refers to another file or address refers to nothing.
        options = {"protocol_whitelist": "", "codec_whitelist": ",".join(sorted(CODECS))}
        with av.open(upload, "r", format=container, options=options) as opened:
            for sound in _sound(opened):
                out.write(sound[:left])
                left -= len(sound)
                if left < 0:
                    return Went.TOO_LONG
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        return Went.TOO_COSTLY if isinstance(error, MemoryError) else Went.BROKEN
    finally:
        out.flush()
    return Went.WELL


def _sound(opened: Any) -> Iterator[bytes]:
    """Yield the first audio stream's sound. A packet that cannot be decoded is left out; a header that cannot be true raises."""
    import av

    if not opened.streams.audio:
        raise ValueError("no sound in it")
    stream = opened.streams.audio[0]
    _believable(stream.codec_context)
    stream.codec_context.thread_count = 1
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for packet in opened.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        for frame in frames:
            for piece in resampler.resample(frame):
                yield bytes(piece.planes[0])[: 2 * piece.samples]
    for piece in resampler.resample(None):
        yield bytes(piece.planes[0])[: 2 * piece.samples]


def _believable(codec: Any) -> None:
    if codec.name not in CODECS or codec.sample_rate not in RATES or not 1 <= codec.channels <= MOST_CHANNELS:
        raise ValueError("a header nobody's microphone writes")


if __name__ == "__main__":
    code = main(sys.argv[1], float(sys.argv[2]))
    os._exit(code)  # nothing is left to tidy up, and libraries' own ends are code that need not run here
