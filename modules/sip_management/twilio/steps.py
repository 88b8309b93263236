"""What is told of each step of setting up or undoing: what it is about, what was done, and what a person has to do."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Did(StrEnum):
    """What a step did."""

    MADE = "made"
    """It was missing and is there now."""
    KEPT = "kept"
    """It was as wanted."""
    WOULD_MAKE = "would make"
    """A dry run: it is missing."""
    UNDONE = "undone"
    """It was ours and is gone."""
    WOULD_UNDO = "would undo"
    """A dry run: it is ours."""
    LEFT = "left"
    """It stays: it is not ours, or not ours alone any more."""
    LOOK = "look"
    """A person has to look at this."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line. `next` is what a person can do about it."""

    name: str
    did: Did
    detail: str
    next: str = ""


Tell = Callable[[Step], None]
