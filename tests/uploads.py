"""Sound files as people upload them, and as attackers do. Made here byte by byte or by PyAV; nothing is downloaded."""

import io
import struct
import wave
from fractions import Fraction
from typing import Any

import av

RATE = 16_000
OGG_CODECS = ("libopus", "vorbis", "flac")


def wav(pcm: bytes, rate: int = RATE, channels: int = 1) -> bytes:
    """16 bit sound as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
    return file.getvalue()


def lying_wav(
    pcm: bytes, *, rate: int = RATE, channels: int = 1, bits: int = 16, size: int | None = None, kind: int = 1
) -> bytes:
    """A WAV whose header says what it is told to."""
    claimed = len(pcm) if size is None else size
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, (rate * block) & 0xFFFFFFFF, block & 0xFFFF, bits)
    whole = min(36 + claimed, 0xFFFFFFFF)
    return (
        b"RIFF"
        + struct.pack("<I", whole)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", claimed)
        + pcm
    )


def encoded(pcm: bytes, container: str, codec: str) -> bytes:
    """16 kHz, 16 bit, mono sound in another container."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        rate = 48_000 if codec == "libopus" else 44_100
        stream: Any = out.add_stream(codec, rate=rate)
        layout = stream.layout = "stereo" if codec == "vorbis" else "mono"  # all that ffmpeg's own encoder knows
        stream.options = {"strict": "experimental"}
        frame = av.AudioFrame("s16", "mono", len(pcm) // 2)
        frame.planes[0].update(pcm)
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate, frame_size=stream.frame_size or None)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


def with_a_picture(pcm: bytes) -> bytes:
    """A Matroska file in which a film comes before the sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        film: Any = out.add_stream("ffv1", rate=10)
        film.width = film.height = 16
        film.pix_fmt = "yuv420p"
        sound: Any = out.add_stream("pcm_s16le", rate=RATE)
        sound.layout = "mono"
        out.mux(film.encode(av.VideoFrame(16, 16, "yuv420p")))
        out.mux(film.encode(None))
        if pcm:
            frame = av.AudioFrame("s16", "mono", len(pcm) // 2)
            frame.planes[0].update(pcm)
            frame.sample_rate = RATE
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return file.getvalue()


def endless_opus(seconds: float) -> bytes:
    """An Ogg file of silence in which one byte plays for 0.12 s: ten hours are 630 kB."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 0) + struct.pack("<I", 0)
    pages = [_page([head], 0, 0, first=True), _page([tags], 0, 1)]
    silence, played = b"\x19", 0  # two frames of 60 ms, both left out
    for number in range(2, 2 + round(seconds / (255 * 0.12)) or 1):
        played += 255 * 5_760
        pages.append(_page([silence] * 255, played, number))
    return b"".join(pages)


def _page(packets: list[bytes], granule: int, number: int, *, first: bool = False) -> bytes:
    sizes = bytes(len(packet) for packet in packets)
    head = b"OggS" + struct.pack("<BBqIII", 0, 2 if first else 0, granule, 1, number, 0) + bytes([len(packets)]) + sizes
    page = bytearray(head + b"".join(packets))
    page[22:26] = struct.pack("<I", _crc(bytes(page)))
    return bytes(page)


def _crc(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc = ((crc << 8) & 0xFFFFFFFF) ^ _CRC[(crc >> 24) ^ byte]
    return crc


def _entry(index: int) -> int:
    value = index << 24
    for _ in range(8):
        value = ((value << 1) ^ 0x04C11DB7) & 0xFFFFFFFF if value & 0x80000000 else (value << 1) & 0xFFFFFFFF
    return value


_CRC = [_entry(index) for index in range(256)]
