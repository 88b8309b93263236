"""Callers who are not put through: why, and what they get instead. No I/O; farewell.py does it."""

from dataclasses import dataclass
from datetime import datetime

from modules.call_queue_manager import Admission
from modules.calls import Call
from modules.conversation.duties import TAKE_MESSAGE
from modules.conversation.personality import Personality


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Why a caller is not put through, stable word first, and the sentence they hear; without one it just ends.

    `instead` is TAKE_MESSAGE or the name of a target of `transfer`, where the caller gets more than the sentence.
    """

    reason: str
    sentence: str = ""
    instead: str = ""

    def sentences(self, speaks: Personality) -> list[str]:
        """Return what may have to be said, the first words first."""
        if self.instead == TAKE_MESSAGE:
            return [speaks.sentences.take_message, speaks.sentences.goodbye, speaks.sentences.trouble]
        if self.instead:
            return [speaks.transfer[self.instead].announcement, self.sentence]
        return [self.sentence] if self.sentence else []


def turned_away(admission: Admission, call: Call, speaks: Personality, now: datetime) -> TurnedAway | None:
    """Return why this call is not taken, or None. `speaks` is the personality whose voice is heard.

    A caller in a full house gets more than a sentence only where there is a line for it (Admission.OVERFLOW).
    """
    said, overflow = speaks.sentences, speaks.overflow
    if admission is Admission.TOO_OFTEN:
        return TurnedAway("source_limit: This number has called too often lately.")
    if not call.personality:
        return TurnedAway("unknown_number: Nobody answers this number.", said.not_in_service)
    if speaks.hours and not speaks.hours.cover(now):
        instead = "" if admission is Admission.FULL else overflow.closed
        return TurnedAway("closed: It was outside the hours of service.", said.closed, instead)
    if admission in (Admission.FULL, Admission.OVERFLOW):
        instead = "" if admission is Admission.FULL else overflow.full_house
        return TurnedAway("full_house: All lines were busy.", said.busy, instead)
    return None
