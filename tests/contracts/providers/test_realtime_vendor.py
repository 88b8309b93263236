"""OpenAI's realtime model at its wire: what it is told and sent, how it answers, and what we make of it when it does not."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import llm

from config import Settings
from modules.conversation.deadlines import Deadlines
from modules.conversation.personality import Thinking
from modules.conversation.speech import CONVERSING
from modules.conversation.speech.local.dialogue import Move
from modules.conversation.speech.punctual import NOTHING_TO_SAY
from modules.conversation.speech.vendor_errors import (
    GivenUp,
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderRejected,
    ProviderTimedOut,
    ProviderUnreachable,
    is_final,
    named,
)
from modules.conversation.vendors import vendor
from tests.contracts.providers.models import PROMPT
from tests.contracts.providers.vendor_server import VendorServer
from tests.realtime_service import Line, RealtimeService, answering

pytestmark = [pytest.mark.unit, pytest.mark.timeout(30)]

NAME = "openai_realtime"
LIMITS = Deadlines(last_resort=1.0, next_word=0.3)
QUOTA = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "vendor-key has no money"}
HICCUP = {"type": "server_error", "code": None, "message": "vendor-key had an error"}


@llm.function_tool
async def end_call() -> None:
    """End the call."""


class Talk:
    """Our end of a conversation, and what it was told."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.failed: asyncio.Future[llm.RealtimeModelError] = asyncio.get_running_loop().create_future()
        self.silent = asyncio.Event()
        self.answers: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
        session.on("error", self._error)
        session.on("generation_created", self.answers.put_nowait)
        session.on(NOTHING_TO_SAY, self.silent.set)

    def _error(self, error: llm.RealtimeModelError) -> None:
        if is_final(error) and not self.failed.done():
            self.failed.set_result(error)

    def ask(self) -> None:
        """Let half a second be heard and ask for the answer, as a call does at the end of a turn."""
        self.session.push_audio(rtc.AudioFrame(bytes(16000), 16000, 1, 8000))
        self.session.commit_audio()
        self._asked = self.session.generate_reply()
        self._asked.add_done_callback(lambda asked: asked.cancelled() or asked.exception())

    def drop(self) -> None:
        """Give up the answer, as a call does where somebody speaks on."""
        self._asked.cancel()

    async def refused(self) -> None:
        """Return when the answer that was asked for is refused."""
        with pytest.raises(llm.RealtimeError):
            await self._asked

    async def answer(self) -> tuple[str, list[str]]:
        """Return the words of the next answer and the tools it calls."""
        answer = await self.answers.get()
        words = [word async for message in answer.message_stream async for word in message.text_stream]
        return "".join(words).strip(), [call.name async for call in answer.function_stream]

    async def failure(self) -> ProviderError:
        """Return the named error it ends with; LiveKit must not take it for a reason to hang up."""
        async with asyncio.timeout(8):
            error = await self.failed
        assert isinstance(error, GivenUp) and error.recoverable
        found = named(vendor("llm", NAME), error.error)
        assert "vendor-key" not in str(found)
        return found


@asynccontextmanager
async def talk(keys: Settings, url: str) -> AsyncIterator[Talk]:
    model = CONVERSING[NAME](Thinking(provider=NAME, model="model-x", base_url=url), keys, LIMITS)
    session = model.session()
    try:
        await session.update_instructions(PROMPT)
        await session.update_tools([end_call])
        yield Talk(session)
    finally:
        await session.aclose()
        await model.aclose()


async def test_the_vendor_is_told_everything_in_its_own_words(server: VendorServer, keys: Settings) -> None:
    """Address, key, model, prompt and tools arrive; it is to answer in text, and to leave the turns to us."""
    realtime = answering(server, Move("Guten Tag!"))
    async with talk(keys, f"{server.url}/v1") as ours:
        ours.ask()
        assert await ours.answer() == ("Guten Tag!", [])
    asked, line = server.asked[0], realtime.lines[0]
    assert (asked.path, asked.query["model"]) == ("/v1/realtime", "model-x")
    assert asked.headers["authorization"] == "Bearer vendor-key"
    assert (line.session["instructions"], line.session["output_modalities"]) == (PROMPT, ["text"])
    assert [tool["name"] for tool in line.session["tools"]] == ["end_call"]
    hearing = line.told("session.update")[0]["session"]["audio"]["input"]
    assert hearing["format"] == {"type": "audio/pcm", "rate": 24000}
    assert hearing["turn_detection"] is None and hearing["transcription"] is None
    assert len(line.sound) == pytest.approx(24000, rel=0.1)  # half a second of 16 bit at 24 kHz
    assert len(line.told("input_audio_buffer.commit")) == 1


