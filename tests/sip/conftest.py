"""A whole fleet with a real livekit-sip between it and SIPp, all on loopback: docs/real-sip.md.

tests/conftest.py leaves this folder out where LIVEKIT_SIP_BIN or `sipp` is missing.
"""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from livekit import api

from modules.conversation.personalities import Personalities
from modules.fleet import API, LIVEKIT, ORCHESTRATOR, REDIS, SIP, WORKER, Fleet, Plan
from modules.fleet.last_words import last_words
from modules.fleet.ports import Ports
from modules.setup.places import PROJECT
from tests.callers import Caller, caller_of
from tests.ways_in import let_in

HERE = Path(__file__).parent
PHONES = ("refuse", "ring", "stay", "leave")
OURS, LIBRARY = "+12025550177", "+12025550140"


@dataclass(frozen=True, slots=True)
class Wire:
    """The fleet, who uses it, and where SIPp plays which scene. A trunk is called as its scene."""

    fleet: Fleet
    caller: Caller
    lkapi: api.LiveKitAPI
    ports: dict[str, int]
    folder: Path

    async def place(self, trunk: str, number: str = "+12025550100", **body: Any) -> str:
        return await self.caller.place(number, **({"personality": "reader", "trunk": trunk} | body))

    async def rooms(self) -> int:
        return len((await self.lkapi.room.list_rooms(api.ListRoomsRequest())).rooms)

    async def came_in(self) -> list[dict[str, Any]]:
        """Return the calls that came in."""
        answer = await self.caller.http.get("/v1/calls", params={"direction": "inbound", "limit": 200})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["calls"]
        return found


def _trunks(ports: dict[str, int]) -> str:
    trunks: dict[str, Any] = {name: {"hostname": f"127.0.0.1:{ports[name]}", "from_number": OURS} for name in PHONES}
    # What leaves over this one comes in again: livekit-sip calls itself.
    trunks["loop"] = {
        "hostname": f"127.0.0.1:{ports['livekit-sip']}", "from_number": OURS,
        "inbound": {"numbers": [LIBRARY], "allowed_addresses": ["127.0.0.1/32"]},
    }  # fmt: skip
    return yaml.safe_dump({"trunks": trunks}, sort_keys=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    folder, free = tmp_path_factory.mktemp("sip"), Ports()
    ports = {name: free.take() for name in (*PHONES, "livekit-sip", "stranger")}
    (folder / "trunks.yaml").write_text(_trunks(ports))
    agents, prompts, spoken = (folder / name for name in ("agents", "prompts", "scenarios"))
    # What the project ships is beside what these tests add, so that `doctor --loop` finds its own agents.
    for given, ours, copy in (("agents", "agents", agents), ("scenarios", "scripts", spoken)):
        shutil.copytree(PROJECT / given, copy)
        shutil.copytree(HERE / ours, copy, dirs_exist_ok=True)
    shutil.copytree(PROJECT / "prompts", prompts)
    shutil.copytree(HERE / "scripts", prompts / "scripts", dirs_exist_ok=True)
    env = {
        "SIP_API_URL": "", "SIP_TRUNKS_FILE": str(folder / "trunks.yaml"), "SIP_PORT": str(ports["livekit-sip"]),
        "AGENTS_DIR": str(agents), "PROMPTS_DIR": str(prompts), "SCENARIOS_DIR": str(spoken),
        "DEFAULT_PERSONALITY": "reader", "CALLS_PER_SECOND": "10", "MAX_CONCURRENT_CALLS": "4", "WORKER_SLOTS": "6",
        "RING_TIMEOUT_S": "12",
    }  # fmt: skip
    parts = (REDIS, LIVEKIT, SIP, API, ORCHESTRATOR, WORKER)
    failed = request.session.testsfailed
    async with Fleet(Plan(parts=parts, stores_trunks=True, env=env)) as fleet:
        secret = fleet.settings.livekit_api_secret.get_secret_value()
        async with api.LiveKitAPI(fleet.settings.http_url, fleet.settings.livekit_api_key, secret) as lkapi:
            made = await let_in(fleet.settings, lkapi, Personalities(agents, prompts).answering())
            assert not [change.refused for change in made if change.refused]
            caller = caller_of(fleet)
            yield Wire(fleet, caller, lkapi, ports, folder)
            await caller.http.aclose()
        if request.session.testsfailed > failed:
            print("\n".join(last_words(fleet.logs)))
