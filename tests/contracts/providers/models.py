"""One turn with a model: what goes in, what comes out, and the named error where nothing does. No wire format here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, llm, stt, tts

from modules.conversation.speech.vendor_errors import ProviderError, named
from modules.conversation.vendors import Kind, vendor

# One try, and a second for it: what a call would wait for is asked of no test.
ONCE = APIConnectOptions(max_retry=0, timeout=1.0)
PROMPT, QUESTION = "Fasse dich kurz.", "Guten Tag!"


async def think(model: llm.LLM[Any]) -> str:
    """Ask a language model; return its answer."""
    talk = llm.ChatContext.empty()
    talk.add_message(role="system", content=PROMPT)
    talk.add_message(role="user", content=QUESTION)
    async with closing(model), model.chat(chat_ctx=talk, conn_options=ONCE) as stream:
        return "".join([chunk.delta.content async for chunk in stream if chunk.delta and chunk.delta.content])


async def speak(voice: tts.TTS[Any], text: str) -> bytes:
    """Have a sentence spoken as in a call: streamed where the vendor streams."""
    if not voice.capabilities.streaming:
        return await synthesize(voice, text)
    async with closing(voice), voice.stream(conn_options=ONCE) as stream:
        stream.push_text(text)
        stream.end_input()
        return b"".join([bytes(audio.frame.data) async for audio in stream])


async def synthesize(voice: tts.TTS[Any], text: str) -> bytes:
    """Have a sentence spoken as the greeting is: in one request."""
    async with closing(voice), voice.synthesize(text, conn_options=ONCE) as stream:
        return b"".join([bytes(audio.frame.data) async for audio in stream])


async def hear(ears: stt.STT[Any]) -> str:
    """Let a quarter of a second be heard; return the final words."""
    frame = rtc.AudioFrame(bytes(8000), 16000, 1, 4000)
    async with closing(ears):
        if not ears.capabilities.streaming:
            event = await ears.recognize([frame], conn_options=ONCE)
            return event.alternatives[0].text
        words = []
        async with ears.stream(conn_options=ONCE) as stream:
            stream.push_frame(frame)
            stream.end_input()
            async for event in stream:
                if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                    words.append(event.alternatives[0].text)
        return " ".join(words)


async def listen_on(ears: stt.STT[Any]) -> str:
    """Listen as in the middle of a call: the other side has not finished. Ends where the vendor ends it."""
    async with closing(ears), ears.stream(conn_options=ONCE) as stream:
        stream.push_frame(rtc.AudioFrame(bytes(8000), 16000, 1, 4000))
        return "".join([event.alternatives[0].text async for event in stream if event.alternatives])


@asynccontextmanager
async def closing(model: Any) -> AsyncIterator[None]:
    """Close a model at the end, and the connections that its plugin leaves to the end of the process."""
    try:
        yield
    finally:
        await model.aclose()
        client: Any = getattr(model, "_client", None)
        if client is not None:
            google_speech = getattr(client, "transport", None)
            await (client.aio.aclose() if model.provider == "Gemini" else (google_speech or client).close())


async def failure(kind: Kind, name: str, work: Any, within_s: float = 8) -> ProviderError:
    """Return the named error that `work` ends with; it must end in time, and say nothing the vendor said."""
    try:
        async with asyncio.timeout(within_s):
            answer = await work
    except Exception as error:
        found = named(vendor(kind, name), error)
        assert "vendor-key" not in str(found)
        return found
    raise AssertionError(f"{name} did not fail but answered {answer!r}")
