"""LiveKit rooms as the orchestrator uses them: made with an agent on its way, deleted to end whatever is in them."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from livekit import api
from livekit.protocol.agent import JobStatus
from livekit.protocol.models import ParticipantInfo

from modules.calls.deadlines import PACING_S
from modules.calls.job import CallJob
from modules.sip_management.phone import Phone, trunk_of

# Nobody but the agent is in a room until the phone is dialled; LiveKit closes such a room after this long.
EMPTY_S = PACING_S + 45
# After the phone has left, the agent has this long to leave by itself.
DEPARTURE_S = 10
_ANSWER_S = 5
_AT_IT = (JobStatus.JS_PENDING, JobStatus.JS_RUNNING)
UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError, api.ServerError)


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """A room that exists now."""

    name: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An agent was asked for. `taken`: a worker has said yes and has not failed since; its agent may still be on its way."""

    metadata: str
    taken: bool


class Rooms:
    """The rooms of one livekit-server cluster. Every method raises one of UNREACHABLE when LiveKit does not answer."""

    def __init__(self, lkapi: api.LiveKitAPI, agent_name: str) -> None:
        self._api = lkapi
        self._agent_name = agent_name
        self._away = False

    async def there(self) -> None:
        """Return when LiveKit can be asked for a room; costs a request only where the last room could not be made."""
        if self._away:
            await self.list()
            self._away = False

    async def open(self, name: str, job: CallJob) -> None:
        """Make a room and send an agent into it. Repeating it sends no second agent: an existing room ignores `agents`."""
        dispatch = api.RoomAgentDispatch(agent_name=self._agent_name, metadata=job.model_dump_json())
        asked = api.CreateRoomRequest(
            name=name, empty_timeout=EMPTY_S, departure_timeout=DEPARTURE_S, max_participants=4, agents=[dispatch]
        )
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._api.room.create_room(asked)
        except UNREACHABLE:
            self._away = True
            raise

    async def our_offers(self, name: str) -> list[Offer]:
        """Return how an agent of ours was asked into a room, each time; [] where there is no such room."""
        async with asyncio.timeout(_ANSWER_S):
            found = await self._api.room.list_rooms(api.ListRoomsRequest(names=[name]))
            # Asked about a room that is gone, LiveKit answers after seconds, and like one that is broken.
            asked = await self._api.agent_dispatch.list_dispatch(name) if found.rooms else []
        return [
            Offer(offer.metadata, any(job.state.status in _AT_IT for job in offer.state.jobs))
            for offer in asked if offer.agent_name == self._agent_name
        ]  # fmt: skip

    async def phone(self, name: str, default_region: str) -> Phone | None:
        """Return the phone that rings in a room, if one does."""
        async with asyncio.timeout(_ANSWER_S):
            there = await self._api.room.list_participants(api.ListParticipantsRequest(room=name))
        phones = [one for one in there.participants if one.kind == ParticipantInfo.Kind.SIP]
        return Phone.of(phones[0].identity, phones[0].attributes, default_region) if phones else None

    async def trunk_of(self, phone: Phone) -> str:
        """Return the name of the trunk that a phone came in over."""
        return await trunk_of(self._api, phone, self._agent_name)

    async def offer_again(self, name: str, job: CallJob | str) -> None:
        """Ask for an agent once more, with this job or metadata."""
        metadata = job if isinstance(job, str) else job.model_dump_json()
        asked = api.CreateAgentDispatchRequest(agent_name=self._agent_name, room=name, metadata=metadata)
        async with asyncio.timeout(_ANSWER_S):
            await self._api.agent_dispatch.create_dispatch(asked)

    async def close(self, name: str) -> None:
        """Delete a room: an agent in it leaves, a phone in it is hung up, a ringing one stops. A missing room is fine."""
        async with asyncio.timeout(_ANSWER_S):
            try:
                await self._delete(name)
            except api.ServerError as error:
                if error.code != "unavailable":
                    raise
                # The livekit-server that had the room died, and Redis still lists it: a living one takes it over when asked to
                # make it, from 5 s after the death.
                await self._api.room.create_room(api.CreateRoomRequest(name=name, empty_timeout=1))
                await self._delete(name)

    async def _delete(self, name: str) -> None:
        try:
            await self._api.room.delete_room(api.DeleteRoomRequest(room=name))
        except api.ServerError as error:
            if error.code != "not_found":
                raise

    async def list(self) -> list[OpenRoom]:
        """Return the rooms that exist."""
        async with asyncio.timeout(_ANSWER_S):
            found = await self._api.room.list_rooms(api.ListRoomsRequest())
        return [OpenRoom(room.name, datetime.fromtimestamp(room.creation_time, UTC)) for room in found.rooms]
