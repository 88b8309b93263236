"""livekit-server dies in the middle of calls and comes back. The phones' legs come back too, into rooms where nobody speaks."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit import api

from modules.fleet import LIVEKIT
from tests.callers import Caller, caller_of
from tests.fleets import running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

TALKER, NEVER_ANSWERS, SHORT = "+12025550112", "+12025550104", "+12025550111"


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with running(env={"CALLS_PER_SECOND": "4", "RING_TIMEOUT_S": "6", "PLACE_TIMEOUT_S": "10"}) as fleet:
        caller = caller_of(fleet)
        yield caller
        await caller.http.aclose()


async def test_a_livekit_that_dies_leaves_no_line_open_and_loses_no_waiting_call(caller: Caller) -> None:
    """LiveKit crashed: whoever was on the phone was hung up on, nobody was rung twice, and the calls that waited were made."""
    talking, ringing = [await caller.place(TALKER, max_call_s=60) for _ in range(2)], await caller.place(NEVER_ANSWERS)
    for call_id in talking:
        await caller.state_is(call_id, "in_progress")
    await caller.state_is(ringing, "ringing")
    await caller.fleet.halt(LIVEKIT, hard=True)
    waiting = [await caller.place(SHORT, personality="short_notice") for _ in range(6)]
    await asyncio.sleep(2)
    await caller.fleet.resume(LIVEKIT)
    cut = [await caller.hung_up(call_id, within_s=20) for call_id in (*talking, ringing)]
    ended = await asyncio.gather(*(caller.end_of(call_id, within_s=120) for call_id in (*talking, ringing, *waiting)))
    # An agent may find out by its own silence before it learns that the line is gone.
    assert {call["outcome"] for call in ended[:2]} <= {"infrastructure", "completed", "agent_failed"}
    assert {call["outcome"] for call in ended[3:]} == {"completed"}
    assert {dial["attempt"] for dial in cut} == {"1"}
    dials = [(dial["call_id"], dial["attempt"]) for dial in await caller.dials()]
    assert len(dials) == len(set(dials))
    assert await rooms_of(caller) == []


async def rooms_of(caller: Caller) -> list[str]:
    """Return the rooms that are still there a moment after the last call."""
    settings = caller.fleet.settings
    lkapi = api.LiveKitAPI(settings.http_url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
    try:
        async with asyncio.timeout(15):
            while found := (await lkapi.room.list_rooms(api.ListRoomsRequest())).rooms:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.5)
        return [room.name for room in found]
    finally:
        await lkapi.aclose()
