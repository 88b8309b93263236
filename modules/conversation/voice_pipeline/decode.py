"""An upload becomes plain sound: recognised by its first bytes, decoded by a child that is bounded in every way and then gone.

Bounds: what the child sets itself (decode_child.py), its time by the clock, and how much it may say. As many children at once as
uploads are answered at once; that is counted in pipeline.py.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from modules.conversation.voice_pipeline import decode_child
from modules.conversation.voice_pipeline.decode_child import BYTES_A_SECOND, Went
from modules.conversation.voice_pipeline.errors import AudioTooLong, BrokenAudio, UnsupportedAudio

WALL_S = 20.0
_PIECE = 64 * 1024
_NAMES = {"wav": "WAV", "ogg": "OGG", "mp3": "MP3", "matroska": "WebM"}
# Told by the child, or by the signal that the system ended it with.
_TOO_COSTLY = frozenset({Went.TOO_COSTLY, -int(getattr(signal, "SIGXCPU", 0)), -int(getattr(signal, "SIGKILL", 0))} - {0})
# All of the environment that Python itself may need to start; no setting, no secret.
_STARTS_WITH = ("LD_LIBRARY_PATH", "SYSTEMROOT")


def container_of(upload: bytes) -> str:
    """Return ffmpeg's name of the container that these bytes begin as. Raises UnsupportedAudio, BrokenAudio."""
    if not upload:
        raise BrokenAudio("The file is empty.", field="file")
    if upload[:4] == b"RIFF" and upload[8:12] == b"WAVE":
        return "wav"
    if upload[:4] == b"OggS":
        return "ogg"
    if upload[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    # An MPEG frame begins with eleven set bits; the two that name its layer are 01 for layer III.
    if upload[:3] == b"ID3" or (upload[0] == 0xFF and len(upload) > 1 and upload[1] & 0xE6 == 0xE2):
        return "mp3"
    raise UnsupportedAudio("The file is not WAV, OGG, MP3 or WebM; its name does not count, its first bytes do.", field="file")


async def decoded(upload: bytes, container: str, longest_s: float) -> bytes:
    """Return the upload as 16 kHz, 16 bit, mono sound, `longest_s` at most.

    Raises BrokenAudio for what cannot be played, AudioTooLong for what plays or costs too much.
    """
    try:
        async with asyncio.timeout(WALL_S):
            went, sound = await _by_child(upload, container, longest_s)
    except TimeoutError:
        went, sound = Went.TOO_COSTLY, b""
    if went == Went.TOO_LONG or len(sound) > longest_s * BYTES_A_SECOND:
        raise AudioTooLong(f"The file plays longer than {longest_s:g} s.", field="file")
    if went in _TOO_COSTLY:
        raise AudioTooLong("The file takes more time or memory to decode than any honest one.", field="file")
    if went != Went.WELL and not (went == Went.BROKEN and sound):  # what comes before a break can be heard
        raise BrokenAudio(f"The file begins like {_NAMES[container]} and cannot be played.", field="file")
    if not sound:
        raise BrokenAudio("There is no sound in the file.", field="file")
    return sound


async def _by_child(upload: bytes, container: str, longest_s: float) -> tuple[int, bytes]:
    """Return how it went (below 0: the signal that ended the child) and the sound, one piece longer than allowed at most."""
    command = [sys.executable, "-I", str(Path(decode_child.__file__)), container, str(longest_s)]
    environment = {name: os.environ[name] for name in _STARTS_WITH if name in os.environ}
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment)
    assert child.stdin and child.stdout
    feeding = asyncio.create_task(_feed(child.stdin, upload), name="decode-feed")
    try:
        sound = await _at_most(child.stdout, int(longest_s * BYTES_A_SECOND))
        return await child.wait(), sound
    finally:
        feeding.cancel()
        if child.returncode is None:
            child.kill()
            await child.wait()


async def _feed(stdin: asyncio.StreamWriter, upload: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        stdin.write(upload)
        await stdin.drain()
        stdin.close()


async def _at_most(stdout: asyncio.StreamReader, most: int) -> bytes:
    sound = bytearray()
    while len(sound) <= most and (piece := await stdout.read(_PIECE)):
        sound += piece
    return bytes(sound)
