"""Fixed sentences to somebody who is not put through: spoken by a voice alone, no thinking.

The sound is kept on disk once it was made, so that a full house needs no speech vendor either.
"""

import asyncio
import contextlib
import hashlib
import io
import os
import time
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import tts

from modules.calls import Event, Outcome, Report
from modules.conversation.inbound_line import InboundLine
from modules.conversation.taken_call import TakenCall
from modules.conversation.transcript import Transcript
from modules.metrics_logger import get_logger

log = get_logger("voice_agent")

_SYNTHESIS_S = 5.0
# What is still on its way to the phone when the last sample has left here.
_ON_ITS_WAY_S = 0.4


async def spoken(text: str, speaker: tts.TTS[Any], voice_id: str, folder: Path) -> rtc.AudioFrame | None:
    """Return `text` as sound, from `folder` where it was spoken before; None where the voice fails."""
    name = hashlib.sha256("\n".join((voice_id, text)).encode()).hexdigest()[:32]
    file = folder / f"{name}.wav"
    with contextlib.suppress(OSError, wave.Error, EOFError):
        return _read(file.read_bytes())
    try:
        async with asyncio.timeout(_SYNTHESIS_S), speaker.synthesize(text) as stream:
            sound = rtc.combine_audio_frames([chunk.frame async for chunk in stream])
    except Exception as error:
        log.warning("announcement.not_spoken", error=type(error).__name__)
        return None
    with contextlib.suppress(OSError):  # a container may keep its disk read-only
        _keep(file, sound.to_wav_bytes())
    return sound


class Announcer:
    """The voice on one caller's line, with the sound of each sentence it may say, all of one sample rate."""

    def __init__(self, room: rtc.Room, line: InboundLine, taken: TakenCall, sounds: Mapping[str, rtc.AudioFrame]) -> None:
        self._room, self._line, self._taken, self._sounds = room, line, taken, sounds
        first = next(iter(sounds.values()))
        self._source = rtc.AudioSource(first.sample_rate, first.num_channels)
        self.transcript = Transcript(taken.scribe)

    async def open(self) -> Report | None:
        """Let the line open; return None, or how the call ended because it did not."""
        track = rtc.LocalAudioTrack.create_audio_track("announcement", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=False)
        try:
            await self._room.local_participant.publish_track(track, options)
            failed = await self._line.ring(self._taken.held, lambda: None)
        except Exception as error:
            log.warning("announcement.no_line", error=type(error).__name__)
            return Report(Event.ATTEMPT_FAILED, Outcome.INFRASTRUCTURE, "The line could not be opened.")
        if failed and failed.report:
            return failed.report
        self.transcript.answered()
        self._taken.scribe.report(Report(Event.ANSWERED))
        return None

    async def say(self, sentence: str) -> None:
        """Say one of the sentences; return when its last sample has left."""
        began = time.time()
        await self._source.capture_frame(self._sounds[sentence])
        await self._source.wait_for_playout()
        self.transcript.write("agent", sentence, (began, time.time()))

    async def heard_out(self) -> None:
        """Return when what was said has arrived."""
        await asyncio.sleep(_ON_ITS_WAY_S)


def _keep(file: Path, wav: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(wav)
    fresh.replace(file)


def _read(wav: bytes) -> rtc.AudioFrame:
    with wave.open(io.BytesIO(wav)) as reader:
        count = reader.getnframes()
        return rtc.AudioFrame(reader.readframes(count), reader.getframerate(), reader.getnchannels(), count)
