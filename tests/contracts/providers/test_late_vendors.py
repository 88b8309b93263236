"""Chains of vendors of which the first refuses, hangs, breaks off or answers rubbish: what the second makes of it, and how soon.

The vendors are real servers on loopback, spoken to by the plugins; only the deadlines are shorter than in a call.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from aiohttp import web
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, llm, stt
from livekit.agents.utils import http_context

from config import Settings
from modules.conversation.deadlines import Deadlines
from modules.conversation.personality import Hearing, Speaking, Thinking
from modules.conversation.session import voice_activity
from modules.conversation.speech import HEARING, SPEAKING, THINKING, chain
from modules.conversation.speech.punctual_stt import Unheard
from tests.contracts.providers.models import closing
from tests.contracts.providers.test_llm_vendors import chat_completions
from tests.contracts.providers.vendor_server import VendorServer, vendor_server

pytestmark = [pytest.mark.unit, pytest.mark.timeout(25)]  # a plugin left alone waits for half a minute

SOON = Deadlines(words=0.4, first_word=0.4, next_word=0.3, first_sound=0.4, next_sound=0.3, last_resort=0.6)
ONCE = APIConnectOptions(max_retry=0, timeout=1)
TWICE = APIConnectOptions(max_retry=1, timeout=1)
TEXT = "Wir haben von neun bis fünf Uhr geöffnet."
SECOND_S = 2 * 24_000  # bytes of a second of OpenAI's sound
Fault = Callable[[VendorServer], None]


@pytest.fixture
async def servers() -> AsyncIterator[tuple[VendorServer, VendorServer]]:
    """Two vendors."""
    async with vendor_server() as first, vendor_server() as second, http_context.open():
        yield first, second


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    secret = "only-for-tests-0123456789-0123456789-abcdef"
    return Settings(livekit_api_key="testing", livekit_api_secret=secret, deepgram_api_key="vendor-key")  # type: ignore[arg-type]


def drips(pieces: list[bytes], kind: str, then: str) -> Fault:
    """Sends these pieces, then hangs, or cuts the line."""

    def prepare(server: VendorServer) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": kind, "Content-Length": str(10 * SECOND_S)})
            await response.prepare(request)
            for piece in pieces:
                await response.write(piece)
            if then == "hang":
                await server.closing.wait()
            if request.transport is not None:
                request.transport.close()
            return response

        server.answer = answer

    return prepare


def nobody(server: VendorServer) -> None:
    """Nothing listens at its address."""
    server.url = "http://127.0.0.1:9"


ALWAYS: dict[str, Fault] = {
    "refuses the connection": nobody,
    "refuses the key": lambda server: server.refuses(401),
    "is broken": lambda server: server.refuses(500),
    "hangs": lambda server: server.hangs(),
}  # fmt: skip
BEGINNING = "\n".join(chat_completions()[:2]).encode() + b"\n"
THINKS: dict[str, Fault] = ALWAYS | {
    "answers rubbish": lambda server: server.sends(["data: {]", ""]),
    "stalls": drips([BEGINNING], "text/event-stream", "hang"),
    "is cut off": drips([BEGINNING], "text/event-stream", "cut"),
}  # fmt: skip
SPEAKS: dict[str, Fault] = ALWAYS | {
    "answers rubbish": lambda server: server.sends_body(b"<html>", "audio/pcm"),
    "answers nothing": lambda server: server.sends_body(b"", "audio/pcm"),
    "stalls": drips([bytes(SECOND_S)], "audio/pcm", "hang"),
    "is cut off": drips([bytes(SECOND_S)], "audio/pcm", "cut"),
}  # fmt: skip


@pytest.mark.parametrize("fault", THINKS)
async def test_the_next_model_answers(fault: str, servers: tuple[VendorServer, VendorServer], settings: Settings) -> None:
    """The first one's beginning is a sentence of its own: the ids of the chunks tell them apart."""
    first, second = servers
    THINKS[fault](first)
    second.sends(chat_completions())
    answers = await answers_of(servers, settings)
    assert list(answers.values())[-1] == "Guten Tag!"
    assert (len(answers) == 2) == (fault in ("stalls", "is cut off"))


@pytest.mark.parametrize("fault", ["is broken", "hangs", "stalls"])
async def test_a_model_alone_is_asked_a_second_time(
    fault: str, servers: tuple[VendorServer, VendorServer], settings: Settings
) -> None:
    """One bad moment of the only vendor is no end of the call."""
    server = servers[0]
    THINKS[fault](server)
    bad = server.answer
    assert bad

    async def answer(request: web.Request) -> web.StreamResponse:
        if len(server.asked) == 1:
            return await bad(request)
        server.sends(chat_completions())
        assert server.answer
        return await server.answer(request)

    server.answer = answer
    assert list((await answers_of(servers[:1], settings)).values())[-1] == "Guten Tag!"


