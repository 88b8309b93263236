"""flite as a livekit-agents TTS: a child process a sentence, 16 kHz, no silence at either end. English, demo and tests only.

A spoken sentence is kept, so the next time costs nothing. Pauses inside are cut to PAUSE_S, shorter than the silence
after which a listener takes its turn; the same pause follows each text, so that two sentences do not run together.
"""

import asyncio
import io
import shutil
import uuid
import wave
from collections import OrderedDict
from typing import Never

import numpy as np
import numpy.typing as npt
from livekit.agents import APIConnectionError, APITimeoutError, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions

from modules.conversation.speech.local.words import words_of

VOICES = ("rms", "kal16", "slt", "awb")
SAMPLE_RATE = 16000
PAUSE_S = 0.12
KEPT_SENTENCES = 256
_QUIET = 100  # of 32767; flite's silences stay below 70, its weakest consonants are just above
_FRAME = SAMPLE_RATE // 200
_CHILD_TIMEOUT_S = 10.0

Samples = npt.NDArray[np.int16]


class FliteTTS(tts.TTS[Never]):
    def __init__(self, voice: str = "rms") -> None:
        if voice not in VOICES:
            raise ValueError(f"flite has no voice {voice!r}; it has {', '.join(VOICES)}")
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=SAMPLE_RATE, num_channels=1)
        self.voice = voice
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    @property
    def model(self) -> str:
        return f"flite-{self.voice}"

    @property
    def provider(self) -> str:
        return "local"

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        return _Spoken(tts=self, input_text=text, conn_options=conn_options)

    async def speak(self, text: str) -> bytes:
        """Return `text` as 16 kHz, 16 bit, mono sound, from its first sound to its last."""
        kept = self._kept.get(text)
        if kept is None:
            kept = tighten(await _flite(self.voice, text)) if words_of(text) or any(map(str.isdigit, text)) else b""
            self._kept[text] = kept
            if len(self._kept) > KEPT_SENTENCES:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(text)
        return kept


class _Spoken(tts.ChunkedStream):
    _tts: FliteTTS

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        sound = await self._tts.speak(self._input_text)
        output_emitter.initialize(request_id=uuid.uuid4().hex, sample_rate=SAMPLE_RATE, num_channels=1, mime_type="audio/pcm")
        output_emitter.push(sound + bytes(2 * int(PAUSE_S * SAMPLE_RATE)))
        output_emitter.flush()


async def _flite(voice: str, text: str) -> bytes:
    program = shutil.which("flite")
    if program is None:
        raise APIConnectionError(
            "flite is not installed; provider `local` speaks with it (Debian: apt-get install flite)", retryable=False
        )
    child = await asyncio.create_subprocess_exec(
        program, "-voice", voice, "-t", text, "-o", "/dev/stdout",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wav, _ = await asyncio.wait_for(child.communicate(), _CHILD_TIMEOUT_S)
    except TimeoutError:
        raise APITimeoutError(f"flite gave no sound within {_CHILD_TIMEOUT_S:.0f} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not wav:
        raise APIConnectionError(f"flite ended with {child.returncode}")
    with wave.open(io.BytesIO(wav)) as reader:
        if reader.getframerate() != SAMPLE_RATE or reader.getnchannels() != 1:
            raise APIConnectionError(f"flite spoke at {reader.getframerate()} Hz, not {SAMPLE_RATE}", retryable=False)
        sound: bytes = reader.readframes(reader.getnframes())
        return sound


def tighten(pcm: bytes) -> bytes:
    """Cut the silence before and after the speech, and each pause inside it to PAUSE_S."""
    samples: Samples = np.frombuffer(pcm, dtype=np.int16)
    whole = len(samples) // _FRAME
    frames = samples[: whole * _FRAME].reshape(whole, _FRAME)
    loud = np.abs(frames.astype(np.int32)).max(axis=1, initial=0) > _QUIET
    if not loud.any():
        return b""
    first, last = int(loud.argmax()), whole - int(loud[::-1].argmax())
    longest = round(PAUSE_S * SAMPLE_RATE / _FRAME)
    keep, quiet = np.zeros(whole, dtype=bool), 0
    for index in range(first, last):
        quiet = 0 if loud[index] else quiet + 1
        keep[index] = quiet <= longest
    sound: bytes = frames[keep].tobytes()
    return sound
