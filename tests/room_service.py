"""A stand-in for LiveKit's room service: real Twirp over a real socket, rooms in memory, failures on request.

It knows rooms and who was asked into them: no media, no agents.
tests/contracts/test_room_service.py runs the same checks against it and livekit-server.
"""

import time
from dataclasses import dataclass, field

from aiohttp import web
from google.protobuf.message import Message
from livekit import api
from livekit.protocol.agent import Job, JobState, JobStatus
from livekit.protocol.agent_dispatch import AgentDispatchState
from livekit.protocol.models import ParticipantInfo, Room

_PATH = "/twirp/livekit.RoomService/"
_DISPATCH_PATH = "/twirp/livekit.AgentDispatchService/"


@dataclass(slots=True)
class RoomService:
    """Rooms by name, each with the dispatches it was made with. `failing` is answered instead while it is set."""

    rooms: dict[str, api.CreateRoomRequest] = field(default_factory=dict)
    opened_at: dict[str, int] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    phones: dict[str, dict[str, str]] = field(default_factory=dict)
    """The `sip.*` attributes of the phone in a room."""
    promised: set[str] = field(default_factory=set)
    """Rooms into which a worker has promised an agent."""
    failing: str = ""
    url: str = ""
    _runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen on a free port of this machine."""
        app = web.Application()
        app.router.add_post(_PATH + "CreateRoom", self._create)
        app.router.add_post(_PATH + "DeleteRoom", self._delete)
        app.router.add_post(_PATH + "ListRooms", self._list)
        app.router.add_post(_PATH + "ListParticipants", self._list_participants)
        app.router.add_post(_DISPATCH_PATH + "ListDispatch", self._list_dispatch)
        app.router.add_post(_DISPATCH_PATH + "CreateDispatch", self._create_dispatch)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def has(self, room: api.CreateRoomRequest) -> None:
        """Let a room be there that others have made."""
        self.rooms[room.name] = room
        self.opened_at[room.name] = int(time.time())

    async def _create(self, request: web.Request) -> web.Response:
        asked = api.CreateRoomRequest.FromString(await request.read())
        if self.failing:
            return self._fault(self.failing)
        if asked.name not in self.rooms:  # an existing room ignores its dispatch, as livekit-server does
            self.rooms[asked.name] = asked
            self.made.append(asked.name)
            self.opened_at[asked.name] = int(time.time())
        return self._answer(self._room(asked.name))

    async def _delete(self, request: web.Request) -> web.Response:
        asked = api.DeleteRoomRequest.FromString(await request.read())
        if self.failing:
            return self._fault(self.failing)
        if self.rooms.pop(asked.room, None) is None:
            return self._fault("not_found")
        return self._answer(api.DeleteRoomResponse())

    async def _list(self, request: web.Request) -> web.Response:
        asked = api.ListRoomsRequest.FromString(await request.read())
        if self.failing:
            return self._fault(self.failing)
        names = set(asked.names) or set(self.rooms)
        return self._answer(api.ListRoomsResponse(rooms=[self._room(name) for name in self.rooms if name in names]))

    async def _list_participants(self, request: web.Request) -> web.Response:
        asked = api.ListParticipantsRequest.FromString(await request.read())
        if self.failing or asked.room not in self.rooms:
            return self._fault(self.failing or "not_found")
        there = [self.phones[asked.room]] if asked.room in self.phones else []
        found = [ParticipantInfo(identity="sip_x", kind=ParticipantInfo.Kind.SIP, attributes=phone) for phone in there]
        return self._answer(api.ListParticipantsResponse(participants=found))

    async def _list_dispatch(self, request: web.Request) -> web.Response:
        asked = api.ListAgentDispatchRequest.FromString(await request.read())
        if self.failing or asked.room not in self.rooms:
            return self._fault(self.failing or "not_found")
        offers = [
            api.AgentDispatch(
                agent_name=offer.agent_name, metadata=offer.metadata, room=asked.room,
                state=AgentDispatchState(jobs=[Job(state=JobState(status=JobStatus.JS_RUNNING))] * (asked.room in self.promised)),
            )  # fmt: skip
            for offer in self.rooms[asked.room].agents
        ]
        return self._answer(api.ListAgentDispatchResponse(agent_dispatches=offers))

    async def _create_dispatch(self, request: web.Request) -> web.Response:
        asked = api.CreateAgentDispatchRequest.FromString(await request.read())
        if self.failing or asked.room not in self.rooms:
            return self._fault(self.failing or "not_found")
        offer = api.RoomAgentDispatch(agent_name=asked.agent_name, metadata=asked.metadata)
        self.rooms[asked.room].agents.append(offer)
        return self._answer(api.AgentDispatch(agent_name=asked.agent_name, metadata=asked.metadata, room=asked.room))

    def _room(self, name: str) -> Room:
        return Room(name=name, sid=f"RM_{name}", creation_time=self.opened_at[name])

    def _answer(self, message: Message) -> web.Response:
        return web.Response(body=message.SerializeToString(), content_type="application/protobuf")

    def _fault(self, code: str) -> web.Response:
        status = {"not_found": 404, "unavailable": 503}.get(code, 500)
        return web.json_response({"code": code, "msg": "as the test asked"}, status=status)
