"""What the agent says without being asked: to somebody who is silent, at the time limit, when a vendor keeps it waiting or fails,
and to what was said into its greeting. When to hang up afterwards is told to the runner; only that one hangs up.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from livekit.agents import NOT_GIVEN, AgentSession, tts
from livekit.agents.voice import SpeechHandle

from modules.calls import Outcome
from modules.conversation.dead_air import DeadAir, Debt
from modules.conversation.deadlines import FILLERS, PARDONS, Deadlines
from modules.conversation.mouthpiece import Mouthpiece
from modules.conversation.personality import Personality
from modules.conversation.prepared import Prepared
from modules.conversation.speech.punctual_stt import Unheard
from modules.conversation.transcript import Transcript

# The goodbye at the time limit begins this much before it: at the limit itself the carrier cuts the line.
_GOODBYE_S = 5.0
# A turn that ends just after the greeting is taken up by LiveKit itself within this long.
_TURN_ENDS_S = 0.4
# The end of a turn is noticed after so much silence anyway; a personality that waits longer is given that longer.
_USUAL_END_S = 0.5
# A prepared sentence is on its way at once, or the way itself is broken.
_ON_ITS_WAY_S = 1.0
# The most needed first: there may be little time between the dial and the answer.
_FIXED = ("filler", "trouble", "pardon", "nudge", "goodbye")


class Unasked:
    """One call's unasked sentences. `over` ends the call well, `broke` ends it as a failure."""

    def __init__(
        self,
        session: AgentSession[None],
        personality: Personality,
        transcript: Transcript,
        unheard: Unheard,
        over: Callable[[str], None],
        broke: Callable[[str, Outcome], None],
        deadlines: Deadlines | None = None,
    ) -> None:
        self.dead_air = DeadAir(max(0.0, personality.turns.endpointing_s - _USUAL_END_S))
        self.muted: Callable[[], bool] = lambda: False
        """Whether there is nobody to ask, e.g. because a mailbox is on the line."""
        self._session = session
        self._personality = personality
        self._transcript = transcript
        self._unheard = unheard
        self._over = over
        self._broke = broke
        self._deadlines = deadlines or Deadlines()
        self._nudges = 0
        self._fixed = {name: Prepared(getattr(personality.sentences, name)) for name in _FIXED}
        self._mouthpiece: Mouthpiece | None = None
        self._failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def prepare(self, speaker: tts.TTS[Any]) -> None:
        """Speak the fixed sentences into memory, while the vendor is well."""
        for sentence in self._fixed.values():
            await sentence.prepare(speaker)
            if not sentence.ready:
                return

    def watch_the_sound(self) -> None:
        """Stand between the session, which has started, and the phone."""
        assert self._session.output.audio is not None
        self._mouthpiece = Mouthpiece(self._session.output.audio, self.dead_air)
        self._session.output.audio = self._mouthpiece

    def failed(self, why: str) -> None:
        """All the vendors of one stage have failed for good."""
        if not self._failure.done() and not self.muted():
            self._failure.set_result(why)

    async def to_silence(self) -> None:
        """Ask whether they are there; after the last time, say goodbye. Whoever waits for us is not asked."""
        if self.muted():
            return
        if self.dead_air.debt is not Debt.NOTHING:
            self._session.reset_away_timer()
            return
        if self._nudges < self._personality.turns.nudges:
            self._nudges += 1
            self._session.reset_away_timer()
            self._say("nudge")
            return
        await self._say("goodbye", allow_interruptions=False)
        self._over("the callee stayed silent")

    async def at_the_limit(self, max_call_s: float) -> None:
        """Wait for the time limit and say goodbye before it."""
        await asyncio.sleep(max(1.0, max_call_s - _GOODBYE_S))
        with contextlib.suppress(RuntimeError):  # the greeting may not be interrupted; the goodbye follows it
            self._session.interrupt()
        await self._say("goodbye", allow_interruptions=False)
        self._over("the call reached its time limit")

    async def never_silent(self) -> None:
        """Put something into every silence in which we owe a word; when nothing helps, apologise and end the call."""
        while not self._failure.done():
            silence = asyncio.create_task(self.dead_air.too_long(self._deadlines.quiet), name="silence")
            either: list[asyncio.Future[Any]] = [silence, self._failure]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            silence.cancel()
            if self._failure.done() or not await self._bridged():
                break
        await self._give_up()

    async def to_what_was_said_into(self, greeting: SpeechHandle) -> None:
        """LiveKit drops a turn that ends while the agent may not be interrupted. Whoever spoke it is waiting for an answer."""
        await greeting
        await asyncio.sleep(self._personality.turns.endpointing_s + _TURN_ENDS_S)
        words = self._transcript.unanswered
        if words and not self.muted() and self._session.user_state != "speaking" and self._session.agent_state == "listening":
            self._session.generate_reply(user_input=" ".join(words))

    async def _bridged(self) -> bool:
        """Say something into the silence; False when nothing is left to say."""
        owed = self.dead_air.debt
        if owed is Debt.HEARING and self.muted():
            self.dead_air.spoke()
            return True
        if owed is Debt.HEARING:
            self._unheard.understood()
            self.dead_air.pardons += 1
            if self.dead_air.pardons > PARDONS:
                return False
            self._say("pardon")
            return True
        filler = self._fixed["filler"]
        if self.muted() or not filler.ready or self.dead_air.fillers == FILLERS or self._mouthpiece is None:
            return False
        self.dead_air.fillers += 1
        self._transcript.said(filler.text)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ON_ITS_WAY_S):
                await self._mouthpiece.put_in(filler.sound)
                return True
        return False

    async def _give_up(self) -> None:
        apology = self._fixed["trouble"]
        if apology.ready and self._mouthpiece is not None:
            self._transcript.said(apology.text)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._deadlines.own_sentence + self._deadlines.apology):
                    await self._mouthpiece.last_words(apology.sound, self._deadlines.own_sentence)
        self._broke(self._failure.result() if self._failure.done() else "the agent fell silent", Outcome.AGENT_FAILED)

    def _say(self, name: str, *, allow_interruptions: bool = True) -> SpeechHandle:
        self.dead_air.owe(firm=True)
        sentence = self._fixed[name]
        sound = sentence.frames() if sentence.ready else NOT_GIVEN
        return self._session.say(sentence.text, audio=sound, allow_interruptions=allow_interruptions)
