"""What the agent says without being asked: to somebody who is silent, at the time limit, when it has lost its voice, and to
what was said into its greeting. When to hang up afterwards is told to the runner; only that one hangs up.
"""

import asyncio
import contextlib
from collections.abc import Callable

from livekit.agents import AgentSession
from livekit.agents.voice import SpeechHandle

from modules.calls import Outcome
from modules.conversation.dead_air import DeadAir
from modules.conversation.personality import Personality
from modules.conversation.transcript import Transcript

# How long a voice that failed may take for its apology to begin, and then to end.
_LAST_TRY_S = 2.5
_APOLOGY_S = 8.0
# The goodbye at the time limit begins this much before it: at the limit itself the carrier cuts the line.
_GOODBYE_S = 5.0
# A turn that ends just after the greeting is taken up by LiveKit itself within this long.
_TURN_ENDS_S = 0.4


class Unasked:
    """One call's unasked sentences. `over` ends the call well, `broke` ends it as a failure."""

    def __init__(
        self,
        session: AgentSession[None],
        personality: Personality,
        transcript: Transcript,
        over: Callable[[str], None],
        broke: Callable[[str, Outcome], None],
    ) -> None:
        self.dead_air = DeadAir()
        self._session = session
        self._personality = personality
        self._transcript = transcript
        self._over = over
        self._broke = broke
        self._nudges = 0
        self.muted: Callable[[], bool] = lambda: False
        """Whether there is nobody to ask, e.g. because a mailbox is on the line."""

    async def to_silence(self) -> None:
        """Ask whether they are there; after the last time, say goodbye."""
        if self.muted():
            return
        self.dead_air.owe(firm=True)
        if self._nudges < self._personality.turns.nudges:
            self._nudges += 1
            self._session.reset_away_timer()
            self._session.say(self._personality.sentences.nudge)
            return
        await self._session.say(self._personality.sentences.goodbye, allow_interruptions=False)
        self._over("the callee stayed silent")

    async def at_the_limit(self, max_call_s: float) -> None:
        """Wait for the time limit and say goodbye before it."""
        await asyncio.sleep(max(1.0, max_call_s - _GOODBYE_S))
        with contextlib.suppress(RuntimeError):  # the greeting may not be interrupted; the goodbye follows it
            self._session.interrupt()
        self.dead_air.owe(firm=True)
        await self._session.say(self._personality.sentences.goodbye, allow_interruptions=False)
        self._over("the call reached its time limit")

    async def when_the_voice_fails(self) -> None:
        """Wait for dead air; then one apology, if the agent can still speak, and the end."""
        await self.dead_air.too_long()
        with contextlib.suppress(RuntimeError):
            self._session.interrupt(force=True)
        self.dead_air.owe(firm=True)
        apology = self._session.say(self._personality.sentences.trouble, allow_interruptions=False)
        if await self.dead_air.broken(_LAST_TRY_S):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_APOLOGY_S):
                    await apology
        self._broke("the agent fell silent", Outcome.AGENT_FAILED)

    async def to_what_was_said_into(self, greeting: SpeechHandle) -> None:
        """LiveKit drops a turn that ends while the agent may not be interrupted. Whoever spoke it is waiting for an answer."""
        await greeting
        await asyncio.sleep(self._personality.turns.endpointing_s + _TURN_ENDS_S)
        words = self._transcript.unanswered
        if words and not self.muted() and self._session.user_state != "speaking" and self._session.agent_state == "listening":
            self._session.generate_reply(user_input=" ".join(words))
