"""A whole fleet for these tests: only the phone network is simulated; redis, livekit-server and all of ours are real.

One fleet serves a module (its tests share one event loop); each test looks at its own calls.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from modules.fleet import Fleet
from modules.fleet.last_words import last_words
from tests.callers import Caller, caller_of
from tests.fleets import running

FAST = {"CALLS_PER_SECOND": "4", "MAX_CONCURRENT_CALLS": "6", "RING_TIMEOUT_S": "4"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(request: pytest.FixtureRequest) -> AsyncIterator[Fleet]:
    failed = request.session.testsfailed
    async with running(env=FAST) as fleet:
        yield fleet
        if request.session.testsfailed > failed:
            print("\n".join(last_words(fleet.logs)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(fleet: Fleet) -> AsyncIterator[Caller]:
    caller = caller_of(fleet)
    yield caller
    await caller.http.aclose()
