"""Numbers that are not called: asked by the gate before every dial. Whoever is on it stays until somebody takes them off."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from modules.call_queue_manager import keys
from modules.call_queue_manager.connection import Store
from modules.calls.errors import NotFound


@dataclass(frozen=True, slots=True)
class Entry:
    """A number (E.164), since when it is on the list, and who put it there: `text_message`, or an API key's id."""

    number: str
    at: datetime
    source: str


class DoNotCall:
    """The fleet's list. Everything here raises Unavailable while Redis is away."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def has(self, number: str) -> bool:
        """Whether this number (E.164) may not be called."""
        return bool(await self._store.call("HEXISTS", keys.DO_NOT_CALL, number))

    async def add(self, number: str, source: str) -> Entry:
        """Put a number on the list and return its entry; one that is on it already keeps the one it has."""
        at = datetime.fromtimestamp(self._store.clock.now_ms() / 1000, UTC)
        told = json.dumps({"at": at.isoformat(), "source": source})
        await self._store.call("HSETNX", keys.DO_NOT_CALL, number, told)
        return _entry(number, await self._store.call("HGET", keys.DO_NOT_CALL, number) or told)

    async def remove(self, number: str) -> Entry:
        """Take a number off the list and return the entry it had. Raises NotFound where it is not on it."""
        told = await self._store.call("HGET", keys.DO_NOT_CALL, number)
        if told is None or not await self._store.call("HDEL", keys.DO_NOT_CALL, number):
            raise NotFound("This number is not on the do-not-call list.")
        return _entry(number, told)

    async def listed(self) -> list[Entry]:
        """Return the whole list, the newest first."""
        found = await self._store.call("HGETALL", keys.DO_NOT_CALL)
        return sorted((_entry(number, told) for number, told in found.items()), key=lambda entry: entry.at, reverse=True)


def _entry(number: str, told: str) -> Entry:
    facts = json.loads(told)
    return Entry(number, datetime.fromisoformat(facts["at"]), facts["source"])
