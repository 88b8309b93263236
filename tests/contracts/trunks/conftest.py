"""A livekit-server with nothing stored, and a fleet with one Twilio trunk, for each test of this folder."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from livekit import api

from config import Settings
from modules.sip_management.client import sip_client
from modules.sip_management.shelves import everything, id_of, shelves
from tests.contracts.trunks.steps import PASSWORD
from tests.trunk_server import trunk_server


@pytest.fixture(scope="module")
def livekit_url(redis_url: str) -> Iterator[str]:
    with trunk_server(redis_url) as url:
        yield url


@pytest.fixture
def fleet() -> str:
    """A fleet of this test's own, so that what other tests store is foreign to it."""
    return f"fleet-{uuid4().hex[:8]}"


@pytest.fixture
def mine(settings: Settings, livekit_url: str, fleet: str, tmp_path: Path) -> Settings:
    """A Twilio trunk from four values, and room for a trunks.yaml."""
    values = {
        "livekit_url": livekit_url, "livekit_agent_name": fleet, "sip_trunk_hostname": "me.pstn.twilio.com",
        "sip_auth_username": "me", "sip_from_number": "+12025550100", "sip_trunks_file": tmp_path / "trunks.yaml",
    }  # fmt: skip
    return Settings(**(settings.model_dump() | values | {"sip_auth_password": PASSWORD}))


@pytest.fixture
async def lkapi(mine: Settings) -> AsyncIterator[api.LiveKitAPI]:
    """livekit-server's SIP API, with nothing stored."""
    async with sip_client(mine) as client:
        for noun, things in (await everything(client)).items():
            for thing in things:
                await shelves(client)[noun].delete(id_of(noun, thing))
        yield client
