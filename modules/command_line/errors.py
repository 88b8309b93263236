"""How a command fails: one line that says what, one that says what to do next, and an exit code.

CommandError            1   the call or the operation failed
├── WrongUse            2   what was typed cannot be used
├── Refused             1 or 2, as the API answered
└── Unreachable         3   nobody answers for the fleet
"""

from collections.abc import Mapping, Sequence
from typing import Any


class CommandError(Exception):
    """The operation failed."""

    exit_code = 1

    def __init__(self, message: str, fix: str = "", *, code: str = "failed") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code


class WrongUse(CommandError):
    """What was typed cannot be used; nothing was done."""

    exit_code = 2


class Refused(CommandError):
    """The API answered with a problem."""

    def __init__(self, status: int, code: str, message: str, fix: str = "", errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message, fix, code=code)
        self.status = status
        self.errors = errors
        self.exit_code = 2 if status in (400, 422) else 3 if status == 503 else 1


class Unreachable(CommandError):
    """Nobody answers for the fleet."""

    exit_code = 3
