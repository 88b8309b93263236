"""A worker is replaced while people are on the phone: it finishes its calls and takes no new ones."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from modules.fleet import WORKER, Fleet
from tests.callers import caller_of
from tests.fleets import running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    async with running(env={"CALLS_PER_SECOND": "4"}) as fleet:
        yield fleet


async def test_a_worker_that_is_told_to_stop_cuts_no_call(fleet: Fleet) -> None:
    """I upgraded a worker in the middle of my calls. None was cut, and the calls that waited were made by the next worker."""
    caller = caller_of(fleet)
    talking = [await caller.place("+12025550112", max_call_s=20) for _ in range(3)]
    for call_id in talking:
        await caller.state_is(call_id, "in_progress")
    os.kill(fleet.part(WORKER).pid, signal.SIGTERM)
    waiting = [await caller.place("+12025550111", personality="short_notice") for _ in range(2)]
    ended = await asyncio.gather(*(caller.end_of(call_id, within_s=150) for call_id in talking + waiting))
    assert {call["outcome"] for call in ended} == {"completed"}
    assert {call["reason"] for call in ended[:3]} == {"The call reached its time limit."}
    assert len(await caller.dials()) == len(ended)
    await caller.http.aclose()
