"""Callers to whom no agent has come: one is asked for again, and whoever nobody could come to is on record and let go."""

import pytest
from livekit import api

from modules.call_queue_manager import FrontDoor, SourceLimits
from modules.calls import Event, Outcome, Report, State, arriving
from modules.outbound_orchestrator.lobby import AGAIN_S, PROMISED_S, Lobby
from tests.orchestrator.conftest import Desk
from tests.room_service import RoomService

pytestmark = pytest.mark.redis

ROOM = "inbound-_+12025550111_a"
RULE = '{"direction":"inbound","personality":"front_desk"}'
PHONE = {"sip.phoneNumber": "+12025550111", "sip.trunkPhoneNumber": "+12025550140", "sip.simulated": "true"}


@pytest.fixture
def rings(livekit: RoomService) -> None:
    """Somebody calls: their room is there, and LiveKit has asked one worker for an agent."""
    livekit.has(api.CreateRoomRequest(name=ROOM, agents=[api.RoomAgentDispatch(agent_name="voicefleet", metadata=RULE)]))
    livekit.phones[ROOM] = PHONE


class Later:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def later() -> Later:
    return Later()


def a_lobby(desk: Desk, later: Later) -> Lobby:
    return Lobby(FrontDoor(desk.store, lease_s=7), desk.records, desk.rooms, desk.settings, later)


async def looks(desk: Desk, found: Lobby, later: Later, after_s: float) -> None:
    later.now_s += after_s
    await found.sweep()


@pytest.mark.usefixtures("rings")
async def test_a_caller_to_whom_nobody_comes_is_offered_again(desk: Desk, livekit: RoomService, later: Later) -> None:
    """LiveKit asked a worker that was starting up and forgot my caller; with the same words another is asked."""
    first, second = a_lobby(desk, later), a_lobby(desk, later)
    await first.sweep()
    await second.sweep()
    assert len(livekit.rooms[ROOM].agents) == 1
    for _ in range(2):
        await looks(desk, first, later, AGAIN_S / 2)
        await second.sweep()
    assert [offer.metadata for offer in livekit.rooms[ROOM].agents] == [RULE] * 2


@pytest.mark.usefixtures("rings")
async def test_an_agent_on_its_way_is_given_time(desk: Desk, livekit: RoomService, later: Later) -> None:
    """A worker has said yes: its process may start slowly, and each agent too many would make it slower."""
    livekit.promised.add(ROOM)
    found = a_lobby(desk, later)
    await found.sweep()
    await looks(desk, found, later, PROMISED_S - 1)
    assert len(livekit.rooms[ROOM].agents) == 1
    await looks(desk, found, later, 1)
    assert len(livekit.rooms[ROOM].agents) == 2


@pytest.mark.usefixtures("rings")
async def test_a_caller_nobody_came_to_is_on_record(desk: Desk, livekit: RoomService, later: Later) -> None:
    """No worker had room until the end: the ringing stops, and I can see who called."""
    found = a_lobby(desk, later)
    await found.sweep()
    await looks(desk, found, later, desk.settings.ring_timeout_s)
    assert ROOM not in livekit.rooms
    call_id = await FrontDoor(desk.store, lease_s=7).call_in(ROOM)
    assert call_id
    call = await desk.records.load(call_id)
    assert (call.state, call.outcome, call.reason.partition(":")[0]) == (State.ENDED, Outcome.BLOCKED, "full_house")
    assert (call.from_number, call.to_number, call.simulated) == ("+12025550111", "+12025550140", True)
    assert (await desk.queue.waiting())["held"] == 0


@pytest.mark.usefixtures("rings")
async def test_a_call_that_has_its_agent_is_left_alone_until_it_is_over(desk: Desk, livekit: RoomService, later: Later) -> None:
    """While they talk nobody comes in; a room that outlives its call is closed."""
    door, found = FrontDoor(desk.store, lease_s=7), a_lobby(desk, later)
    call = arriving(desk.records.now(), from_number="+12025550111", room=ROOM)
    _, held = await door.arrive(call, most=1, limits=SourceLimits(0, 0))
    await looks(desk, found, later, 100)
    assert len(livekit.rooms[ROOM].agents) == 1
    gone = Report(Event.ATTEMPT_FAILED, Outcome.NO_ANSWER)
    await desk.records.report(held.call.call_id, gone, token=held.token)
    await found.sweep()
    assert ROOM not in livekit.rooms


async def test_other_agents_rooms_are_not_ours(desk: Desk, livekit: RoomService, later: Later) -> None:
    """Somebody else's agents answer in rooms that happen to be called alike; nothing is done about those."""
    livekit.has(api.CreateRoomRequest(name=ROOM, agents=[api.RoomAgentDispatch(agent_name="somebody_else")]))
    found = a_lobby(desk, later)
    await found.sweep()
    await looks(desk, found, later, 100)
    assert len(livekit.rooms[ROOM].agents) == 1


@pytest.mark.usefixtures("rings")
async def test_an_agent_that_died_while_it_rang_ends_the_call_as_failed(desk: Desk, livekit: RoomService) -> None:
    """Nobody had answered, and that is known: it is no call that may have rung or not."""
    call = arriving(desk.records.now(), from_number="+12025550111", room=ROOM)
    _, held = await FrontDoor(desk.store, lease_s=7).arrive(call, most=1, limits=SourceLimits(0, 0))
    reaper = desk.reaper()
    await reaper.sweep()
    desk.clock.passes(seconds=2)
    for _ in range(5):
        desk.clock.passes(seconds=2)
        await reaper.sweep()
    ended = await desk.records.load(held.call.call_id)
    assert (ended.state, ended.outcome) == (State.ENDED, Outcome.AGENT_FAILED)
    assert ROOM not in livekit.rooms
