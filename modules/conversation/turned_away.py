"""Callers who are not put through: why, what they hear instead, and how that call ends. Their calls have a record like all."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

from livekit.agents import JobContext

from config import Settings
from modules.call_queue_manager import Admission
from modules.calls import Call, Event, Outcome, Report
from modules.calls.errors import VoicefleetError
from modules.conversation.announcement import Announcement, spoken
from modules.conversation.inbound_line import InboundLine
from modules.conversation.personality import Personality
from modules.conversation.speech import SPEAKING
from modules.conversation.taken_call import TakenCall, cut
from modules.strict_yaml import YamlError


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Why a caller is not put through, stable word first, and the sentence they hear; without one it just ends."""

    reason: str
    sentence: str = ""


def turned_away(admission: Admission, call: Call, speaks: Personality, now: datetime) -> TurnedAway | None:
    """Return why this call is not taken, or None. `speaks` is the personality whose voice is heard."""
    said = speaks.sentences
    if admission is Admission.TOO_OFTEN:
        return TurnedAway("source_limit: This number has called too often lately.")
    if not call.personality:
        return TurnedAway("unknown_number: Nobody answers this number.", said.not_in_service)
    if speaks.hours and not speaks.hours.cover(now):
        return TurnedAway("closed: It was outside the hours of service.", said.closed)
    if admission is Admission.FULL:
        return TurnedAway("full_house: All lines were busy.", said.busy)
    return None


async def tell(
    ctx: JobContext, settings: Settings, line: InboundLine, taken: TakenCall, speaks: Personality, away: TurnedAway
) -> None:
    """Say it, where there is something to say and a voice for it, hang up and write the end."""
    announcement = await _announcement(ctx, settings, line, taken, speaks, away)
    if announcement is None:
        await cut(ctx, taken, Report(Event.ATTEMPT_FAILED, Outcome.BLOCKED, away.reason))
        return
    saying = asyncio.create_task(announcement.say(away.reason), name="announcement")
    over = asyncio.create_task(taken.ending.wait(), name="call over")
    try:
        await asyncio.wait({saying, over}, return_when=asyncio.FIRST_COMPLETED)
        await cut(ctx, taken, saying.result() if saying.done() else over.result().report)
    finally:
        for task in (saying, over):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _announcement(
    ctx: JobContext, settings: Settings, line: InboundLine, taken: TakenCall, speaks: Personality, away: TurnedAway
) -> Announcement | None:
    if not away.sentence:
        return None
    for component in speaks.components.tts:
        try:
            voice = SPEAKING[component.provider](component, settings)
        except (VoicefleetError, YamlError):  # a missing key; the end of the call says why it was not taken
            continue
        sound = await spoken(away.sentence, voice, component.model_dump_json(), settings.data_dir / "announcements")
        if sound:
            return Announcement(ctx.room, line, taken, away.sentence, sound)
    return None