async def test_a_tool_is_called(server: VendorServer, keys: Settings) -> None:
    """Words and the call of a tool come in one answer."""
    answering(server, Move("Goodbye.", hang_up=True))
    async with talk(keys, server.url) as ours:
        ours.ask()
        assert await ours.answer() == ("Goodbye.", ["end_call"])


async def test_it_may_have_nothing_to_say(server: VendorServer, keys: Settings) -> None:
    """An empty answer is no failure, and the call is told that none will come."""
    answering(server, Move(""))
    async with talk(keys, server.url) as ours:
        ours.ask()
        async with asyncio.timeout(5):
            await ours.silent.wait()
        assert await ours.answer() == ("", []) and not ours.failed.done()


@pytest.mark.parametrize(
    ("status", "error", "step"),
    [(401, ProviderRejected, "check OPENAI_API_KEY"), (404, ProviderRejected, "check model"), (429, ProviderBusy, "its limit"),
     (500, ProviderFailed, "a fault on its side")],
)  # fmt: skip
async def test_a_refusal_says_what_to_do(
    status: int, error: type[ProviderError], step: str, server: VendorServer, keys: Settings
) -> None:
    """I read which vendor said what, and which setting to look at."""
    server.refuses(status)
    async with talk(keys, server.url) as ours:
        found = await ours.failure()
    assert type(found) is error, found
    assert str(found).startswith(f"{error.__name__}: {NAME} says {status}: {step}")


async def test_a_refusal_from_before_the_conversation_is_told_again_in_it(server: VendorServer, keys: Settings) -> None:
    """It rang still when the vendor said no; the first answer that is asked for fails at once."""
    server.refuses(401)
    async with talk(keys, server.url) as ours:
        await ours.failure()
        ours.failed = asyncio.get_running_loop().create_future()
        ours.ask()
        assert isinstance(await ours.failure(), ProviderRejected)


async def test_nobody_there_is_told_apart(server: VendorServer, keys: Settings) -> None:
    """A wrong address reads different from a wrong key."""
    async with talk(keys, server.url.rpartition(":")[0] + ":9") as ours:
        assert isinstance(await ours.failure(), ProviderUnreachable)


async def test_a_slow_first_word_is_waited_for(server: VendorServer, keys: Settings) -> None:
    """Half a second of thinking is no fault."""

    async def slow(line: Line) -> Move:
        await asyncio.sleep(0.5)
        return Move("Guten Tag!")

    server.answer = RealtimeService(slow).answer
    async with talk(keys, server.url) as ours:
        ours.ask()
        assert await ours.answer() == ("Guten Tag!", [])
        assert not ours.failed.done()


async def _never(line: Line) -> None: ...


async def _begins(line: Line) -> None:
    await line.begin()


async def _stops(line: Line) -> None:
    await line.begin()
    await line.words("Guten Tag, ich", whole=False)


@pytest.mark.parametrize(("brain", "what"), [(_never, "nothing came"), (_begins, "nothing came"), (_stops, "in the middle")])
async def test_a_vendor_that_hangs_is_given_up(brain: Any, what: str, server: VendorServer, keys: Settings) -> None:
    """Before the answer, in it, in the middle of a sentence: no call waits for ever."""
    server.answer = RealtimeService(brain).answer
    async with talk(keys, server.url) as ours:
        ours.ask()
        assert isinstance(await ours.failure(), ProviderTimedOut)
        assert what in str(ours.failed.result().error)


async def test_a_hiccup_is_asked_again(server: VendorServer, keys: Settings) -> None:
    """The vendor failed once; the second answer is the one that is said."""

    async def once(line: Line) -> Move | None:
        if line.asked > 1:
            return Move("Guten Tag!")
        await line.begin()
        await line.end("failed", HICCUP)
        return None

    server.answer = RealtimeService(once).answer
    async with talk(keys, server.url) as ours:
        ours.ask()
        assert await ours.answer() == ("", [])
        assert await ours.answer() == ("Guten Tag!", [])
        assert not ours.failed.done() and not ours.silent.is_set()


async def _fails(line: Line) -> None:
    await line.begin()
    await line.end("failed", HICCUP)


async def _is_broke(line: Line) -> None:
    await line.begin()
    await line.end("failed", QUOTA)


