"""One fleet for every test of this folder, as a user has one: only the phone network is simulated; redis, livekit-server and
all of ours are real.

It runs until the whole run ends, and this folder is the last that runs fleets. Each test looks at its own calls.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from modules.fleet import Fleet
from modules.fleet.last_words import last_words
from modules.setup.places import PROJECT
from tests.callers import Caller, caller_of
from tests.fleets import running

FAST = {"CALLS_PER_SECOND": "4", "MAX_CONCURRENT_CALLS": "6", "RING_TIMEOUT_S": "4"}


@pytest.fixture(scope="session")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The personalities' folder, to be edited."""
    folder = tmp_path_factory.mktemp("one_fleet") / "agents"
    shutil.copytree(PROJECT / "agents", folder)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fleet(request: pytest.FixtureRequest, agents: Path) -> AsyncIterator[Fleet]:
    failed = request.session.testsfailed
    async with running(env=FAST | {"AGENTS_DIR": str(agents)}) as fleet:
        yield fleet
        if request.session.testsfailed > failed:
            print("\n".join(last_words(fleet.logs)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def caller(fleet: Fleet) -> AsyncIterator[Caller]:
    caller = caller_of(fleet)
    yield caller
    await caller.http.aclose()
