"""A real livekit-server tells the API what it sees: a phone's ids are in its call, a dead agent's call ends without its lease."""

import time
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from modules.fleet import WORKER
from tests.callers import Caller, caller_of
from tests.fleets import running

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

LEASE_S = 120


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller() -> AsyncIterator[Caller]:
    """Somebody whose fleet has such long leases that nothing here can be the work of one that ran out."""
    async with running(env={"LEASE_S": str(LEASE_S), "CALLS_PER_SECOND": "4"}) as fleet:
        caller = caller_of(fleet)
        yield caller
        await caller.http.aclose()


async def event_types(caller: Caller, call_id: str) -> list[str]:
    async with caller.http.stream("GET", f"/v1/calls/{call_id}/events") as stream:
        return [line.removeprefix("event: ") async for line in stream.aiter_lines() if line.startswith("event: ")]


async def test_a_killed_agents_call_ends_on_livekits_word(caller: Caller) -> None:
    """I kill the worker in the middle of a call: LiveKit says that its agent left, and nobody waits two minutes for a lease."""
    call_id = await caller.place("+12025550111", personality="short_notice")
    assert (await caller.state_is(call_id, "in_progress"))["state"] == "in_progress"
    struck = time.monotonic()
    await caller.fleet.kill(WORKER)
    call = await caller.end_of(call_id, within_s=60)
    print(f"ended {time.monotonic() - struck:.1f} s after the worker was killed")
    assert call["outcome"] == "agent_failed"
    assert len(await caller.dials(call_id)) == 1
    assert "call.leg_joined" in await event_types(caller, call_id)
    async with httpx2.AsyncClient() as client:
        counted = (await client.get(f"{caller.fleet.api_url}/metrics")).text
    assert 'voicefleet_webhooks_total{kind="participant_left",result="doubted",sender="livekit"}' in counted
