"""Which workers live, and how many calls each can hold: heartbeats in Redis. A worker that stops beating is forgotten."""

from dataclasses import dataclass

from modules.call_queue_manager import keys
from modules.call_queue_manager.connection import Store

BEAT_S = 1.0
ALIVE_S = 5.0
_KEPT_S = 3600


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process. `slots` is 0 while it drains."""

    worker_id: str
    slots: int
    active: int


class Workers:
    """The fleet's workers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def beat(self, worker: Worker) -> None:
        """Say that a worker is alive. Call this every BEAT_S."""
        key = keys.worker(worker.worker_id)
        await self._store.call("HSET", key, "slots", worker.slots, "active", worker.active)
        await self._store.call("EXPIRE", key, int(ALIVE_S))
        await self._store.call("ZADD", keys.WORKERS, self._store.clock.now_ms(), worker.worker_id)
        await self._store.call("EXPIRE", keys.WORKERS, _KEPT_S)

    async def leave(self, worker_id: str) -> None:
        """Say that a worker is going."""
        await self._store.call("DEL", keys.worker(worker_id))
        await self._store.call("ZREM", keys.WORKERS, worker_id)

    async def alive(self) -> list[Worker]:
        """Return the workers that have beaten within ALIVE_S."""
        since = self._store.clock.now_ms() - int(ALIVE_S * 1000)
        await self._store.call("ZREMRANGEBYSCORE", keys.WORKERS, "-inf", since)
        ids = await self._store.call("ZRANGE", keys.WORKERS, 0, -1)
        found = [(name, await self._store.call("HMGET", keys.worker(name), "slots", "active")) for name in ids]
        return [Worker(name, int(slots), int(active)) for name, (slots, active) in found if slots is not None]
