"""Calls that wait: accepted exactly once, taken in order by whoever has room. What happens to a taken call is in records.py."""

import json
import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from modules.call_queue_manager import keys
from modules.call_queue_manager.connection import ANSWER_S, Store
from modules.call_queue_manager.do_not_call import DoNotCall
from modules.calls import Call, Priority
from modules.calls.errors import IdempotencyMismatch, Unavailable

# A priority's rank lies above every microsecond until 2055, so that it always wins; the sum stays exact in a double.
RANK: dict[Priority, int] = {Priority.HIGH: 0, Priority.NORMAL: 10**15, Priority.LOW: 2 * 10**15}
_MOVED_AT_ONCE = 100


class Enqueued(StrEnum):
    """What became of a request to queue a call."""

    NEW = "new"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Repeat:
    """What makes two requests the same one: the caller's key, whose key it is, and the body's hash."""

    owner: str
    key: str
    body_sha: str


@dataclass(frozen=True, slots=True)
class Held:
    """A call and the fencing token of whoever holds it; writes with an older token are refused."""

    call: Call
    token: int


class CallQueue:
    """The queue of the whole fleet."""

    def __init__(self, store: Store, *, lease_s: float, retention_s: int) -> None:
        self._store = store
        self._lease_ms = int(lease_s * 1000)
        self._retention_s = retention_s

    async def enqueue(self, call: Call, repeat: Repeat | None = None) -> tuple[Enqueued, str]:
        """Accept `call`; return its id, or the id of the call that the same Idempotency-Key made before.

        When this returns, Redis has it on disk. Raises IdempotencyMismatch, and Unavailable when Redis does not answer in
        time: then it will not accept the call later either, and nothing is dialled.
        """
        record = json.dumps(call.to_json())
        event = json.dumps(call.to_json() | {"version": 1, "event": "accepted"})
        due_ms = _ms(call.not_before) if call.not_before and call.not_before > call.created_at else ""
        await self._store.keep_time()
        latest_us = (self._store.clock.now_ms() + int(ANSWER_S * 1000)) * 1000
        answer, call_id = [*await self._store.run(
            "enqueue",
            [
                keys.call(call.call_id), keys.READY, keys.SCHEDULED, keys.DEADLINES, keys.EVENTS,
                keys.call_events(call.call_id),
                keys.idempotency(repeat.owner, repeat.key) if repeat else keys.idempotency("", ""),
            ],
            [
                call.call_id, record, RANK[call.priority], due_ms, _ms(call.expires_at), "call.queued", event,
                call.created_at.isoformat(), repeat.body_sha if repeat else "", self._retention_s, keys.LIVE_TTL_S,
                keys.EVENTS_LENGTH, keys.EVENTS_TTL_S, latest_us,
            ],
        ), ""][:2]  # fmt: skip
        if answer == "too_late":
            raise Unavailable("Redis answered too late; nothing was accepted. Try again in a moment.")
        if answer == "other_body":
            raise IdempotencyMismatch("This Idempotency-Key was used with another body.", field="Idempotency-Key")
        return Enqueued(answer), str(call_id)

    async def claim(self, *, limit: int, calls_per_second: float, lease_s: float) -> Held | None:
        """Take the next due call under a lease of `lease_s`, unless `limit` calls are held already or too many wait to dial."""
        found = await self._store.run(
            "claim",
            [keys.READY, keys.SCHEDULED, keys.LEASES, keys.PLACING],
            [
                self._store.clock.now_ms(), limit, int(lease_s * 1000), keys.call(""),
                json.dumps({priority.value: rank for priority, rank in RANK.items()}), _MOVED_AT_ONCE,
                max(2, math.ceil(2 * calls_per_second)),
            ],
        )  # fmt: skip
        return _held(found) if found else None

    async def seize(self, call_id: str, *, force: bool = False) -> Held | None:
        """Take over a call whose lease ran out (with `force`: any call). None when its holder is alive after all."""
        found = await self._store.run(
            "seize",
            [keys.call(call_id), keys.LEASES, keys.PLACING],
            [call_id, self._store.clock.now_ms(), self._lease_ms, "1" if force else "0"],
        )
        return _held(found) if found else None

    async def placing(self, *, longer_than_s: float) -> list[tuple[str, float]]:
        """Return the calls that were claimed and not dialled for so long: (call id, seconds since the claim)."""
        now_us = self._store.clock.now_ms() * 1000
        latest = now_us - int(longer_than_s * 1_000_000)
        found = await self._store.call("ZRANGEBYSCORE", keys.PLACING, "-inf", latest, "WITHSCORES")
        claims = zip(found[::2], found[1::2], strict=True)
        return [(str(call_id), (now_us - float(claimed_us)) / 1_000_000) for call_id, claimed_us in claims]

    async def overdue(self, *, gap_s: float, most: int = 50) -> tuple[list[str], list[str]]:
        """Return the ids of calls whose holder is gone, and of calls that missed their deadline.

        Where nobody has asked for `gap_s`, holders get one more lease: they may have been cut off just as long.
        """
        lost, late = await self._store.run(
            "overdue",
            [keys.LEASES, keys.DEADLINES, keys.REAPER],
            [self._store.clock.now_ms(), self._lease_ms, int(gap_s * 1000), most],
        )
        return list(lost), list(late)

    async def forget(self, call_id: str) -> None:
        """Drop the deadline of a call whose record is gone."""
        await self._store.call("ZREM", keys.DEADLINES, call_id)

    async def waiting(self) -> dict[str, int]:
        """Return how many calls are ready, scheduled and held."""
        names = {"ready": keys.READY, "scheduled": keys.SCHEDULED, "held": keys.LEASES}
        return {name: int(await self._store.call("ZCARD", key)) for name, key in names.items()}

    async def barred(self, number: str) -> bool:
        """Return whether this number (E.164) is on the do-not-call list."""
        return await DoNotCall(self._store).has(number)

    async def paused(self) -> bool:
        """Return whether dialling is stopped for the whole fleet."""
        return bool(await self._store.call("EXISTS", keys.PAUSED))

    async def pause(self, on: bool) -> None:
        """Stop (or allow) dialling for the whole fleet; what is queued stays queued."""
        if on:
            await self._store.call("SET", keys.PAUSED, "1", "EX", keys.LIVE_TTL_S)
        else:
            await self._store.call("DEL", keys.PAUSED)


def _held(found: list[object]) -> Held:
    _, token, version, record = found
    return Held(Call.from_json(json.loads(str(record)) | {"version": version}), int(str(token)))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
