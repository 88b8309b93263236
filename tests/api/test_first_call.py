"""The end of `connect twilio` at a terminal, with a real API process: the operator's own phone is called, live on the screen."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from config import Settings
from modules.call_queue_manager import Store
from tests.api.conftest import KEY, NUMBER, process
from tests.contracts.carriers.twilio_server import ACCOUNT, TOKEN, TwilioServer
from tests.terminal import Terminal

pytestmark = pytest.mark.redis

CALL = "Your own phone's number"


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A fleet's folder, and an account with one number."""
    server = TwilioServer()
    server.has_number("+12025550199")
    await server.open()
    folder = tmp_path / "fleet"
    folder.mkdir()
    env = {
        "LIVEKIT_API_KEY": "testing", "LIVEKIT_API_SECRET": "only-for-tests-0123456789-0123456789-abcdef", "API_KEY": KEY,
        "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_API_URL": server.url, "DATA_DIR": str(folder / "data"),
        "ALLOWED_COUNTRIES": "US",
    }  # fmt: skip
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    yield folder
    await server.close()


async def test_the_operator_is_called_and_watches_it(folder: Path, api_settings: Settings, store: Store) -> None:
    """I type my number; it is queued on the real trunk, and its states come onto the screen until it ends."""
    trunk = {
        "sip_trunk_hostname": "acme.pstn.twilio.com", "sip_from_number": "+12025550199",
        "sip_auth_username": "vf-acme", "sip_auth_password": SecretStr("Secret-123456"),
    }  # fmt: skip
    async with process(api_settings.model_copy(update=trunk)) as running:
        with Terminal(folder, "connect", "twilio", API_PORT=running.url.rpartition(":")[2]) as terminal:
            await asyncio.to_thread(terminal.sees, CALL)
            assert "/v1/calls" not in running.log.read_text()  # nothing is asked of the fleet before a number is typed
            terminal.types(NUMBER)
            await asyncio.to_thread(terminal.sees, "queued")
            (call_id,) = re.findall(r"outbound-[\w-]+", terminal.screen)
            async with httpx2.AsyncClient(base_url=running.url, headers={"X-API-Key": KEY}, trust_env=False) as api:
                call = (await api.get(f"/v1/calls/{call_id}")).json()
                assert (call["to_number"], call["trunk"], call["simulated"]) == (NUMBER, "default", False)
                await api.post(f"/v1/calls/{call_id}/cancel", json={})
            await asyncio.to_thread(terminal.sees, "outcome   canceled")
            assert await asyncio.to_thread(terminal.ends) == 0


async def test_a_fleet_that_does_not_know_the_trunk_yet_calls_nobody(folder: Path, api_url: str) -> None:
    """It was up before .env was written and knows the simulated trunk only: I read to start it again, and what to type then."""
    with Terminal(folder, "connect", "twilio", API_PORT=api_url.rpartition(":")[2]) as terminal:
        await asyncio.to_thread(terminal.sees, CALL)
        terminal.types(NUMBER)
        assert await asyncio.to_thread(terminal.ends) == 0
    assert "There is no trunk 'default'" in terminal.screen and "./voicefleet down, then" in terminal.screen
    assert f"./voicefleet call {NUMBER} --watch" in terminal.screen and "outbound-" not in terminal.screen
