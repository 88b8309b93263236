"""Redis is gone for ten seconds. New calls are refused, calls that are going on go on, and afterwards everything does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from modules.fleet import REDIS
from tests.callers import Caller, caller_of
from tests.fleets import running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(200), pytest.mark.asyncio(loop_scope="module")]

AWAY_S = 10


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller() -> AsyncIterator[Caller]:
    async with running(env={"CALLS_PER_SECOND": "4"}) as fleet:
        caller = caller_of(fleet)
        yield caller
        await caller.http.aclose()


async def test_a_stopped_redis_is_answered_503_and_costs_no_call(caller: Caller) -> None:
    """While Redis hung I was told to try again; my running call was not cut, the refused one never placed."""
    talking = await caller.place("+12025550112", max_call_s=20)
    await caller.state_is(talking, "in_progress")
    redis = caller.fleet.part(REDIS).pid
    os.kill(redis, signal.SIGSTOP)
    try:
        refused = await caller.http.post("/v1/calls", json={"to_number": "+12025550111"})
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        await asyncio.sleep(AWAY_S)
    finally:
        os.kill(redis, signal.SIGCONT)
    later = await caller.place("+12025550111")
    assert (await caller.end_of(later))["outcome"] == "completed"
    talked = await caller.end_of(talking)
    assert (talked["outcome"], talked["reason"]) == ("completed", "The call reached its time limit.")
    assert sorted(dial["call_id"] for dial in await caller.dials()) == sorted([talking, later])


async def test_a_killed_redis_loses_nothing_it_had_confirmed(caller: Caller) -> None:
    """Redis was killed with my calls waiting in it. It came back, and every call that had been accepted was made, once."""
    placed = [await caller.place("+12025550111", personality="short_notice") for _ in range(8)]
    await caller.fleet.kill(REDIS)
    await caller.fleet.ready(REDIS)
    ended = await asyncio.gather(*(caller.end_of(call_id, within_s=120) for call_id in placed))
    assert {call["outcome"] for call in ended} <= {"completed", "infrastructure", "agent_failed", "indeterminate"}
    attempts = [(dial["call_id"], dial["attempt"]) for dial in await caller.dials()]
    assert len(attempts) == len(set(attempts))