async def test_a_tool_that_was_called_is_not_called_again(servers: tuple[VendorServer, VendorServer], settings: Settings) -> None:
    """What a tool did cannot be undone, so the answer ends there and nobody else is asked."""
    call = {"index": 0, "id": "t1", "type": "function", "function": {"name": "end_call", "arguments": "{}"}}
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunk = head | {"choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}]}
    done = head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    drips([f"data: {json.dumps(one)}\n\n".encode() for one in (chunk, done)], "text/event-stream", "hang")(servers[0])
    servers[1].sends(chat_completions())
    assert await answers_of(servers, settings) == {}
    assert servers[1].asked == []


@pytest.mark.parametrize("fault", SPEAKS)
async def test_the_next_voice_says_the_sentence(
    fault: str, servers: tuple[VendorServer, VendorServer], settings: Settings
) -> None:
    """The whole sentence, from its beginning, also where the first one left in the middle of it."""
    SPEAKS[fault](servers[0])
    servers[1].sends_body(bytes(3 * SECOND_S), "audio/pcm")
    lasts_s = await spoken_s(servers, settings)
    begun = fault in ("stalls", "is cut off")
    assert (3.5 < lasts_s <= 4) if begun else (3 <= lasts_s < 3.2), lasts_s


async def test_voices_that_all_fail_say_so(servers: tuple[VendorServer, VendorServer], settings: Settings) -> None:
    """Nobody waits for ever where nobody can speak."""
    servers[0].hangs()
    servers[1].refuses(500)
    async with asyncio.timeout(6):
        with pytest.raises(APIError):
            await spoken_s(servers, settings)


async def test_what_was_said_is_not_lost_with_the_listener(
    servers: tuple[VendorServer, VendorServer], settings: Settings
) -> None:
    """The first one takes the sound and never answers; the second hears the same sound and has words for it."""

    async def silence(socket: web.WebSocketResponse, told: Any) -> None:
        return None

    async def words(socket: web.WebSocketResponse, told: Any) -> None:
        if sum(len(one) for one in servers[1].said if isinstance(one, bytes)) >= len(SAID) * 3200 - 3200:
            await socket.send_json(final("Guten Tag!"))

    servers[0].talks(silence)
    servers[1].talks(words)
    unheard = Unheard()
    ears = [HEARING["deepgram"](Hearing(provider="deepgram", base_url=one.url), settings) for one in servers]
    listener = chain.listener(ears, voice_activity(), unheard, SOON)
    unheard.began()
    async with listener.stream(conn_options=TWICE) as stream:
        for frame in SAID:
            unheard.keep(frame)
            stream.push_frame(frame)
        await asyncio.sleep(1)  # as long as the speech takes
        unheard.finished()
        async with asyncio.timeout(5):
            async for event in stream:
                if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                    break
    assert event.alternatives[0].text == "Guten Tag!"
    await listener.aclose()


SAID = [rtc.AudioFrame(bytes([one, 1] * 1600), 16_000, 1, 1600) for one in range(12)]


def final(text: str) -> dict[str, Any]:
    words = [{"word": text, "punctuated_word": text, "start": 0.0, "end": 0.1, "confidence": 0.9}]
    said = {"alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]}
    return {"type": "Results", "is_final": True, "speech_final": True, "metadata": {"request_id": "r1"}, "channel": said}


async def answers_of(servers: Sequence[VendorServer], settings: Settings) -> dict[str, str]:
    """Ask a chain of them; return the words of each attempt by its id."""
    talk = llm.ChatContext.empty()
    talk.add_message(role="user", content="Guten Tag!")
    answers: dict[str, str] = {}
    async with contextlib.AsyncExitStack() as stack:
        minds = [THINKING["openai"](Thinking(provider="openai", base_url=one.url), settings) for one in servers]
        for mind in minds:
            await stack.enter_async_context(closing(mind))
        async with chain.model(minds, SOON).chat(chat_ctx=talk, conn_options=TWICE) as stream:
            async for chunk in stream:
                if chunk.delta and chunk.delta.content:
                    answers[chunk.id] = answers.get(chunk.id, "") + chunk.delta.content
    return answers


async def spoken_s(servers: Sequence[VendorServer], settings: Settings) -> float:
    """Have a sentence spoken by a chain of them; return how long what was heard lasted."""
    async with contextlib.AsyncExitStack() as stack:
        voices = [SPEAKING["openai"](Speaking(provider="openai", base_url=one.url), settings) for one in servers]
        for voice in voices:
            await stack.enter_async_context(closing(voice))
        async with chain.voice(voices, SOON).synthesize(TEXT, conn_options=ONCE) as stream:
            return sum([audio.frame.duration async for audio in stream])
