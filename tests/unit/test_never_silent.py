"""What is said into our own silences, and when we give up. The session is as stuck as a hung vendor makes it."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import tts
from livekit.agents.voice import io

from modules.calls import Outcome
from modules.conversation.deadlines import FILLERS, PARDONS, Deadlines
from modules.conversation.personality import Personality, Sentences
from modules.conversation.speech.punctual_stt import Unheard
from modules.conversation.unasked import Unasked
from tests.unit.test_mouthpiece import VOICE, Phone, frame

pytestmark = [pytest.mark.unit, pytest.mark.timeout(20)]

SAYS = Sentences()
SOON = Deadlines(quiet=0.15, own_sentence=0.2, apology=0.5)
LEVELS = {SAYS.filler: 2000, SAYS.trouble: 3000, SAYS.pardon: 4000, SAYS.nudge: 5000, SAYS.goodbye: 6000}
PERSONALITY = Personality.model_validate(
    {"name": "x", "greeting": "Hello.", "components": {"stt": {"provider": "local"}, "llm": {"provider": "openai"},
                                                      "tts": {"provider": "local"}}}
)  # fmt: skip


class Line(Phone):
    """A phone on which each sentence is over at once."""

    def flush(self) -> None:
        super().flush()
        asyncio.get_running_loop().call_soon(lambda: self.over() if self.playing else None)


class Voice:
    """Makes each fixed sentence a sound of its own."""

    def synthesize(self, text: str) -> Any:
        level = LEVELS[text]

        class Stream:
            async def __aenter__(self) -> AsyncIterator[tts.SynthesizedAudio]:
                return self._frames()

            async def __aexit__(self, *_: object) -> None: ...

            async def _frames(self) -> AsyncIterator[tts.SynthesizedAudio]:
                yield tts.SynthesizedAudio(frame=frame(level, 0.05), request_id="r")

        return Stream()


class Call:
    """One call of which the session says nothing by itself."""

    def __init__(self) -> None:
        self.phone, self.said, self.ended = Line(), list[str](), list[tuple[str, Outcome]]()
        self.away_again = 0
        self.session = SimpleNamespace(output=SimpleNamespace(audio=self.phone), say=self._say, reset_away_timer=self._present)
        transcript: Any = SimpleNamespace(said=self.said.append)
        session: Any = self.session
        self.unasked = Unasked(
            session, PERSONALITY, transcript, Unheard(), lambda why: None, lambda why, how: self.ended.append((why, how)), SOON
        )
        self.unasked.watch_the_sound()

    @property
    def mouthpiece(self) -> io.AudioOutput:
        found: io.AudioOutput = self.session.output.audio
        return found

    async def run(self) -> None:
        await self.unasked.prepare(Voice())  # type: ignore[arg-type]
        async with asyncio.timeout(10):
            await self.unasked.never_silent()

    def _present(self) -> None:
        self.away_again += 1

    def _say(self, text: str, *, audio: AsyncIterator[rtc.AudioFrame], allow_interruptions: bool) -> None:
        self.said.append(text)
        self.speaking = asyncio.ensure_future(self._play(audio))

    async def _play(self, audio: AsyncIterator[rtc.AudioFrame]) -> None:
        async for one in audio:
            await self.mouthpiece.capture_frame(one)
        self.mouthpiece.flush()


async def test_fillers_and_then_an_apology() -> None:
    """Nothing comes: they hear that it takes a moment, as often as agreed, then that we are sorry; the call is our failure."""
    call = Call()
    call.unasked.dead_air.owe(firm=True)
    await call.run()
    assert call.said == [SAYS.filler] * FILLERS + [SAYS.trouble]
    assert call.phone.heard == [2000] * FILLERS + [3000]
    assert call.ended == [("the agent fell silent", Outcome.AGENT_FAILED)]


async def test_who_waits_for_us_is_not_asked_whether_they_are_there() -> None:
    """The silence is ours: it is bridged, and no nudge is counted. Once nothing is owed, it is theirs again."""
    call = Call()
    call.unasked.dead_air.owe()
    await call.unasked.to_silence()
    assert (call.said, call.away_again) == ([], 1)
    call.unasked.dead_air.had_nothing_to_say()
    await call.unasked.prepare(Voice())  # type: ignore[arg-type]
    await call.unasked.to_silence()
    assert (call.said, call.away_again) == ([SAYS.nudge], 2)


async def test_an_answer_in_between_makes_us_patient_again() -> None:
    """The answer came after the first filler; the next silence begins with fillers anew."""
    call = Call()
    call.unasked.dead_air.owe()
    running = asyncio.create_task(call.run())
    while not call.said:  # noqa: ASYNC110 - the clock of the fillers
        await asyncio.sleep(0.01)
    await call.mouthpiece.capture_frame(VOICE)
    call.mouthpiece.flush()
    call.unasked.dead_air.owe()
    await running
    assert call.said == [SAYS.filler] + [SAYS.filler] * FILLERS + [SAYS.trouble]


async def test_a_failure_is_not_waited_out() -> None:
    """All vendors of a stage have said no: the apology comes at once, and the call says why."""
    call = Call()
    call.unasked.dead_air.owe()
    call.unasked.failed("ProviderRejected: openai says 401: check OPENAI_API_KEY")
    await call.run()
    assert call.said == [SAYS.trouble]
    assert call.ended == [("ProviderRejected: openai says 401: check OPENAI_API_KEY", Outcome.AGENT_FAILED)]


async def test_speech_without_words_is_asked_for_again_until_we_know_that_we_are_deaf() -> None:
    """Each time they hear that we did not catch it; after that we say sorry and goodbye."""
    call = Call()
    running = asyncio.create_task(call.run())
    for heard in range(1, PARDONS + 2):
        while call.unasked.dead_air.lasts_s == 0 and not call.ended:
            call.unasked.dead_air.they_speak()
            await asyncio.sleep(0.35)
            call.unasked.dead_air.they_stopped()
            await asyncio.sleep(0.02)
        while call.said.count(SAYS.pardon) < heard and not call.ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if not call.ended:
            await call.speaking
    await running
    assert call.said == [SAYS.pardon] * PARDONS + [SAYS.trouble]


async def test_a_mailbox_is_told_nothing_of_it() -> None:
    """Where a machine listens nobody is asked to wait or to repeat."""
    call = Call()
    call.unasked.muted = lambda: True
    call.unasked.dead_air.they_speak()
    await asyncio.sleep(0.35)
    call.unasked.dead_air.they_stopped()
    running = asyncio.create_task(call.run())
    await asyncio.sleep(0.5)
    running.cancel()
    assert call.said == []


async def test_who_never_had_a_voice_ends_the_call() -> None:
    """Not even the apology could be made: no word is said, and nobody is kept waiting."""
    call = Call()
    call.unasked.dead_air.owe(firm=True)
    async with asyncio.timeout(5):
        await call.unasked.never_silent()
    assert (call.said, call.phone.heard) == ([], [])
    assert call.ended == [("the agent fell silent", Outcome.AGENT_FAILED)]
