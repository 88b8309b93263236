"""The voices' vendors at their wire: HTTP for Azure, OpenAI and every greeting; websockets for who streams.

Not here: Google, whose gRPC endpoint its plugin lets nobody change (test_google_speech.py has what can be seen of it).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from livekit.agents import tts

from config import Settings
from modules.conversation.personality import Speaking
from modules.conversation.speech import SPEAKING
from modules.conversation.speech.vendor_errors import (
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderRejected,
    ProviderTimedOut,
    ProviderUnreachable,
)
from modules.conversation.vendors import names
from tests.azure_speech import read_ssml
from tests.contracts.providers.models import failure, speak, synthesize
from tests.contracts.providers.vendor_server import SOUND, Reply, VendorServer, encoded

pytestmark = pytest.mark.unit

TEXT = "Guten Tag!"


async def deepgram(socket: web.WebSocketResponse, told: Any) -> None:
    """Sound after Flush, then Flushed."""
    if told == {"type": "Flush"}:
        await socket.send_json({"type": "Metadata", "request_id": "r1"})
        await socket.send_bytes(SOUND)
        await socket.send_json({"type": "Flushed", "sequence_id": 0})


async def elevenlabs(socket: web.WebSocketResponse, told: Any) -> None:
    """Sound in a context, which ends when it is closed."""
    if told and told.get("flush"):
        await socket.send_json({"audio": encoded(SOUND), "contextId": told["context_id"]})
    if told and told.get("close_context"):
        await socket.send_json({"isFinal": True, "contextId": told["context_id"]})


async def cartesia(socket: web.WebSocketResponse, told: Any) -> None:
    """Sound in chunks of a context; done when no more text will come."""
    if not told:
        return
    about = {"context_id": told["context_id"], "status_code": 206, "done": False}
    if told["continue"]:
        await socket.send_json(about | {"type": "chunk", "data": encoded(SOUND), "step_time": 1})
    else:
        await socket.send_json(about | {"type": "done", "done": True})


@dataclass(frozen=True, slots=True)
class Wire:
    """Where a vendor answers, how it knows us; `reply` is the vendor's side of its websocket."""

    once: str
    auth: tuple[str, str]
    stream: str = ""
    reply: Reply | None = None


WIRES = {
    "azure": Wire("/cognitiveservices/v1", ("ocp-apim-subscription-key", "vendor-key")),
    "openai": Wire("/audio/speech", ("authorization", "Bearer vendor-key")),
    "deepgram": Wire("/v1/speak", ("authorization", "Token vendor-key"), "/v1/speak", deepgram),
    "elevenlabs": Wire("/v1/text-to-speech/voice-x/stream", ("xi-api-key", "vendor-key"),
                       "/v1/text-to-speech/voice-x/multi-stream-input", elevenlabs),
    "cartesia": Wire("/tts/bytes", ("x-api-key", "vendor-key"), "/tts/websocket", cartesia),
}  # fmt: skip
VENDORS = list(WIRES)
STREAMING = [name for name, wire in WIRES.items() if wire.reply]


def voice(name: str, server: VendorServer, keys: Settings) -> tts.TTS[Any]:
    component = Speaking(provider=name, language="de-DE", voice="voice-x", base_url=server.url)
    return SPEAKING[name](component, keys)


def test_no_vendor_is_missing_from_these_tests() -> None:
    """A new vendor of voices gets the same tests."""
    assert {*VENDORS, "google", "local"} == set(SPEAKING) == set(names("tts"))


def _azure(body: bytes) -> tuple[str | None, str | None, str]:
    speech = read_ssml(body)
    return speech.language, speech.voice, speech.text


ONCE: dict[str, Callable[[Any], Any]] = {
    "azure": lambda asked: _azure(asked.body) + (asked.headers["x-microsoft-outputformat"],),
    "openai": lambda asked: (asked.json["model"], asked.json["voice"], asked.json["input"], asked.json["response_format"]),
    "deepgram": lambda asked: (asked.query["model"], asked.query["sample_rate"], asked.json["text"]),
    "elevenlabs": lambda asked: (asked.query["output_format"], asked.json["model_id"], asked.json["text"]),
    "cartesia": lambda asked: (asked.json["voice"]["id"], asked.json["language"], asked.json["transcript"]),
}
EXPECTED: dict[str, tuple[str, ...]] = {
    "azure": ("de-DE", "voice-x", TEXT, "raw-16khz-16bit-mono-pcm"),
    "openai": ("gpt-4o-mini-tts", "voice-x", TEXT, "pcm"),
    "deepgram": ("voice-x", "16000", TEXT),
    "elevenlabs": ("pcm_16000", "eleven_turbo_v2_5", TEXT),
    "cartesia": ("voice-x", "de", TEXT),
}


@pytest.mark.parametrize("name", VENDORS)
async def test_a_greeting_is_asked_for_in_one_request(name: str, server: VendorServer, keys: Settings) -> None:
    """Key, voice, language, format and words arrive as the vendor wants them; its sound comes back."""
    server.sends_body(SOUND, "audio/pcm")
    assert len(await synthesize(voice(name, server, keys), TEXT)) >= len(SOUND)
    asked, wire = server.asked[0], WIRES[name]
    assert (asked.method, asked.path, asked.headers[wire.auth[0]]) == ("POST", wire.once, wire.auth[1])
    assert ONCE[name](asked) == EXPECTED[name]


