"""Azure's listener at its wire. Its own compiled library speaks: we let it, and answer as Azure's speech service does."""

import json
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from livekit.agents import stt

from config import Settings
from modules.conversation.personality import Hearing
from modules.conversation.speech import HEARING
from modules.conversation.speech.vendor_errors import ProviderBusy, ProviderError, ProviderFailed, ProviderRejected
from tests.contracts.providers.models import failure, hear, listen_on
from tests.contracts.providers.vendor_server import VendorServer

pytestmark = pytest.mark.unit

TEXT = "Guten Tag!"
SECOND = 10_000_000  # Azure counts in ticks of 100 ns


def ears(server: VendorServer, keys: Settings) -> stt.STT[Any]:
    return HEARING["azure"](Hearing(provider="azure", language="de-DE", base_url=server.url), keys)


async def service(request: web.Request) -> web.StreamResponse:
    """Azure's side: a turn begins with the first sound and ends with the empty block that ends the sound."""
    socket = web.WebSocketResponse(protocols=("USP",))
    await socket.prepare(request)
    asked = ""

    async def send(path: str, body: dict[str, Any]) -> None:
        head = f"X-RequestId:{asked}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n"
        await socket.send_str(head + json.dumps(body))

    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            continue
        size = 2 + int.from_bytes(message.data[:2], "big")
        head = dict(line.split(":", 1) for line in message.data[2:size].decode().split("\r\n") if ":" in line)
        if not asked:
            asked = head["X-RequestId"]
            await send("turn.start", {"context": {"serviceTag": "t1"}})
            await send("speech.startDetected", {"Offset": 0})
        if len(message.data) == size:
            await send("speech.hypothesis", {"Text": "guten", "Offset": 0, "Duration": SECOND})
            said = {"Id": "p1", "RecognitionStatus": "Success", "DisplayText": TEXT, "Offset": 0, "Duration": SECOND}
            await send("speech.phrase", said)
            await send("speech.phrase", {"Id": "p2", "RecognitionStatus": "EndOfDictation", "Offset": SECOND, "Duration": 0})
            await send("turn.end", {})
    return socket


async def test_speech_is_streamed_and_words_come_back(server: VendorServer, keys: Settings) -> None:
    """Key and language are in the request; German words come back."""
    server.answer = service
    assert await hear(ears(server, keys)) == TEXT
    asked = server.asked[0]
    assert asked.path == "/speech/recognition/conversation/cognitiveservices/v1"
    assert (asked.query["language"], asked.headers["ocp-apim-subscription-key"]) == ("de-DE", "vendor-key")


@pytest.mark.parametrize(
    ("status", "error", "step"),
    [(401, ProviderRejected, "check AZURE_SPEECH_KEY"), (429, ProviderBusy, "its limit"), (500, ProviderFailed, "a fault on")],
)
async def test_a_refusal_says_what_to_do(
    status: int, error: type[ProviderError], step: str, server: VendorServer, keys: Settings
) -> None:
    """I read what Azure said, and which setting to look at."""
    server.refuses(status)
    found = await failure("stt", "azure", listen_on(ears(server, keys)), within_s=20)
    assert type(found) is error, found
    assert str(found).startswith(f"{error.__name__}: azure says {status}: {step}")
