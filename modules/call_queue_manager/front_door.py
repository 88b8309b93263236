"""Calls that come in: noted exactly once, let in or not, and held from then on like every other call."""

import json
from dataclasses import dataclass
from enum import StrEnum

from modules.call_queue_manager import keys
from modules.call_queue_manager.connection import Store
from modules.call_queue_manager.queue import Held
from modules.calls import Call
from modules.calls.deadlines import deadline
from modules.calls.errors import IllegalTransition

_FIRST_TOKEN = 1


class Admission(StrEnum):
    """What becomes of a call that came in."""

    WELCOME = "welcome"
    """An agent may talk to it."""
    OVERFLOW = "overflow"
    """The fleet holds as many calls as it can, and has a line on which a message can be taken or the caller handed over."""
    FULL = "full"
    """The fleet holds as many calls as it can."""
    TOO_OFTEN = "too_often"
    """Its number has called too often lately."""
    KNOWN = "known"
    """Somebody else has this call already."""


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """How many calls of one caller's number are let in; 0 = any number."""

    per_minute: int
    per_hour: int


class FrontDoor:
    """Where inbound calls enter the fleet's books. Every call noted here is held by whoever noted it, let in or not."""

    def __init__(self, store: Store, *, lease_s: float) -> None:
        self._store = store
        self._lease_ms = int(lease_s * 1000)

    async def arrive(self, call: Call, *, most: int, limits: SourceLimits, beyond: int = 0) -> tuple[Admission, Held]:
        """Note a ringing call, of which the fleet may hold `most`; hold it unless it is KNOWN. Raises Unavailable.

        `beyond` is how many more may be there in OVERFLOW; such a call takes no place from one that can be talked to.
        A caller without a number is not counted: nobody can tell two of them apart.
        """
        due = deadline(call, call.created_at)
        if due is None or not call.room:
            raise IllegalTransition("Only a ringing call in a room can arrive.")
        call_id, source = call.call_id, call.from_number
        answer, known = await self._store.run(
            "arrive",
            [
                keys.call(call_id), keys.LEASES, keys.DEADLINES, keys.EVENTS, keys.call_events(call_id),
                keys.room(call.room), keys.source(source), keys.OVERFLOW, keys.TURNED_AWAY,
            ],
            [
                call_id, json.dumps(call.to_json()), f"call.{call.state.value}",
                json.dumps(call.to_json() | {"version": 1, "event": "arrived"}), call.created_at.isoformat(),
                self._store.clock.now_ms(), self._lease_ms, int(due.timestamp() * 1000), most,
                limits.per_minute if source else 0, limits.per_hour if source else 0,
                keys.LIVE_TTL_S, keys.EVENTS_LENGTH, keys.EVENTS_TTL_S, keys.ROOM_TTL_S,
                beyond,
            ],
        )  # fmt: skip
        admission = Admission(answer)
        noted = Call.from_json(call.to_json() | {"call_id": str(known), "version": 1})
        return admission, Held(noted, _FIRST_TOKEN)

    async def call_in(self, room: str) -> str | None:
        """Return the id of the inbound call that a room belongs to; None where nobody has noted one."""
        found = await self._store.call("HGET", keys.room(room), "call_id")
        return str(found) if found else None
