"""What a check found: a colour, why in one line, and what to do in one line."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Colour(StrEnum):
    """How well a thing is."""

    GREEN = "green"
    AMBER = "amber"
    """It works, and will hurt."""
    RED = "red"
    """Calls fail because of it."""
    NOT_PROVEN = "not proven"
    """It could not be looked at from here. A guess would be worse."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a diagnosis. `fix` is empty where nothing is to be done."""

    colour: Colour
    why: str
    fix: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def green(why: str) -> Finding:
    return Finding(Colour.GREEN, why)


def amber(why: str, fix: str) -> Finding:
    return Finding(Colour.AMBER, why, fix)


def red(why: str, fix: str) -> Finding:
    return Finding(Colour.RED, why, fix)


def not_proven(why: str, fix: str = "") -> Finding:
    return Finding(Colour.NOT_PROVEN, why, fix)
