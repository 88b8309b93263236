"""A machine takes the call: is it one, and when is it our turn to speak? Words and moments in, answers out; no I/O, no clock.

Told by the words a greeting machine uses, among the first things heard. English and German. A person who quotes such a greeting
is mistaken for one.
"""

import re

# Four pieces of speech: some machines say the name first and the instruction after a pause.
FIRST_PIECES = 4
# A mailbox that has said its words and has not beeped by now has no beep, or one that the line has swallowed.
NO_BEEP_S = 2.5
_MACHINE = re.compile(
    r"leave (a|your|me a) (short )?message|after the (tone|beep|signal)|voice ?mail|mailbox|record your message"
    r"|can(no|')t (come to|take|answer) (the|your) (phone|call)"
    r"|nach dem (signal)?ton|hinterlassen sie|anrufbeantworter|mobilbox",
    re.IGNORECASE,
)


def is_machine(heard: list[str]) -> bool:
    """Return whether the first turns heard on a call are those of a machine."""
    return any(_MACHINE.search(turn) for turn in heard[:FIRST_PIECES])


class Mailbox:
    """When a mailbox listens. Moments are seconds of one clock that never goes back."""

    def __init__(self, now: float) -> None:
        self._speaks = False
        self._since = now
        self._spoke_at = now
        self._beeped_at: float | None = None

    def speaks(self, now: float) -> None:
        """It has begun to speak."""
        self._speaks, self._spoke_at = True, now

    def stopped(self, now: float) -> None:
        """It is silent again."""
        self._speaks, self._since = False, now

    def beeped(self, now: float) -> None:
        """A tone has just ended. One that words follow was not the beep."""
        self._beeped_at = now

    def listens(self, now: float) -> bool:
        """Return whether a message would be recorded now: after its beep, or after a silence where none came."""
        if self._beeped_at is not None and self._beeped_at >= self._spoke_at:
            return True
        return not self._speaks and now - self._since >= NO_BEEP_S
