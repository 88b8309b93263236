"""A realtime model inside LiveKit's session, as a call has it: who speaks, what each knows of the other, what a failure
leaves us.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, llm
from livekit.agents.voice import CloseEvent, ErrorEvent, io

from config import Settings
from modules.conversation.deadlines import Deadlines
from modules.conversation.personality import Personality, Thinking
from modules.conversation.speech import CONVERSING
from modules.conversation.speech.chain import connect_options, voice
from modules.conversation.speech.local import FliteTTS, flite_tts
from modules.conversation.speech.local.dialogue import Move
from modules.conversation.speech.vendor_errors import is_final, session_failure
from modules.conversation.tools import Hands, tools_of
from tests.contracts.providers.vendor_server import VendorServer
from tests.realtime_service import answering

pytestmark = [pytest.mark.unit, pytest.mark.timeout(30)]

GREETING = "I am an AI assistant."
ITSELF = Thinking(provider="openai_realtime")
SPEAKS = Personality.model_validate(
    {"name": "x", "greeting": GREETING,
     "tools": ["end_call", "transfer"], "transfer": {"reception": "+493012345678"},
     "components": {"stt": {"provider": "local"}, "llm": ITSELF.model_dump(), "tts": {"provider": "local"}}}
)  # fmt: skip


class Phone(io.AudioOutput):
    """Hears each sentence at once."""

    def __init__(self) -> None:
        super().__init__(label="phone", capabilities=io.AudioOutputCapabilities(pause=True), sample_rate=16_000)
        self.heard_s = 0.0
        self._sentence_s = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self._sentence_s += frame.duration

    def flush(self) -> None:
        super().flush()
        heard_s, self._sentence_s = self._sentence_s, 0.0
        self.heard_s += heard_s
        if heard_s:
            self.on_playback_finished(playback_position=heard_s, interrupted=False)

    def clear_buffer(self) -> None:
        self.flush()


@dataclass(slots=True)
class Call:
    session: AgentSession[None]
    phone: Phone
    over: asyncio.Event = field(default_factory=asyncio.Event)
    closed: list[CloseEvent] = field(default_factory=list)
    added: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    failed: asyncio.Queue[ErrorEvent] = field(default_factory=asyncio.Queue)


async def _nowhere(name: str, number: str) -> str:
    return "nobody there"


@asynccontextmanager
async def calling(server: VendorServer, keys: Settings) -> AsyncIterator[Call]:
    limits = Deadlines(last_resort=1.0)
    model = CONVERSING["openai_realtime"](ITSELF.model_copy(update={"base_url": server.url}), keys, limits)
    speaker = voice([flite_tts("rms")], limits)
    session: AgentSession[None] = AgentSession(
        llm=model, tts=speaker, turn_detection="manual", conn_options=connect_options(limits)
    )
    found = Call(session, Phone())
    session.output.audio = found.phone
    session.on("close", found.closed.append)
    session.on("conversation_item_added", lambda event: found.added.put_nowait(event.item))
    session.on("error", found.failed.put_nowait)
    tools = tools_of(SPEAKS, Hands(rtc.Room(), found.over.set, _nowhere, lambda *_: None))
    await session.start(Agent(instructions="Be brief.", tools=tools), record=False)
    try:
        yield found
    finally:
        await session.aclose()
        await model.aclose()


async def test_our_voice_says_what_the_model_words(server: VendorServer, keys: Settings) -> None:
    """The text became speech of ours, and what we said before it the model was told."""
    realtime = answering(server, Move("How much is one visit?"))
    async with calling(server, keys) as call:
        await call.session.say(GREETING)
        greeting_s = call.phone.heard_s
        await call.session.generate_reply(user_input="Hello?")
        spoken_s = len(await FliteTTS("rms").speak("How much is one visit?")) / 32_000
        assert call.phone.heard_s - greeting_s == pytest.approx(spoken_s, abs=0.3)
        told = [
            (event["item"]["role"], event["item"]["content"][0]["text"])
            for event in realtime.lines[0].told("conversation.item.create")
        ]
        assert told == [("assistant", GREETING), ("user", "Hello?")]
        messages = [item for item in call.session.history.items if isinstance(item, llm.ChatMessage)]
        assert [(one.role, (one.text_content or "").strip()) for one in messages] == [
            *told,
            ("assistant", "How much is one visit?"),
        ]


async def test_one_goodbye_is_enough(server: VendorServer, keys: Settings) -> None:
    """It said goodbye and hung up in one answer, and is not asked for another goodbye."""
    realtime = answering(server, Move("Thank you. Goodbye.", hang_up=True))
    async with calling(server, keys) as call:
        call.session.generate_reply(user_input="Goodbye.")
        async with asyncio.timeout(10):
            await call.over.wait()
        assert realtime.lines[0].asked == 1


async def test_hanging_up_without_a_word_is_asked_for_one(server: VendorServer, keys: Settings) -> None:
    """The goodbye comes before the end."""
    realtime = answering(server, Move("", hang_up=True), Move("Goodbye."))
    async with calling(server, keys) as call:
        call.session.generate_reply(user_input="Goodbye.")
        async with asyncio.timeout(10):
            await call.over.wait()
        assert realtime.lines[0].asked == 2 and call.phone.heard_s > 0


async def test_a_hand_over_that_fails_is_told_to_the_model(server: VendorServer, keys: Settings) -> None:
    """The announcement was spoken within its turn; then it is asked what to say now."""
    realtime = answering(server, Move("", transfer="reception"), Move("They are busy."))
    async with calling(server, keys) as call:
        call.session.generate_reply(user_input="The reception, please.")
        said: list[str] = []
        async with asyncio.timeout(10):
            while said[-1:] != ["They are busy."]:
                item = await call.added.get()
                said += [(item.text_content or "").strip()] if getattr(item, "role", "") == "assistant" else []
    assert said == [SPEAKS.transfer["reception"].announcement, "They are busy."]
    output = next(event["item"] for event in realtime.lines[0].told("conversation.item.create") if "output" in event["item"])
    assert "nobody there" in output["output"]


async def test_a_failure_leaves_us_our_voice(server: VendorServer, keys: Settings) -> None:
    """The key was refused: the call can name it, the session is open, and an apology is heard."""
    server.refuses(401)
    async with calling(server, keys) as call:
        call.session.generate_reply()
        async with asyncio.timeout(10):
            while not is_final((failed := await call.failed.get()).error):
                pass
        assert (
            session_failure(failed.error, SPEAKS.components) == "ProviderRejected: openai_realtime says 401: check OPENAI_API_KEY"
        )
        await call.session.say("I am sorry.")
        assert call.phone.heard_s > 0 and not call.closed
