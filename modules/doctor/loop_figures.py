"""What two records of one call tell about the line between them. Pure arithmetic.

A turn is as GET /v1/calls/ID/transcript gives it: `speaker` ("agent" is our voice at that end), `text`, `start_s`, `end_s`,
in seconds since that end's answer.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

Turn = Mapping[str, Any]
_SAME = 0.5
"""Two turns are the same sentence where this share of its words was understood."""


@dataclass(frozen=True, slots=True)
class Direction:
    """One way of the sound. The greeting counts as sound; its words do not: it is spoken into the other's greeting."""

    said: int
    """Words spoken at one end."""
    understood: int
    """Those of them that stand in the other end's transcript."""
    times: int
    """How often anything was heard at the other end."""
    first_s: float | None
    """When it was first, after the answer there."""
    silence_s: float
    """The longest silence there, both voices taken together."""


def direction(here: Sequence[Turn], there: Sequence[Turn]) -> Direction:
    """Return what became of the words of our agent `here` at the other end, `there`."""
    said, heard = _of("agent", here)[1:], _of("callee", there)
    understood = sum(max((_common(turn, other) for other in heard), default=0) for turn in said)
    first_s = min((float(turn["start_s"]) for turn in heard), default=None)
    return Direction(sum(len(_words(turn)) for turn in said), understood, len(heard), first_s, _longest_silence(there))


def round_trip_s(one: Sequence[Turn], other: Sequence[Turn]) -> float | None:
    """Return how long sound takes to the other end and back, without the time in which somebody thinks; None if unknown.

    Each end measures with its own clock only: from the end of what it said to the start of the reply it hears, and from the
    end of what it heard to the start of what it replied. The difference is the line's, and the listeners'.
    """
    found = [*_trips(one, other), *_trips(other, one)]
    return max(0.0, median(found)) if found else None


def _trips(asks: Sequence[Turn], replies: Sequence[Turn]) -> Iterator[float]:
    spoken = _of("agent", replies)
    for question in _of("agent", asks)[1:]:
        arrived = _same(question, _of("callee", replies))
        reply = next((turn for turn in spoken if arrived and turn["start_s"] >= arrived["end_s"]), None)
        later = [turn for turn in _of("callee", asks) if turn["start_s"] >= question["end_s"]]
        returned = _same(reply, later) if reply else None
        if arrived and reply and returned:
            yield float((returned["start_s"] - question["end_s"]) - (reply["start_s"] - arrived["end_s"]))


def _of(speaker: str, turns: Sequence[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn["speaker"] == speaker and _words(turn)]


def _words(turn: Turn) -> list[str]:
    return re.findall(r"\w+", str(turn["text"]).lower())


def _common(turn: Turn, other: Turn) -> int:
    return (Counter(_words(turn)) & Counter(_words(other))).total()


def _same(turn: Turn, others: Sequence[Turn]) -> Turn | None:
    best = max(others, key=lambda other: _common(turn, other), default=None)
    return best if best is not None and _common(turn, best) >= _SAME * len(_words(turn)) else None


def _longest_silence(turns: Sequence[Turn]) -> float:
    longest = until = 0.0
    for turn in sorted(turns, key=lambda turn: turn["start_s"]):
        longest = max(longest, turn["start_s"] - until)
        until = max(until, turn["end_s"])
    return longest
