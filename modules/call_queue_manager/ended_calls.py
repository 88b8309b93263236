"""Calls that have ended, each handed to one process until that one says it is done: a consumer group of Redis on the events.

What a process took and did not finish within `given_up_s` is handed to another; what ended while nobody listened waits.
"""

import json
import uuid
from typing import Any

from redis.exceptions import RedisError, ResponseError

from modules.call_queue_manager import keys
from modules.call_queue_manager.connection import Store
from modules.call_queue_manager.events import BLOCK_MS
from modules.calls import Call, State
from modules.calls.errors import Unavailable

_GROUP = "after_call"
_AT_ONCE = 50
_ENDED = f"call.{State.ENDED.value}"


class EndedCalls:
    """One process's share of the calls that end. `store` is its own connection, opened with `blocking_s=1`."""

    def __init__(self, store: Store, *, given_up_s: float = 180.0) -> None:
        self._store = store
        self._given_up_ms = int(given_up_s * 1000)
        self._name = uuid.uuid4().hex
        self._known = False

    async def next(self) -> list[tuple[str, Call]]:
        """Wait up to a second; return calls that have ended, each with the receipt for `done`. Raises Unavailable."""
        try:
            await self._be_known()
            left_behind = await self._store.client.execute_command(  # type: ignore[no-untyped-call]  # redis-py
                "XAUTOCLAIM", keys.EVENTS, _GROUP, self._name, self._given_up_ms, "0-0", "COUNT", _AT_ONCE
            )
            entries: list[Any] = [entry for entry in left_behind[1] if entry[1] is not None]
            if not entries:
                found = await self._store.client.execute_command(  # type: ignore[no-untyped-call]
                    "XREADGROUP", "GROUP", _GROUP, self._name, "COUNT", _AT_ONCE, "BLOCK", BLOCK_MS, "STREAMS", keys.EVENTS, ">"
                )
                entries = found[0][1] if found else []
        except ResponseError as error:  # the stream has expired, and the group with it
            self._known = False
            raise Unavailable(f"Redis keeps no list of ended calls ({type(error).__name__}).") from error
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"Redis cannot be reached ({type(error).__name__}).") from error
        return await self._sorted(entries)

    async def done(self, *receipts: str) -> None:
        """Say that these need nobody any more. Raises Unavailable."""
        if receipts:
            await self._store.call("XACK", keys.EVENTS, _GROUP, *receipts)

    async def _be_known(self) -> None:
        if self._known:
            return
        try:
            await self._store.client.xgroup_create(keys.EVENTS, _GROUP, id="$", mkstream=True)
            await self._store.client.expire(keys.EVENTS, keys.EVENTS_TTL_S)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._known = True

    async def _sorted(self, entries: list[Any]) -> list[tuple[str, Call]]:
        """Give back the calls among the events; the rest needs nobody."""
        ended: list[tuple[str, Call]] = []
        other: list[str] = []
        for receipt, fields in entries:
            named = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
            call = _call(named) if named.get("type") == _ENDED else None
            if call is None:
                other.append(receipt)
            else:
                ended.append((receipt, call))
        await self.done(*other)
        return ended


def _call(fields: dict[str, str]) -> Call | None:
    """Return the call of an event; None for one that another version has written and this one cannot read."""
    try:
        record = json.loads(fields["data"])
        return Call.from_json({name: value for name, value in record.items() if name != "event"})
    except (ValueError, KeyError, TypeError):
        return None
