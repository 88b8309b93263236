"""The listeners' vendors at their wire: websockets for Deepgram and AssemblyAI, one request per utterance for OpenAI and Groq.

Not here: Azure, whose own library speaks (test_azure_listening.py), and Google (test_google_speech.py).
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from livekit.agents import stt

from config import Settings
from modules.conversation.personality import Hearing
from modules.conversation.speech import HEARING
from modules.conversation.speech.vendor_errors import (
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderRejected,
    ProviderUnreachable,
)
from modules.conversation.vendors import names
from tests.contracts.providers.models import failure, hear, listen_on
from tests.contracts.providers.vendor_server import Reply, VendorServer

pytestmark = pytest.mark.unit

TEXT = "Guten Tag!"


async def deepgram(socket: web.WebSocketResponse, told: Any) -> None:
    """Words when it is told to finish."""
    if told != {"type": "CloseStream"}:
        return
    words = [{"word": "guten", "punctuated_word": "Guten", "start": 0.0, "end": 0.1, "confidence": 0.9}]
    said = {"alternatives": [{"transcript": TEXT, "confidence": 0.9, "words": words}]}
    await socket.send_json({"type": "Results", "is_final": True, "speech_final": True, "metadata": {"request_id": "r1"},
                            "channel": said})  # fmt: skip
    await socket.close()


async def assemblyai(socket: web.WebSocketResponse, told: Any) -> None:
    """A session, and a turn when it is told to finish."""
    if told is None:
        await socket.send_json({"type": "Begin", "id": "s1", "expires_at": 2000000000})
    if told == {"type": "Terminate"}:
        words = [{"text": "Guten", "start": 0, "end": 100, "confidence": 0.9, "word_is_final": True}]
        turn = {"type": "Turn", "turn_order": 0, "end_of_turn": True, "turn_is_formatted": True, "transcript": TEXT}
        await socket.send_json(turn | {"utterance": TEXT, "words": words, "language_code": "de"})
        await socket.send_json({"type": "Termination", "audio_duration_seconds": 1, "session_duration_seconds": 1})
        await socket.close()


@dataclass(frozen=True, slots=True)
class Wire:
    """Where a vendor answers, how it knows us; `reply` is the vendor's side of its websocket."""

    path: str
    auth: tuple[str, str]
    reply: Reply | None = None


WIRES = {
    "deepgram": Wire("/v1/listen", ("authorization", "Token vendor-key"), deepgram),
    "assemblyai": Wire("/v3/ws", ("authorization", "vendor-key"), assemblyai),
    "openai": Wire("/audio/transcriptions", ("authorization", "Bearer vendor-key")),
    "groq": Wire("/audio/transcriptions", ("authorization", "Bearer vendor-key")),
}
VENDORS = list(WIRES)
STREAMING = [name for name, wire in WIRES.items() if wire.reply]


def ears(name: str, server: VendorServer, keys: Settings) -> stt.STT[Any]:
    return HEARING[name](Hearing(provider=name, language="de-DE", base_url=server.url), keys)


def test_no_vendor_is_missing_from_these_tests() -> None:
    """A new vendor of listeners gets the same tests."""
    assert {*VENDORS, "azure", "google", "local"} == set(HEARING) == set(names("stt"))


@pytest.mark.parametrize("name", STREAMING)
async def test_speech_is_streamed_and_words_come_back(name: str, server: VendorServer, keys: Settings) -> None:
    """Key, model and language are in the request; sound goes out as it is heard."""
    wire = WIRES[name]
    assert wire.reply
    server.talks(wire.reply)
    assert await hear(ears(name, server, keys)) == TEXT
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.headers[wire.auth[0]]) == ("GET", wire.path, wire.auth[1])
    assert asked.query["sample_rate"] == "16000"
    if name == "deepgram":
        assert (asked.query["model"], asked.query["language"], asked.query["interim_results"]) == ("nova-3", "de", "true")
    else:
        assert (asked.query["speech_model"], json.loads(asked.query["language_codes"])) == ("universal-3-6-pro", ["de"])
    assert sum(len(told) for told in server.said if isinstance(told, bytes)) == 8000


