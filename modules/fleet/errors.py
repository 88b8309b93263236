"""What can go wrong with a fleet of processes, each error a person can act on.

FleetError
├── PartFailed      a part did not start, or kept dying; carries the end of its log
├── CannotStart     something needed is missing or taken
└── AlreadyRunning  another fleet has this data folder
"""

from pathlib import Path


class FleetError(Exception):
    """The fleet cannot run; `fix` is what to do next."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class PartFailed(FleetError):
    """One part did not come up, or died again and again."""

    def __init__(self, part: str, why: str, log: Path, tail: str) -> None:
        super().__init__(f"{part} {why}", f"read its whole log: {log}")
        self.part = part
        self.log = log
        self.tail = tail


class CannotStart(FleetError):
    """Something the fleet needs is missing, taken or not to be reached."""


class AlreadyRunning(FleetError):
    """A fleet runs in this data folder."""
