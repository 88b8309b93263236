"""The processes that answer recordings: warm, replaceable, gone with who started them; and what a vendor's failure becomes."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from config import Settings
from modules.calls.errors import VoicefleetError
from modules.conversation.call_script import Composer
from modules.conversation.personalities import personalities_of
from modules.conversation.speech.local import flite_tts
from modules.conversation.voice_pipeline import VoicePipeline
from modules.conversation.voice_pipeline.errors import BrokenAudio, VendorFailed
from modules.conversation.voice_pipeline.wire import settings_from_wire, settings_to_wire
from modules.conversation.voice_pipeline.workers import Workers
from modules.fleet.plan import settings_from
from modules.setup.places import PROJECT
from tests.contracts.providers.vendor_server import VendorServer, vendor_server
from tests.uploads import wav

pytestmark = pytest.mark.unit

WaitUntil = Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]
NEEDED = {"LIVEKIT_API_KEY": "APIx", "LIVEKIT_API_SECRET": "0123456789" * 4}
_VOICE = """
name: Front desk
components:
  stt: {provider: local}
  llm: MIND
  tts: {provider: local}
greeting: "Hello, this is the AI assistant of the gym."
"""
_OPENAI = '{provider: openai, base_url: "URL/v1"}'
_SCRIPT = "{provider: local, script: gym_researcher}"


@pytest.fixture(scope="module")
def upload() -> bytes:
    return wav(asyncio.run(flite_tts("kal16").speak("One visit costs twenty dollars.")))


@pytest.fixture
async def vendor() -> AsyncIterator[VendorServer]:
    async with vendor_server() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, vendor: VendorServer) -> Settings:
    """Personalities whose model is a vendor here: alone, and before a script of ours."""
    agents = tmp_path / "agents"
    agents.mkdir()
    openai = _OPENAI.replace("URL", vendor.url)
    for name, mind in (("alone", openai), ("chain", f"[{openai}, {_SCRIPT}]"), ("local", _SCRIPT)):
        (agents / f"{name}.yaml").write_text(_VOICE.replace("MIND", mind))
    folders = {f"{name.upper()}_DIR": str(PROJECT / name) for name in ("prompts", "scenarios")}
    return settings_from(NEEDED | folders | {"AGENTS_DIR": str(agents), "DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
async def pipeline(settings: Settings) -> AsyncIterator[VoicePipeline]:
    pipeline = VoicePipeline(settings, Composer(personalities_of(settings)))
    yield pipeline
    await pipeline.close()


def children() -> list[psutil.Process]:
    """The workers of this process."""
    ours = psutil.Process().children()
    return [one for one in ours if any("voice_pipeline" in word for word in one.cmdline())]


def test_a_worker_is_given_every_setting_as_it_is() -> None:
    """What the API was started with is what the worker has, secrets included, whatever the environment says."""
    values = {name: info.get_default(call_default_factory=True) for name, info in Settings.model_fields.items()}
    given = {name: f"of-{name}" for name, value in values.items() if isinstance(value, SecretStr) or value == ""}
    given |= {"livekit_api_key": "APIx", "livekit_api_secret": "0123456789" * 4, "calling_hours": "08:00-21:00"}
    full = Settings(_env_file=None, **given, allowed_countries="DE,AT", data_dir="/somewhere")  # type: ignore[arg-type, call-arg]
    assert settings_from_wire(json.loads(json.dumps(settings_to_wire(full)))) == full


async def test_a_vendors_refusal_is_told_with_what_to_do(pipeline: VoicePipeline, vendor: VendorServer, upload: bytes) -> None:
    """I read which vendor said what, and which setting to look at; the key it repeated is not in it."""
    vendor.refuses(401)
    with pytest.raises(VendorFailed, match="ProviderRejected: openai says 401: check OPENAI_API_KEY") as caught:
        await pipeline.answer(upload, "alone", {})
    assert caught.value.status == 502 and "vendor-key" not in caught.value.message
    told = vendor.asked[0].json["messages"]
    assert [message["role"] for message in told] == ["system", "assistant", "user"]
    assert "twenty dollars" in told[2]["content"]


async def test_the_next_of_a_chain_is_asked(pipeline: VoicePipeline, vendor: VendorServer, upload: bytes) -> None:
    """A vendor's bad day is not the personality's."""
    vendor.refuses(401)
    assert (await pipeline.answer(upload, "chain", {})).reply == "What is the price of a drop in visit?"
    assert vendor.asked


async def test_a_worker_is_used_again_also_after_a_refusal(pipeline: VoicePipeline, upload: bytes) -> None:
    """The second recording waits for no start; a file that is none does not cost the process."""
    await pipeline.answer(upload, "local", {})
    first = children()
    with pytest.raises(BrokenAudio):
        await pipeline.answer(wav(b""), "local", {})
    again = await pipeline.answer(upload, "local", {})
    assert children() == first and len(first) == 1
    assert again.times["wait_s"] < again.times["total_s"] / 2


async def test_a_killed_worker_is_replaced(
    pipeline: VoicePipeline, vendor: VendorServer, upload: bytes, wait_until: WaitUntil
) -> None:
    """Somebody kills it in the middle of an answer: that one fails by name, the next is answered."""
    vendor.hangs()
    lost = asyncio.create_task(pipeline.answer(upload, "alone", {}))

    async def asked() -> bool:
        return bool(vendor.asked)

    await wait_until(asked, 60)
    (worker,) = children()
    worker.kill()
    with pytest.raises(VoicefleetError, match="ended"):
        await lost
    assert (await pipeline.answer(upload, "local", {})).transcript == "one visit costs twenty dollars"


async def test_somebody_who_leaves_leaves_no_process(pipeline: VoicePipeline, vendor: VendorServer, upload: bytes) -> None:
    """An answer that nobody waits for any more is given up with its process."""
    vendor.hangs()
    lost = asyncio.create_task(pipeline.answer(upload, "alone", {}))
    async with asyncio.timeout(60):
        while not vendor.asked:  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.02)
    lost.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lost
    assert children() == []


async def test_an_idle_worker_leaves(settings: Settings, wait_until: WaitUntil) -> None:
    """Memory is given back when nobody comes."""
    workers = Workers(settings, idle_s=0.1)
    async with workers.one():
        assert len(children()) == 1

    async def gone() -> bool:
        return children() == []

    await wait_until(gone, 60)
    await workers.close()


def test_a_worker_ends_with_whoever_started_it(settings: Settings) -> None:
    """The API is killed: its end of the pipe closes, and nothing stays behind."""
    command = [sys.executable, "-m", "modules.conversation.voice_pipeline"]
    message = json.dumps(settings_to_wire(settings) | {"size": 0}).encode() + b"\n"
    found = subprocess.run(command, input=message, env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, timeout=60)
    assert (found.returncode, found.stdout) == (0, b"")
