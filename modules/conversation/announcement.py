"""One sentence to somebody who is not put through: spoken by a voice alone, no listening, no thinking, and then the end.

The sound is kept on disk once it was made, so that a full house needs no speech vendor either.
"""

import asyncio
import contextlib
import hashlib
import io
import os
import time
import wave
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import tts

from modules.calls import Event, Outcome, Report
from modules.conversation.inbound_line import InboundLine
from modules.conversation.taken_call import TakenCall
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


class Announcement:
    """One sentence for one caller."""

    def __init__(self, room: rtc.Room, line: InboundLine, taken: TakenCall, text: str, sound: rtc.AudioFrame) -> None:
        self._room, self._line, self._taken = room, line, taken
        self._text, self._sound = text, sound

    async def say(self, reason: str) -> Report:
        """Let the line open, say it, and return how the call ended: as blocked, for this reason, where it was heard."""
        source = rtc.AudioSource(self._sound.sample_rate, self._sound.num_channels)
        track = rtc.LocalAudioTrack.create_audio_track("announcement", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=False)
        try:
            await self._room.local_participant.publish_track(track, options)
            failed = await self._line.ring(self._taken.held, lambda: None)
        except Exception as error:
            log.warning("announcement.no_line", error=type(error).__name__)
            return Report(Event.ATTEMPT_FAILED, Outcome.INFRASTRUCTURE, reason)
        if failed and failed.report:
            return failed.report
        self._taken.scribe.report(Report(Event.ANSWERED))
        try:
            await self._play(source)
        except Exception as error:
            log.warning("announcement.cut", error=type(error).__name__)
            return Report(Event.LOST, Outcome.INFRASTRUCTURE, reason)
        return Report(Event.HUNG_UP, Outcome.BLOCKED, reason)

    async def _play(self, source: rtc.AudioSource) -> None:
        began = time.monotonic()
        await source.capture_frame(self._sound)
        await source.wait_for_playout()
        await asyncio.sleep(_ON_ITS_WAY_S)
        lasted_s = round(time.monotonic() - began, 2)
        turn = {"index": 0, "speaker": "agent", "text": self._text, "start_s": 0.0, "end_s": lasted_s}
        self._taken.scribe.note("call.turn", turn | {"interrupted": False, "latency_ms": None})


def _keep(file: Path, wav: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(wav)
    fresh.replace(file)


def _read(wav: bytes) -> rtc.AudioFrame:
    with wave.open(io.BytesIO(wav)) as reader:
        count = reader.getnframes()
        return rtc.AudioFrame(reader.readframes(count), reader.getframerate(), reader.getnchannels(), count)