@pytest.mark.parametrize("name", STREAMING)
async def test_a_sentence_is_streamed(name: str, server: VendorServer, keys: Settings) -> None:
    """While the model still thinks its words are spoken, by websocket."""
    wire = WIRES[name]
    assert wire.reply
    server.talks(wire.reply)
    assert len(await speak(voice(name, server, keys), TEXT)) >= len(SOUND)
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.headers[wire.auth[0]]) == ("GET", wire.stream, wire.auth[1])
    told = json.dumps(server.said, ensure_ascii=False)
    assert "Guten" in told and "Tag!" in told
    if name == "cartesia":
        first = server.said[0]
        assert (first["voice"]["id"], first["language"], first["model_id"]) == ("voice-x", "de", "sonic-3")
    else:
        assert asked.query["model" if name == "deepgram" else "language_code"] == ("voice-x" if name == "deepgram" else "de")


async def test_azure_gets_words_that_are_no_markup(server: VendorServer, keys: Settings) -> None:
    """"AT&T, 1 < 2" is spoken, not refused."""
    server.sends_body(SOUND, "audio/pcm")
    await synthesize(voice("azure", server, keys), "AT&T, 1 < 2")
    assert _azure(server.asked[0].body)[2] == "AT&T, 1 < 2"


async def test_openai_streams_its_sound(server: VendorServer, keys: Settings) -> None:
    """Sound that arrives as events is put together."""
    events: list[dict[str, Any]] = [
        {"type": "speech.audio.delta", "audio": encoded(SOUND)},
        {"type": "speech.audio.done", "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}},
    ]
    server.sends([line for event in events for line in (f"data: {json.dumps(event)}", "")])
    assert len(await synthesize(voice("openai", server, keys), TEXT)) >= len(SOUND)


@pytest.mark.parametrize(
    ("status", "error", "step"),
    [(401, ProviderRejected, "check {key}"), (404, ProviderRejected, "check model"), (429, ProviderBusy, "its limit"),
     (500, ProviderFailed, "a fault on its side")],
)  # fmt: skip
@pytest.mark.parametrize("way", [speak, synthesize])
@pytest.mark.parametrize("name", VENDORS)
async def test_a_refusal_says_what_to_do(
    name: str, way: Any, status: int, error: type[ProviderError], step: str, server: VendorServer, keys: Settings
) -> None:
    """I read which vendor said what, and which setting to look at."""
    server.refuses(status)
    found = await failure("tts", name, way(voice(name, server, keys), TEXT))
    key = {"azure": "AZURE_SPEECH_KEY", "elevenlabs": "ELEVEN_API_KEY"}.get(name, f"{name.upper()}_API_KEY")
    assert type(found) is error, found
    assert str(found).startswith(f"{error.__name__}: {name} says {status}: {step.format(key=key)}")


@pytest.mark.parametrize("name", STREAMING)
async def test_a_voice_that_hangs_is_given_up(name: str, server: VendorServer, keys: Settings) -> None:
    """Neither a door that does not open nor one with nobody behind it holds up a call."""
    server.hangs()
    found = await failure("tts", name, speak(voice(name, server, keys), TEXT))
    assert type(found) is ProviderTimedOut, found

    async def silence(socket: web.WebSocketResponse, told: Any) -> None:
        return None

    server.talks(silence)
    found = await failure("tts", name, speak(voice(name, server, keys), TEXT))
    assert type(found) is ProviderTimedOut, found


@pytest.mark.parametrize("name", STREAMING)
async def test_a_voice_that_breaks_off_is_told(name: str, server: VendorServer, keys: Settings) -> None:
    """A connection closed in the middle is the vendor's failure."""

    async def leave(socket: web.WebSocketResponse, told: Any) -> None:
        if told:
            await socket.close(code=1011)

    server.talks(leave)
    found = await failure("tts", name, speak(voice(name, server, keys), TEXT))
    assert isinstance(found, ProviderFailed) and "1011" in str(found), found


@pytest.mark.parametrize("name", STREAMING)
async def test_garbage_is_no_speech(name: str, server: VendorServer, keys: Settings) -> None:
    """What cannot be read is called a failure of the vendor."""

    async def babble(socket: web.WebSocketResponse, told: Any) -> None:
        if told:
            await socket.send_str("{<html>")

    server.talks(babble)
    found = await failure("tts", name, speak(voice(name, server, keys), TEXT))
    assert isinstance(found, ProviderFailed), found


@pytest.mark.parametrize("name", VENDORS)
async def test_nobody_there_is_told_apart(name: str, keys: Settings) -> None:
    """A wrong address reads different from a wrong key."""
    nobody = SPEAKING[name](Speaking(provider=name, language="de-DE", base_url="http://127.0.0.1:9"), keys)
    found = await failure("tts", name, speak(nobody, TEXT))
    assert isinstance(found, ProviderUnreachable), found
