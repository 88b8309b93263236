"""One call of ours to ourselves, placed as anybody places one: through the API. What came of it at both ends, not judged."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from modules.doctor.loop_figures import Turn
from modules.metrics_logger import get_logger

log = get_logger("doctor")
Record = dict[str, Any]
Tell = Callable[[str], None]

CALLER, ANSWERER = "loop_caller", "loop_answerer"
"""Two personalities of agents/ that need no account."""
LONGEST_S = 60
_PLACED_WITHIN_S, _GIVEN_UP_S, _RECORDED_S, _ASK_AGAIN_S = 60, 180.0, 20.0, 0.3
_TOLD = {"call.ringing": "it rings", "call.in_progress": "answered", "call.ended": "over"}


class Happening(Protocol):
    """A live event of a call."""

    @property
    def type(self) -> str: ...
    @property
    def data(self) -> Record: ...


class Calls(Protocol):
    """The API of the fleet. Each method raises what keeps it from answering."""

    async def place(self, body: Record) -> Record: ...
    async def call(self, call_id: str) -> Record: ...
    async def calls(self, **filters: Any) -> Record: ...
    async def transcript(self, call_id: str) -> list[Record]: ...
    async def cancel(self, call_id: str, reason: str = "") -> Record: ...
    async def personalities(self) -> Record: ...
    def follow(self, call_id: str) -> AsyncIterator[Happening]: ...


@dataclass(frozen=True, slots=True)
class Way:
    """Which way the call takes: over which trunk to which number of ours, who answers there, and whom we call from.

    `own` is a trunk of the configuration: a carrier is between the ends, and the answering personality is the user's.
    """

    trunk: str
    number: str
    answerer: str
    from_number: str
    longest_s: int = LONGEST_S
    own: bool = False

    def body(self, **more: Any) -> Record:
        """Return the request that places the call. Nobody waits for a call that could not be placed at once."""
        until = datetime.now(UTC) + timedelta(seconds=_PLACED_WITHIN_S)
        return {
            "to_number": self.number, "trunk": self.trunk, "personality": CALLER, "max_call_s": self.longest_s,
            "priority": "high", "expires_at": until.isoformat(), "metadata": {"doctor": "loop"},
        } | more  # fmt: skip


@dataclass(frozen=True, slots=True)
class End:
    """One end of the call: its record and what was said there."""

    record: Record
    turns: Sequence[Turn] = ()

    @property
    def completed(self) -> bool:
        return bool(self.record["outcome"] == "completed")


@dataclass(frozen=True, slots=True)
class Looped:
    """Both ends; `came_in` is None where no call came in, or nobody can say which it was."""

    went_out: End
    came_in: End | None


async def call_round(calls: Calls, way: Way, tell: Tell) -> Looped:
    """Place the call, wait until both ends have it on record, and return them. It is hung up whatever happens here."""
    placed = await calls.place(way.body())
    call_id, over = str(placed["call_id"]), False
    tell(f"{call_id} is queued")
    try:
        async with asyncio.timeout(_GIVEN_UP_S):
            async for event in calls.follow(call_id):
                _tell(event, tell)
                over = over or event.type == "call.ended"
    except TimeoutError:
        tell("it does not end; it is taken back")
    finally:
        if not over:
            await _take_back(calls, call_id)
    went_out = End(await calls.call(call_id), await calls.transcript(call_id))
    return Looped(went_out, await _came_in(calls, way, str(placed["created_at"])))


def _tell(event: Happening, tell: Tell) -> None:
    if event.type in _TOLD:
        tell(_TOLD[event.type])
    elif event.type == "call.turn":
        tell(f"{'caller' if event.data['speaker'] == 'agent' else 'callee'}: {event.data['text']}")


async def _take_back(calls: Calls, call_id: str) -> None:
    try:
        await calls.cancel(call_id, "The doctor stopped.")
    except Exception as error:  # what stopped us matters more; an answered call ends by itself after LONGEST_S
        log.warning("loop.not_taken_back", call_id=call_id, error=type(error).__name__)


async def _came_in(calls: Calls, way: Way, since: str) -> End | None:
    """Return the other end once it is over."""
    until = asyncio.get_running_loop().time() + _RECORDED_S
    while asyncio.get_running_loop().time() < until:
        found = await calls.calls(direction="inbound", to_number=way.number, created_from=since, limit=20)
        one = the_other_end(found["calls"], way)
        if one and one["state"] == "ended":
            return End(one, await calls.transcript(one["call_id"]))
        await asyncio.sleep(_ASK_AGAIN_S)
    return None


def the_other_end(found: Sequence[Record], way: Way) -> Record | None:
    """Return which of the calls that came in is ours: by the caller's number, or, if a carrier changed that, the only one."""
    ours = [one for one in found if one["from_number"] == way.from_number] or list(found)
    return ours[0] if len(ours) == 1 else None
