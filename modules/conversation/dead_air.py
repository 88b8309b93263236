"""Dead air: the agent owes a word and does not speak. Its models may hang or fail; nobody may be left listening to nothing.

A debt begins with the answer, with the agent's turn to think, with a sentence it was told to say. Its own voice settles it; the
other side's speech interrupts the count, and only a real turn of theirs (not a "hello?") starts it anew.
"""

import asyncio
import time

# A person waits about this long before they wonder whether anybody is there.
LIMIT_S = 5.0
_REAL_TURN_S = 2.5
_LOOK_S = 0.25


class DeadAir:
    """One call's clock of what the agent owes."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._firm = False
        self._they_speak_since: float | None = None

    def owe(self, *, firm: bool = False) -> None:
        """The agent has to say something from here on. A firm debt is settled by its voice alone."""
        self._firm = self._firm or firm
        if self._since is None:
            self._since = time.monotonic()

    def spoke(self) -> None:
        """The agent's voice is heard."""
        self._since, self._firm = None, False

    def had_nothing_to_say(self) -> None:
        """The agent has thought and is listening again: fine, unless the other side is asking meanwhile whether it is there."""
        if not self._firm and self._they_speak_since is None:
            self._since = None

    def they_speak(self) -> None:
        """The other side has begun to speak."""
        self._they_speak_since = time.monotonic()

    def they_stopped(self) -> None:
        """The other side is silent again."""
        began, self._they_speak_since = self._they_speak_since, None
        if self._since is None or began is None:
            return
        now = time.monotonic()
        self._since = now if now - began >= _REAL_TURN_S else self._since + now - max(began, self._since)

    @property
    def lasts_s(self) -> float:
        """How long the agent has owed a word while the line was quiet."""
        if self._since is None or self._they_speak_since is not None:
            return 0.0
        return time.monotonic() - self._since

    async def too_long(self) -> None:
        """Return when it has lasted LIMIT_S."""
        while self.lasts_s < LIMIT_S:  # noqa: ASYNC110 - a clock is all there is to wait for
            await asyncio.sleep(_LOOK_S)

    async def broken(self, within_s: float) -> bool:
        """Return whether the agent speaks within that time."""
        try:
            async with asyncio.timeout(within_s):
                while self._since is not None:  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            return False
        return True