async def _says_no(line: Line) -> None:
    refusal = {"type": "invalid_request_error", "code": "model_not_found", "message": "vendor-key may not use model-x"}
    await line.send("error", error=refusal | {"event_id": line.told("response.create")[-1]["event_id"]})


async def _hangs_up(line: Line) -> None:
    await line.socket.close(code=1011)


async def _babbles(line: Line) -> None:
    await line.socket.send_str("<html>")


@pytest.mark.parametrize(
    ("brain", "error", "asked"),
    [(_fails, ProviderFailed, 2), (_is_broke, ProviderBusy, 1), (_says_no, ProviderRejected, 1),
     (_hangs_up, ProviderUnreachable, 1), (_babbles, ProviderFailed, 1)],
)  # fmt: skip
async def test_a_failure_in_the_conversation_has_a_name(
    brain: Any, error: type[ProviderError], asked: int, server: VendorServer, keys: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it says instead of an answer: I read what that means, and its own words are in no log."""
    realtime = RealtimeService(brain)
    server.answer = realtime.answer
    caplog.set_level(logging.DEBUG)
    async with talk(keys, server.url) as ours:
        ours.ask()
        found = await ours.failure()
    assert type(found) is error, found
    assert sum(line.asked for line in realtime.lines) == asked
    assert "vendor-key" not in caplog.text


async def test_settings_it_does_not_take_are_a_failure(server: VendorServer, keys: Settings) -> None:
    """A model that cannot answer in text says so at the beginning; the call does not go on with its own ideas."""
    realtime = answering(server)
    async with talk(keys, server.url) as ours:
        while not (realtime.lines and realtime.lines[0].told("session.update")):  # noqa: ASYNC110 - over the network
            await asyncio.sleep(0.01)
        line = realtime.lines[0]
        refusal = {"type": "invalid_request_error", "code": "invalid_value", "message": "vendor-key"}
        await line.send("error", error=refusal | {"event_id": line.told("session.update")[0]["event_id"]})
        assert isinstance(await ours.failure(), ProviderRejected)


@pytest.mark.parametrize("had_begun", [True, False])
async def test_whoever_is_interrupted_is_not_late(had_begun: bool, server: VendorServer, keys: Settings) -> None:
    """They spoke on while the model was thinking: the answer that was given up is no failure, the next one is heard."""

    async def second(line: Line) -> Move | None:
        if line.asked > 1:
            return Move("Guten Tag!")
        asked = line.told("response.create")[-1]["response"]
        await line.send("response.created", response=asked | {"id": "given up", "object": "realtime.response", "output": []})
        return None

    server.answer = RealtimeService(second).answer
    async with talk(keys, server.url) as ours:
        ours.ask()
        if had_begun:
            await ours.answers.get()
            ours.session.interrupt()
        else:
            ours.drop()
        await asyncio.sleep(LIMITS.last_resort + 0.2)
        assert not ours.failed.done()
        ours.ask()
        assert await ours.answer() == ("Guten Tag!", [])


async def test_whoever_interrupts_a_refusal_is_answered_later(server: VendorServer, keys: Settings) -> None:
    """The vendor was busy for a moment, in which they spoke on: their next question has all its time."""

    async def busy_once(line: Line) -> Move | None:
        if line.asked > 1:
            return Move("Guten Tag!")
        refusal = {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "vendor-key is too quick"}
        await line.send("error", error=refusal | {"event_id": line.told("response.create")[-1]["event_id"]})
        return None

    server.answer = RealtimeService(busy_once).answer
    async with talk(keys, server.url) as ours:
        ours.ask()
        await ours.refused()
        ours.session.interrupt()
        await asyncio.sleep(LIMITS.last_resort + 0.2)
        ours.ask()
        assert await ours.answer() == ("Guten Tag!", []) and not ours.failed.done()


async def test_whoever_asks_again_and_again_finds_out_in_time(server: VendorServer, keys: Settings) -> None:
    """They say hello into the silence, each time an answer is asked for anew: what counts is how long the vendor is deaf."""
    server.answer = RealtimeService(_never).answer
    async with talk(keys, server.url) as ours:
        began = asyncio.get_running_loop().time()
        while not ours.failed.done() and asyncio.get_running_loop().time() - began < 2 * LIMITS.last_resort:
            ours.ask()
            await asyncio.wait({ours.failed}, timeout=LIMITS.last_resort / 2)
            ours.drop()
        assert isinstance(await ours.failure(), ProviderTimedOut)
        assert asyncio.get_running_loop().time() - began < 2 * LIMITS.last_resort
