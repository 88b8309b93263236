"""A livekit-server that shares its rooms by Redis dies: its rooms stay listed, and can still be closed."""

import asyncio

import pytest
from livekit import api

from modules.fleet import LIVEKIT
from modules.fleet.plan import REDIS
from modules.outbound_orchestrator.rooms import UNREACHABLE, Rooms
from tests.fleets import running

pytestmark = [pytest.mark.livekit, pytest.mark.timeout(120)]

ROOM = "outbound-x-1"


async def test_a_room_that_outlived_its_server_is_closed_by_the_next() -> None:
    """The server crashed in the middle of a call: its room does not hold the call's slot for ever."""
    async with running(parts=(REDIS, LIVEKIT), stores_trunks=True) as fleet:
        secret = fleet.settings.livekit_api_secret.get_secret_value()
        async with api.LiveKitAPI(fleet.settings.http_url, fleet.settings.livekit_api_key, secret) as lkapi:
            rooms = Rooms(lkapi, "voicefleet")
            await lkapi.room.create_room(api.CreateRoomRequest(name=ROOM, empty_timeout=600))
            await fleet.halt(LIVEKIT, hard=True)
            await fleet.resume(LIVEKIT)
            assert [room.name for room in await rooms.list()] == [ROOM]
            with pytest.raises(api.ServerError, match="no response"):
                await lkapi.room.delete_room(api.DeleteRoomRequest(room=ROOM))
            async with asyncio.timeout(60):
                while not await closed(rooms):  # noqa: ASYNC110 - it happens in another process
                    await asyncio.sleep(0.5)
            assert await rooms.list() == []


async def closed(rooms: Rooms) -> bool:
    """Try as the reaper does; whether it worked."""
    try:
        await rooms.close(ROOM)
    except UNREACHABLE:
        return False
    return True
