"""Rooms as the orchestrator uses them: the real livekit-server and the tests' stand-in behave alike where it matters."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from livekit import api

from modules.calls.job import CallJob
from modules.outbound_orchestrator.rooms import UNREACHABLE, Rooms
from tests.contracts.conftest import Network
from tests.room_service import RoomService

pytestmark = pytest.mark.livekit

JOB = CallJob(call_id="outbound-20261121-120000-abcdef", attempt=1, token=1)
SECRET = "only-for-tests-0123456789-0123456789-abcdef"


@pytest.fixture(params=["stand-in", "livekit-server"])
async def lkapi(request: pytest.FixtureRequest, rooms: api.LiveKitAPI) -> AsyncIterator[api.LiveKitAPI]:
    """The API of either. `rooms` is livekit-server's."""
    if request.param == "livekit-server":
        yield rooms
        return
    service = RoomService()
    await service.open()
    async with api.LiveKitAPI(service.url, "testing", SECRET) as client:
        yield client
    await service.close()


async def test_rooms_are_made_found_and_deleted(lkapi: api.LiveKitAPI, room: str) -> None:
    """A room exists from its making to its deletion, with the time it was opened; deleting it again is fine."""
    ours = Rooms(lkapi, "voicefleet")
    before = datetime.now(UTC) - timedelta(seconds=2)
    await ours.open(room, JOB)
    (found,) = [one for one in await ours.list() if one.name == room]
    assert before <= found.opened_at <= datetime.now(UTC) + timedelta(seconds=2)
    await ours.close(room)
    assert room not in {one.name for one in await ours.list()}
    await ours.close(room)


async def test_a_room_that_exists_is_not_made_twice(lkapi: api.LiveKitAPI, room: str) -> None:
    """Repeating the request sends no second agent: the room stays the one it was."""
    ours, only = Rooms(lkapi, "voicefleet"), api.ListRoomsRequest(names=[room])
    await ours.open(room, JOB)
    first = await lkapi.room.list_rooms(only)
    await ours.open(room, JOB)
    second = await lkapi.room.list_rooms(only)
    assert [one.sid for one in first.rooms] == [one.sid for one in second.rooms] != []
    await ours.close(room)


async def test_a_server_that_does_not_know_our_key_is_unreachable(network: Network, room: str) -> None:
    """A wrong key is met like an outage: nothing was made, and the call is not lost."""
    async with api.LiveKitAPI(network.livekit_url.replace("ws", "http", 1), "somebody", SECRET) as client:
        with pytest.raises(UNREACHABLE):
            await Rooms(client, "voicefleet").open(room, JOB)


async def test_an_agent_can_be_asked_for_again(lkapi: api.LiveKitAPI, room: str) -> None:
    """How often one was asked for is counted; a room that is gone has asked nobody."""
    ours = Rooms(lkapi, "voicefleet")
    await ours.open(room, JOB)
    assert len(await ours.our_offers(room)) == 1
    await ours.offer_again(room, JOB)
    assert len(await ours.our_offers(room)) == 2
    await ours.close(room)
    assert len(await ours.our_offers(room)) == 0