@pytest.mark.parametrize(("name", "model"), [("openai", b"gpt-4o-mini-transcribe"), ("groq", b"whisper-large-v3-turbo")])
async def test_an_utterance_is_sent_as_a_file(name: str, model: bytes, server: VendorServer, keys: Settings) -> None:
    """Model, language and sound are in the form; its text comes back."""
    server.sends_body(json.dumps({"text": TEXT}).encode(), "application/json")
    assert await hear(ears(name, server, keys)) == TEXT
    asked, wire = server.asked[0], WIRES[name]
    assert (asked.method, asked.path, asked.headers[wire.auth[0]]) == ("POST", wire.path, wire.auth[1])
    fields = dict(_form(asked.headers["content-type"], asked.body))
    assert (fields["model"], fields["language"], fields["response_format"]) == (model, b"de", b"json")
    assert fields["file"].startswith(b"RIFF") and b"WAVE" in fields["file"]


def _form(kind: str, body: bytes) -> list[tuple[str, bytes]]:
    found = []
    for part in body.split(b"--" + kind.partition("boundary=")[2].encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        found.append((head.partition(b'name="')[2].partition(b'"')[0].decode(), value.removesuffix(b"\r\n")))
    return found


@pytest.mark.parametrize(
    ("status", "error", "step"),
    [(401, ProviderRejected, "check {key}"), (404, ProviderRejected, "check model"), (429, ProviderBusy, "its limit"),
     (500, ProviderFailed, "a fault on its side")],
)  # fmt: skip
@pytest.mark.parametrize("name", VENDORS)
async def test_a_refusal_says_what_to_do(
    name: str, status: int, error: type[ProviderError], step: str, server: VendorServer, keys: Settings
) -> None:
    """I read which vendor said what, and which setting to look at."""
    server.refuses(status)
    found = await failure("stt", name, hear(ears(name, server, keys)))
    assert type(found) is error, found
    assert str(found).startswith(f"{error.__name__}: {name} says {status}: {step.format(key=f'{name.upper()}_API_KEY')}")


async def test_a_door_that_does_not_open_is_given_up(server: VendorServer, keys: Settings) -> None:
    """No call waits for ever for somebody who listens. (AssemblyAI's plugin sets itself no limit.)"""
    server.hangs()
    found = await failure("stt", "deepgram", hear(ears("deepgram", server, keys)))
    assert isinstance(found, ProviderUnreachable), found


@pytest.mark.parametrize("name", STREAMING)
async def test_a_listener_that_leaves_is_told(name: str, server: VendorServer, keys: Settings) -> None:
    """A connection closed in the middle is the vendor's failure; one closed over the key says so."""
    for code, error in ((1011, ProviderFailed), (1008, ProviderRejected)):

        async def leave(socket: web.WebSocketResponse, told: Any, code: int = code) -> None:
            if told is None:
                await socket.close(code=code)

        server.talks(leave)
        found = await failure("stt", name, listen_on(ears(name, server, keys)))
        assert type(found) is error and str(code) in str(found), found


@pytest.mark.parametrize("name", ["openai", "groq"])
async def test_garbage_is_no_transcript(name: str, server: VendorServer, keys: Settings) -> None:
    """What cannot be read is called a failure of the vendor."""
    server.sends_body(b"{<html>", "application/json")
    found = await failure("stt", name, hear(ears(name, server, keys)))
    assert isinstance(found, ProviderFailed), found


@pytest.mark.parametrize("name", VENDORS)
async def test_nobody_there_is_told_apart(name: str, server: VendorServer, keys: Settings) -> None:
    """A wrong address reads different from a wrong key."""
    nobody = HEARING[name](Hearing(provider=name, base_url="http://127.0.0.1:9"), keys)
    found = await failure("stt", name, hear(nobody))
    assert isinstance(found, ProviderUnreachable), found
