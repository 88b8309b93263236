"""Azure's listener at its wire. Its own compiled library speaks: we let it, and answer as Azure's speech service does."""

from typing import Any

import pytest
from aiohttp import web
from livekit.agents import stt

from config import Settings
from modules.conversation.personality import Hearing
from modules.conversation.speech import HEARING
from modules.conversation.speech.vendor_errors import ProviderBusy, ProviderError, ProviderFailed, ProviderRejected
from tests.azure_speech import LISTENING, recognition
from tests.contracts.providers.models import failure, hear, listen_on
from tests.contracts.providers.vendor_server import VendorServer

pytestmark = pytest.mark.unit

TEXT = "Guten Tag!"


def ears(server: VendorServer, keys: Settings) -> stt.STT[Any]:
    return HEARING["azure"](Hearing(provider="azure", language="de-DE", base_url=server.url), keys)


async def service(request: web.Request) -> web.StreamResponse:
    """Azure, who understands a greeting whatever is said."""

    async def words() -> str:
        return TEXT

    return await recognition(request, words)


async def test_speech_is_streamed_and_words_come_back(
    server: VendorServer, keys: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key and language are in the request; German words come back. The region of my settings is no hindrance."""
    monkeypatch.setenv("AZURE_SPEECH_REGION", "westeurope")
    server.answer = service
    assert await hear(ears(server, keys)) == TEXT
    asked = server.asked[0]
    assert asked.path == LISTENING
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
