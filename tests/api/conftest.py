"""What the API's tests share: the real application on a real Redis and a real database, and a personality to call with."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from config import Settings
from modules.api_server import create_app
from modules.call_queue_manager import Store

KEY = "first-key-of-the-tests-000000000000"
NUMBER = "+12025550100"
_PERSONALITY = """
name: Front Desk
components:
  stt: {provider: local}
  llm: {provider: local, script: gym}
  tts: {provider: local}
greeting: "Hello, this is the AI assistant of {{ organization }}."
variables: {organization: Voicefleet}
"""


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    """A folder with personalities and prompts: front_desk works, broken does not, strict needs a variable."""
    agents, prompts = tmp_path / "agents", tmp_path / "prompts"
    agents.mkdir()
    prompts.mkdir()
    (agents / "front_desk.yaml").write_text(_PERSONALITY)
    (agents / "broken.yaml").write_text("name: [")
    (agents / "keyless.yaml").write_text(_PERSONALITY.replace("stt: {provider: local}", "stt: {provider: azure}"))
    (agents / "strict.yaml").write_text(_PERSONALITY.replace("{organization: Voicefleet}", "{organization: {type: string}}"))
    index = {key: {"file": f"{key}.md"} for key in ("house_rules", "default_inbound", "default_outbound")}
    (prompts / "prompts.yaml").write_text(json.dumps(index))
    for key in index:
        (prompts / f"{key}.md").write_text("Be kind.")
    return tmp_path


@pytest.fixture
def api_settings(settings: Settings, voices: Path) -> Settings:
    """Settings of an API with a simulated trunk, as tests need them."""
    return settings.model_copy(
        update={
            "api_key": type(settings.api_key)(KEY),
            "sip_api_url": "http://127.0.0.1:9",
            "livekit_url": "ws://127.0.0.1:9",
            "agents_dir": voices / "agents",
            "prompts_dir": voices / "prompts",
            "default_personality": "front_desk",
        }
    )


@pytest.fixture
async def app(api_settings: Settings, store: Store) -> AsyncIterator[FastAPI]:
    """The application, alive, on an empty Redis."""
    app = create_app(api_settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the first key."""
    async with client(app, {"X-API-Key": KEY}) as found:
        yield found


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a key."""
    async with client(app, {}) as found:
        yield found


def client(app: FastAPI, headers: dict[str, str]) -> httpx2.AsyncClient:
    """Return a client that speaks to `app` without a socket."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://voicefleet.test", headers=headers)


@pytest.fixture
async def api_url(api_settings: Settings, store: Store) -> AsyncIterator[str]:
    """The address of a real API process, for what needs sockets: streams, signals, browsers."""
    async with process(api_settings) as running:
        yield running.url


@dataclass(frozen=True, slots=True)
class Running:
    """An API process."""

    url: str
    child: asyncio.subprocess.Process
    log: Path

    async def leave(self) -> int:
        """Ask it to stop, as a supervisor does; return its exit code."""
        self.child.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.child.wait(), 20)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[Running]:
    """Start `python -m modules.api_server`, wait until it answers, and stop it with SIGTERM."""
    port = free_port()
    log = settings.data_dir.parent / f"api-{port}.log"
    with log.open("wb") as stderr:
        command = [sys.executable, "-m", "modules.api_server"]
        child = await asyncio.create_subprocess_exec(*command, env=_environment(settings, port), stderr=stderr)
    running = Running(f"http://127.0.0.1:{port}", child, log)
    try:
        await answers(f"{running.url}/livez", child)
        yield running
    finally:
        if child.returncode is None:
            await running.leave()
        print(log.read_text())


async def answers(url: str, child: asyncio.subprocess.Process) -> None:
    """Wait until something answers 200 at `url`."""
    async with asyncio.timeout(30), httpx2.AsyncClient(trust_env=False) as http:
        while child.returncode is None:
            try:
                if (await http.get(url)).status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError("the API ended before it answered")


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(settings: Settings, port: int) -> dict[str, str]:
    given = {
        "LIVEKIT_API_KEY": settings.livekit_api_key,
        "LIVEKIT_API_SECRET": settings.livekit_api_secret.get_secret_value(),
        "API_KEY": settings.api_key.get_secret_value(),
        "API_HOST": "127.0.0.1",
        "API_PORT": str(port),
        "REDIS_URL": settings.redis_url,
        "DATABASE_URL": settings.database_url,
        "SIP_API_URL": settings.sip_api_url,
        "LIVEKIT_URL": settings.livekit_url,
        "AGENTS_DIR": str(settings.agents_dir),
        "PROMPTS_DIR": str(settings.prompts_dir),
        "LOGS_DIR": str(settings.logs_dir),
        "DATA_DIR": str(settings.data_dir),
        "DEFAULT_PERSONALITY": settings.default_personality,
        "LOG_FORMAT": "json",
        "LOG_LEVEL": settings.log_level,
        "SIP_TRUNK_HOSTNAME": settings.sip_trunk_hostname,
        "SIP_AUTH_USERNAME": settings.sip_auth_username,
        "SIP_AUTH_PASSWORD": settings.sip_auth_password.get_secret_value(),
        "SIP_FROM_NUMBER": settings.sip_from_number,
        "SIP_OUTBOUND_TRUNK_ID": "",
    }
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")} | given
