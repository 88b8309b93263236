"""A filler in the agent's sound: where nothing is said, in the middle of a sentence, and never over what is being said."""

import asyncio
from collections.abc import AsyncIterable

import pytest
from livekit import rtc
from livekit.agents.voice import io

from modules.conversation.dead_air import DeadAir, Debt
from modules.conversation.mouthpiece import Mouthpiece

pytestmark = pytest.mark.unit

RATE = 16_000


def frame(what: int, seconds: float = 0.1) -> rtc.AudioFrame:
    samples = int(RATE * seconds)
    return rtc.AudioFrame(what.to_bytes(2, "little") * samples, RATE, 1, samples)


VOICE, FILLER, NOTHING = frame(1000), frame(2000), frame(0)


class Phone(io.AudioOutput):
    """A phone that hears one sentence at a time, each over when the test says so."""

    def __init__(self) -> None:
        super().__init__(label="phone", capabilities=io.AudioOutputCapabilities(pause=True), sample_rate=RATE)
        self.heard: list[int] = []
        self.playing = False

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        assert not self.playing, "two sentences at once"
        self.heard.append(frame.data[0])

    def flush(self) -> None:
        super().flush()
        self.playing = True

    def clear_buffer(self) -> None:
        if self.playing:
            self.over(interrupted=True)

    def over(self, *, interrupted: bool = False) -> None:
        self.playing = False
        self.on_playback_finished(playback_position=1.0, interrupted=interrupted)


@pytest.fixture
def dead_air() -> DeadAir:
    return DeadAir()


@pytest.fixture
def phone() -> Phone:
    return Phone()


@pytest.fixture
def mouthpiece(phone: Phone, dead_air: DeadAir) -> Mouthpiece:
    return Mouthpiece(phone, dead_air)


async def say(mouthpiece: Mouthpiece, sentence: AsyncIterable[rtc.AudioFrame]) -> None:
    """As the session does."""
    async for one in sentence:
        await mouthpiece.capture_frame(one)
    mouthpiece.flush()


def owed(dead_air: DeadAir) -> Debt:
    return dead_air.debt


async def frames(*sound: rtc.AudioFrame) -> AsyncIterable[rtc.AudioFrame]:
    for one in sound:
        yield one


async def test_the_answer_waits_for_the_filler(mouthpiece: Mouthpiece, phone: Phone, dead_air: DeadAir) -> None:
    """The answer came while "one moment, please" was heard: it is said after it, and only it settles what was owed."""
    dead_air.owe()
    await mouthpiece.put_in([FILLER, FILLER])
    assert owed(dead_air) is Debt.ANSWER
    answering = asyncio.create_task(say(mouthpiece, frames(VOICE, VOICE)))
    await asyncio.sleep(0)
    assert phone.heard == [2000, 2000]
    phone.over()
    await answering
    assert phone.heard == [2000, 2000, 1000, 1000]
    assert owed(dead_air) is Debt.NOTHING


async def test_the_session_does_not_notice_a_filler(mouthpiece: Mouthpiece, phone: Phone) -> None:
    """What the session waits for and is told is its own sentence only."""
    finished: list[io.PlaybackFinishedEvent] = []
    mouthpiece.on("playback_finished", finished.append)
    await mouthpiece.put_in([FILLER])
    phone.over()
    assert finished == []
    await say(mouthpiece, frames(VOICE))
    phone.over()
    async with asyncio.timeout(1):
        await mouthpiece.wait_for_playout()
    assert len(finished) == 1


async def test_a_stuck_sentence_is_bridged_inside(mouthpiece: Mouthpiece, phone: Phone, dead_air: DeadAir) -> None:
    """The voice stopped in the middle; the filler is heard there, and the rest after it."""
    dead_air.owe(firm=True)
    await mouthpiece.capture_frame(VOICE)
    await mouthpiece.put_in([FILLER])
    assert owed(dead_air) is Debt.WORD
    await say(mouthpiece, frames(VOICE))
    assert phone.heard == [1000, 2000, 1000]
    assert owed(dead_air) is Debt.NOTHING


async def test_a_filler_is_interrupted_as_a_sentence_is(mouthpiece: Mouthpiece, phone: Phone) -> None:
    """They speak over "one moment, please": it stops, and the next answer is not kept waiting."""
    await mouthpiece.put_in([FILLER])
    mouthpiece.clear_buffer()
    async with asyncio.timeout(1):
        await say(mouthpiece, frames(VOICE))
    assert phone.heard == [2000, 1000]


async def test_nothing_is_said_after_the_last_words(mouthpiece: Mouthpiece, phone: Phone) -> None:
    """After "goodbye" no late answer is heard, and nobody interrupts it."""
    await mouthpiece.last_words([FILLER], own_sentence_s=1)
    late = asyncio.create_task(say(mouthpiece, frames(VOICE)))
    mouthpiece.clear_buffer()
    mouthpiece.pause()
    phone.over()
    await asyncio.sleep(0)
    assert phone.heard == [2000]
    late.cancel()


async def test_a_voice_that_sends_silence_is_silent(mouthpiece: Mouthpiece, phone: Phone, dead_air: DeadAir) -> None:
    """Sound without a sound settles nothing, and does not keep the filler waiting behind it."""
    dead_air.owe(firm=True)
    await say(mouthpiece, frames(*[NOTHING] * 50))
    assert owed(dead_air) is Debt.WORD
    assert len(phone.heard) == 10
