"""Whatever is uploaded, it is either plain sound within a moment or refused by name; and what decodes it can do nothing else."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from modules.calls.errors import BadRequest
from modules.conversation.voice_pipeline import decode, decode_child
from modules.conversation.voice_pipeline.decode import container_of, decoded
from modules.conversation.voice_pipeline.decode_child import BYTES_A_SECOND
from modules.conversation.voice_pipeline.errors import AudioTooLong, BrokenAudio, UnsupportedAudio
from tests.uploads import OGG_CODECS, RATE, encoded, endless_opus, lying_wav, wav, with_a_picture

pytestmark = pytest.mark.unit

TONE = (8000 * np.sin(np.arange(2 * RATE) * 2 * np.pi * 440 / RATE)).astype(np.int16).tobytes()
HONEST = {
    "wav": wav(TONE),
    **{f"ogg {codec}": encoded(TONE, "ogg", codec) for codec in OGG_CODECS},
    "mp3": encoded(TONE, "mp3", "libmp3lame"),
    "webm": encoded(TONE, "webm", "libopus"),
    "a film": with_a_picture(TONE),
    "wav and zip at once": wav(TONE) + b"PK\x03\x04" + bytes(1000),
    "wav that claims 4 GB": lying_wav(TONE, size=0xFFFFFFFF),
}
BROKEN = {
    "empty": b"",
    "no samples": wav(b""),
    "a header alone": wav(TONE)[:30],
    "huge rate": lying_wav(TONE, rate=0x7FFFFFFF),
    "no rate": lying_wav(TONE, rate=0),
    "65535 channels": lying_wav(TONE, channels=65535),
    "no channels": lying_wav(TONE, channels=0),
    "no bits": lying_wav(TONE, bits=0),
    "another codec inside": lying_wav(TONE, kind=0x0161),
    "a page that says it is a WAV": b"RIFF\0\0\0\0WAVE<html><script>alert(1)</script>",
    "zeros after OggS": b"OggS" + bytes(100_000),
    "nonsense after EBML": b"\x1a\x45\xdf\xa3" + b"\xff" * 100_000,
    "nonsense after ID3": b"ID3" + b"\xff\xfb" * 50_000,
}
FOREIGN = {
    "a page": b"<html>",
    "a playlist of files": b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n",
    "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "an archive": b"PK\x03\x04" + bytes(100),
    "mp4": bytes(4) + b"ftypM4A " + bytes(100),
    "raw aac": b"\xff\xf1\x50\x80" + bytes(100),
    "a single byte": b"\xff",
}


async def plain(upload: bytes, longest_s: float = 60) -> bytes:
    return await decoded(upload, container_of(upload), longest_s)


def loudest_tone(pcm: bytes) -> float:
    heard = np.frombuffer(pcm, dtype=np.int16)
    return float(np.argmax(np.abs(np.fft.rfft(heard))) * RATE / len(heard))


@pytest.mark.parametrize("name", HONEST)
async def test_what_people_record_is_heard(name: str) -> None:
    """A tone of two seconds comes out as that tone, whatever it was wrapped in."""
    pcm = await plain(HONEST[name])
    assert len(pcm) / BYTES_A_SECOND == pytest.approx(2, abs=0.08)
    assert loudest_tone(pcm) == pytest.approx(440, abs=3)


async def test_stereo_at_another_rate_becomes_one_channel_at_16_khz() -> None:
    """What a studio exports is understood too."""
    assert len(await plain(wav(TONE, rate=48_000, channels=2))) / BYTES_A_SECOND == pytest.approx(1 / 3, abs=0.01)


async def test_what_is_there_of_a_truncated_file_is_heard() -> None:
    """An upload that broke off still holds the first words."""
    assert len(await plain(HONEST["wav"][:20_044])) / BYTES_A_SECOND == pytest.approx(20_000 / BYTES_A_SECOND, abs=0.01)
    assert len(await plain(lying_wav(TONE[:900], size=36_000 * BYTES_A_SECOND))) == 900


@pytest.mark.parametrize("name", BROKEN)
async def test_what_cannot_be_played_is_refused_by_name(name: str) -> None:
    """Headers that lie, files that are none: each is told as what it is, with the field to correct."""
    with pytest.raises(BrokenAudio) as caught:
        await plain(BROKEN[name])
    assert (caught.value.field, caught.value.status) == ("file", 422)


@pytest.mark.parametrize("name", FOREIGN)
def test_only_four_containers_are_ever_tried(name: str) -> None:
    """ffmpeg knows hundreds of formats, some of which read other files; these are refused before it sees them."""
    with pytest.raises(UnsupportedAudio):
        container_of(FOREIGN[name])


async def test_ten_hours_of_silence_in_630_kb_end_at_the_limit() -> None:
    """What a file claims does not count and what it plays is cut off: 1.1 GB of sound are never made."""
    bomb = endless_opus(36_000)
    assert len(bomb) < 640_000
    with pytest.raises(AudioTooLong, match="longer than 60 s"):
        await plain(bomb)
    assert len(await plain(endless_opus(30))) / BYTES_A_SECOND == pytest.approx(30.6, abs=0.1)


async def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a decoder is made to do, the clock ends it."""
    monkeypatch.setattr(decode, "WALL_S", 0.3)
    began = time.monotonic()
    with pytest.raises(AudioTooLong, match="more time or memory"):
        await plain(endless_opus(360_000), 1_000_000)
    assert time.monotonic() - began < 10


async def test_damage_anywhere_is_survived() -> None:
    """A hundred files with bytes turned over at random: sound, or a refusal by name; never anything else."""
    chance = random.Random(7)
    kinds = [HONEST[name] for name in ("wav", "ogg libopus", "ogg vorbis", "mp3", "webm")]

    async def one(whole: bytes) -> None:
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 20, 400))):
            damaged[chance.randrange(4, len(damaged))] = chance.randrange(256)
        try:
            assert len(await plain(bytes(damaged))) <= 60 * BYTES_A_SECOND
        except BadRequest as error:
            assert error.field == "file"

    for _ in range(10):
        await asyncio.gather(*(one(whole) for whole in kinds))


@pytest.mark.parametrize(
    ("attempt", "ends_with"),
    [
        ("open('/etc/hostname')", "Too many open files"),
        ("__import__('_socket').socket()", "Too many open files"),
        ("bytearray(2**30)", "MemoryError"),
        ("[i for i in iter(int, 1)]", ""),
    ],
)
def test_the_child_can_do_nothing_else(attempt: str, ends_with: str) -> None:
    """A decoder that was taken over finds no file, no network, little memory, and its time runs out."""
    folder = Path(decode_child.__file__).parent
    taken_over = f"import _socket, decode_child as child; child.CPU_S = 1; child._give_up_rights(); {attempt}"
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); {taken_over}"
    found = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    assert found.returncode != 0 and ends_with in found.stderr, found


async def test_the_child_is_told_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of our environment reaches what decodes a stranger's file."""
    monkeypatch.setenv("OPENAI_API_KEY", "hunter2")
    told = tmp_path / "told"
    spy = tmp_path / "child.py"
    spy.write_text(f"import os, sys; open({str(told)!r}, 'w').write(repr(dict(os.environ))); sys.exit(3)")
    monkeypatch.setattr(decode_child, "__file__", str(spy))
    with pytest.raises(BrokenAudio):
        await plain(HONEST["wav"])
    assert "hunter2" not in told.read_text() and "API" not in told.read_text()
