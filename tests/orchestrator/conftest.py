"""The orchestrator's parts on a real Redis and a room service that a test can break."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from livekit import api

from config import Settings, policy
from modules.call_queue_manager import CallQueue, FrontDoor, Held, Records, Store, Worker, Workers
from modules.calls import Call
from modules.calls.gate import Policy
from modules.outbound_orchestrator.lobby import Lobby
from modules.outbound_orchestrator.loop import Orchestrator
from modules.outbound_orchestrator.place_call import Placer
from modules.outbound_orchestrator.reaper import Reaper
from modules.outbound_orchestrator.rooms import Rooms
from modules.outbound_orchestrator.second_offer import SecondOffer
from tests.fleet_clock import Clock
from tests.phone_calls import a_call
from tests.room_service import RoomService

SECRET = "only-for-tests-0123456789-0123456789-abcdef"


@pytest.fixture
async def livekit() -> AsyncIterator[RoomService]:
    service = RoomService()
    await service.open()
    yield service
    await service.close()


@pytest.fixture
async def rooms(livekit: RoomService) -> AsyncIterator[Rooms]:
    lkapi = api.LiveKitAPI(livekit.url, "testing", SECRET)
    yield Rooms(lkapi, "voicefleet")
    await lkapi.aclose()


@dataclass(frozen=True, slots=True)
class Desk:
    """One orchestrator's parts and the calls it is given."""

    store: Store
    queue: CallQueue
    records: Records
    rooms: Rooms
    settings: Settings
    clock: Clock

    def placer(self, allowed: Policy | None = None) -> Placer:
        return Placer(self.queue, self.records, self.rooms, allowed or policy(self.settings))

    def reaper(self) -> Reaper:
        return Reaper(self.queue, self.records, self.rooms)

    def second_offer(self) -> SecondOffer:
        return SecondOffer(self.queue, self.records, self.rooms, within_s=self.settings.place_timeout_s)

    def lobby(self) -> Lobby:
        return Lobby(FrontDoor(self.store, lease_s=7), self.records, self.rooms, self.settings)

    def orchestrator(self, settings: Settings | None = None) -> Orchestrator:
        return Orchestrator(
            settings or self.settings, self.queue, Workers(self.store), self.placer(), self.second_offer(), self.lobby(),
            self.reaper(),
        )  # fmt: skip

    async def a_worker(self, slots: int = 10) -> None:
        """A worker with free slots says that it is alive."""
        await Workers(self.store).beat(Worker("worker", slots, 0))

    async def queued(self, **facts: object) -> Call:
        call = a_call(self.clock.now(), **facts)
        await self.queue.enqueue(call)
        return call

    async def claimed(self, **facts: object) -> Held:
        await self.queued(**facts)
        held = await self.queue.claim(limit=100, calls_per_second=100, lease_s=7)
        assert held
        return held

    async def placed(self, **facts: object) -> Held:
        """A call whose room is open and whose agent is on its way."""
        held = await self.claimed(**facts)
        await self.placer().place(held)
        return Held(await self.records.load(held.call.call_id), held.token)

    async def now(self, held: Held) -> Call:
        return await self.records.load(held.call.call_id)


@pytest.fixture
def clock(store: Store) -> Clock:
    return Clock(store)


@pytest.fixture
def desk(store: Store, queue: CallQueue, records: Records, rooms: Rooms, settings: Settings, clock: Clock) -> Desk:
    return Desk(store, queue, records, rooms, settings, clock)
