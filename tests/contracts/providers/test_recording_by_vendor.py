"""A recording given to a vendor that only listens live, Azure: at the speed of speech, and not at all where nobody speaks."""

import asyncio
import time
from pathlib import Path

import pytest
from aiohttp import web

from config import Settings
from modules.conversation.call_script import CallScript, Composer
from modules.conversation.personalities import Personalities
from modules.conversation.session import voice_activity
from modules.conversation.speech.local import flite_tts
from modules.conversation.voice_pipeline.errors import NothingHeard, VendorFailed
from modules.conversation.voice_pipeline.pipeline import call_of
from modules.conversation.voice_pipeline.stages import answered
from modules.setup.places import PROJECT
from tests.contracts.providers.test_azure_listening import TEXT, service
from tests.contracts.providers.vendor_server import VendorServer

pytestmark = pytest.mark.unit

_VOICE = """
name: Front desk
components:
  stt: {provider: STT, language: de-DE, base_url: "URL"}
  llm: {provider: local, script: gym_researcher}
  tts: {provider: local}
greeting: "Hello, this is the AI assistant of the gym."
"""


@pytest.fixture(scope="module")
def pcm() -> bytes:
    return asyncio.run(flite_tts("kal16").speak("Good morning."))


def script(provider: str, url: str, folder: Path) -> CallScript:
    (folder / "desk.yaml").write_text(_VOICE.replace("STT", provider).replace("URL", url))
    return Composer(Personalities(folder, PROJECT / "prompts")).compose(call_of("desk", {}))


async def test_a_vendor_that_listens_live_hears_it_at_the_speed_of_speech(
    server: VendorServer, keys: Settings, pcm: bytes, tmp_path: Path
) -> None:
    """Azure gets the recording as a telephone would bring it, and its words are answered."""
    server.answer = service
    began = time.monotonic()
    found = await answered(pcm, script("azure", server.url, tmp_path), keys, voice_activity())
    assert (found.transcript, found.reply) == (TEXT, "What is the price of a drop in visit?")
    assert time.monotonic() - began > len(pcm) / 32_000
    assert found.wav.startswith(b"RIFF") and min(found.stt_s, found.llm_s, found.tts_s) > 0


async def test_silence_is_sent_to_nobody(server: VendorServer, keys: Settings, tmp_path: Path) -> None:
    """A sound in which nobody speaks costs nothing and cannot be misheard."""
    with pytest.raises(NothingHeard):
        await answered(bytes(64_000), script("azure", server.url, tmp_path), keys, voice_activity())
    assert server.asked == []


async def test_a_listener_that_refuses_is_told_with_what_to_do(
    server: VendorServer, keys: Settings, pcm: bytes, tmp_path: Path
) -> None:
    """I read who refused and which setting to look at."""

    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    server.answer = refuse
    with pytest.raises(VendorFailed, match="azure says 401: check AZURE_SPEECH_KEY"):
        await answered(pcm, script("azure", server.url, tmp_path), keys, voice_activity())
