"""Dead air: our side owes a word and is silent. Its vendors may hang or fail; nobody may be left listening to nothing.

What counts is what is sent to the phone, not what a model says it does: a sentence that stops in the middle is still owed. A debt
begins with the answer, with the end of what somebody says, with the agent's turn to think and with a sentence it was told to say.
"""

import asyncio
import time
from collections.abc import Callable
from enum import Enum

from modules.conversation.deadlines import UTTERANCE_S

# Speech this long is a turn of its own, not a "hello?" into our silence: it starts the count anew.
_REAL_TURN_S = 2.5
_LOOK_S = 0.1


class Debt(Enum):
    """What our side owes."""

    NOTHING = "nothing"
    HEARING = "hearing"
    """Something was said, and there are no words of it yet."""
    ANSWER = "answer"
    """An answer, unless the agent finds it has nothing to say."""
    WORD = "word"
    """Something it has to say in any case."""


_ORDER = list(Debt)


class DeadAir:
    """One call's clock of what our side owes. `clock` counts seconds; `patience_s` is added to the end of what somebody says."""

    def __init__(self, patience_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.debt = Debt.NOTHING
        self.fillers = 0
        """Fillers since the agent's own voice was heard."""
        self.pardons = 0
        """Utterances in a row of which there were no words."""
        self._clock = clock
        self._patience_s = patience_s
        self._quiet_since = clock()
        self._they_speak_since: float | None = None
        self._speaking = False

    def owe(self, *, firm: bool = False) -> None:
        """From here on our side owes an answer, or, firmly, a word in any case."""
        self._owe(Debt.WORD if firm else Debt.ANSWER)

    def sound(self, until: float) -> None:
        """The agent's voice will be heard until that moment."""
        self._speaking, self.fillers = True, 0
        self.filled(until)

    def filled(self, until: float) -> None:
        """Something else of ours will be heard until that moment. It shortens the silence and settles nothing."""
        self._quiet_since = max(self._quiet_since, until)

    def spoken(self) -> None:
        """The agent's sentence is complete, or was interrupted. One without a sound is still owed."""
        if self._speaking:
            self._speaking, self.debt = False, Debt.NOTHING

    def had_nothing_to_say(self) -> None:
        """The agent has thought and is listening again: fine, unless the other side is asking meanwhile whether it is there."""
        if self.debt is not Debt.WORD and self._they_speak_since is None:
            self.debt = Debt.NOTHING

    def heard_words(self) -> None:
        """There are words of what was said: the listener works."""
        self.pardons = 0
        if self.debt is Debt.HEARING:
            self.debt = Debt.ANSWER

    def spoke(self) -> None:
        """What was owed is settled."""
        self._speaking, self.debt = False, Debt.NOTHING

    def they_speak(self) -> None:
        """The other side has begun to speak."""
        self._they_speak_since = self._clock()

    def they_stopped(self) -> None:
        """The other side is silent again. What it said while we spoke was said to nobody, unless there are words of it."""
        began, self._they_speak_since = self._they_speak_since, None
        if began is None:
            return
        now = self._clock()
        if self.debt is not Debt.NOTHING:
            if now - began >= _REAL_TURN_S:
                self._quiet_since = max(now, self._quiet_since)
            else:
                self._quiet_since += now - max(began, min(self._quiet_since, now))
        elif began >= self._quiet_since and now - began >= UTTERANCE_S:
            self._owe(Debt.HEARING)
            self._quiet_since = now + self._patience_s

    def they_pressed(self) -> None:
        """The other side has keyed something in: from here on an answer to that is owed, whatever was owed before."""
        self._they_speak_since = None
        self._quiet_since = max(self._quiet_since, self._clock())
        self.owe()

    @property
    def lasts_s(self) -> float:
        """How long our side has been silent although it owes something; not while the other side speaks."""
        if self.debt is Debt.NOTHING or self._they_speak_since is not None:
            return 0.0
        return max(0.0, self._clock() - self._quiet_since)

    async def too_long(self, limit_s: float) -> None:
        """Return when it has lasted so long."""
        while self.lasts_s < limit_s:  # noqa: ASYNC110 - a clock is all there is to wait for
            await asyncio.sleep(_LOOK_S)

    def _owe(self, debt: Debt) -> None:
        if self.debt is Debt.NOTHING:
            self._quiet_since = max(self._quiet_since, self._clock())
        if _ORDER.index(debt) > _ORDER.index(self.debt):
            self.debt = debt
