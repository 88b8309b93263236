"""An agent that never came is asked for again, while there is time; one that came is left alone."""

import pytest

from modules.outbound_orchestrator.second_offer import AGAIN_S
from tests.orchestrator.conftest import Desk
from tests.room_service import RoomService

pytestmark = pytest.mark.redis


async def offers(desk: Desk, livekit: RoomService, room: str | None) -> int:
    """Let two orchestrators look; return how many agents were asked into the room by now."""
    await desk.second_offer().sweep()
    await desk.second_offer().sweep()
    return len(livekit.rooms[room or ""].agents)


async def test_a_job_that_a_worker_lost_is_offered_again(desk: Desk, livekit: RoomService) -> None:
    """The process that should make my call died before it began: another is sent long before the call's lease runs out."""
    held = await desk.placed()
    room = held.call.room
    assert await offers(desk, livekit, room) == 1
    desk.clock.passes(seconds=AGAIN_S + 1)
    assert await offers(desk, livekit, room) == 2
    first, second = livekit.rooms[room or ""].agents
    assert first.metadata == second.metadata
    desk.clock.passes(seconds=AGAIN_S)
    assert await offers(desk, livekit, room) == 3
    desk.clock.passes(seconds=AGAIN_S)
    assert await offers(desk, livekit, room) == 3, "the reaper is about to take it"


async def test_an_agent_that_came_is_not_sent_another(desk: Desk, livekit: RoomService) -> None:
    """Its call only waits for the carrier's pace."""
    held = await desk.placed()
    await desk.records.take(held, "call.agent_ready", worker_id="worker")
    desk.clock.passes(seconds=AGAIN_S + 1)
    assert await offers(desk, livekit, held.call.room) == 1


async def test_a_room_that_is_gone_gets_nobody(desk: Desk, livekit: RoomService) -> None:
    """LiveKit was started again: its room cannot be joined, and the other calls are still looked after."""
    gone, here = await desk.placed(), await desk.placed()
    await desk.rooms.close(gone.call.room or "")
    desk.clock.passes(seconds=AGAIN_S + 1)
    assert await offers(desk, livekit, here.call.room) == 2
