"""The connection to Redis, its clock, and the proof that what it confirms is on disk. Lua lives in lua/, loaded once."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from modules.calls.errors import Unavailable

# A request waits this long for Redis before it is answered 503; enqueue.lua refuses what arrives later than that.
ANSWER_S = 3.0
# A Redis that is made durable first writes everything it holds into a new file.
_FIRST_FILE_S = 60.0
# A clock may be set while we run (NTP, a laptop that slept); a lease lasts longer than it takes to notice.
_MEASURE_AGAIN_S = 2.0
_LUA = Path(__file__).parent / "lua"


@dataclass(frozen=True, slots=True)
class RedisClock:
    """Redis's wall clock, as last measured: every process of the fleet then speaks of the same moment.

    `offset_s` lies between it and this process's monotonic clock, so that setting the host's own time changes nothing.
    `measured_s` is when that was, monotonic; None: never measure it again.
    """

    offset_s: float
    measured_s: float | None = field(default=None, kw_only=True)

    def now_ms(self) -> int:
        """Milliseconds since 1970 by Redis's clock."""
        return int((time.monotonic() + self.offset_s) * 1000)

    @property
    def stale(self) -> bool:
        """Whether it is time to measure again."""
        return self.measured_s is not None and time.monotonic() - self.measured_s > _MEASURE_AGAIN_S


class Store:
    """One Redis connection pool with the scripts and the clock. Built in main, passed as an argument, closed in reverse."""

    def __init__(self, client: "Redis", clock: RedisClock) -> None:
        self.client = client
        self.clock = clock
        self._scripts = {path.stem: client.register_script(path.read_text()) for path in _LUA.glob("*.lua")}

    async def run(self, script: str, keys: list[str], args: list[Any]) -> Any:
        """Run one Lua script. Raises Unavailable where Redis cannot answer; the step has then been done or not, as a whole."""
        await self.keep_time()
        try:
            return await self._scripts[script](keys=keys, args=args)
        except (RedisError, OSError, TimeoutError) as error:
            raise _unreachable(error) from error

    async def call(self, command: str, *args: Any) -> Any:
        """Run one plain command. Raises Unavailable where Redis cannot answer."""
        await self.keep_time()
        try:
            return await self.client.execute_command(command, *args)  # type: ignore[no-untyped-call]  # redis-py
        except (RedisError, OSError, TimeoutError) as error:
            raise _unreachable(error) from error

    async def keep_time(self) -> None:
        """Measure Redis's clock again when that is due. Raises Unavailable where Redis cannot answer."""
        if self.clock.stale:
            self.clock = await _measured(self.client)

    async def close(self) -> None:
        """Close the pool."""
        await self.client.aclose()


async def connect(url: str, *, blocking_s: float = 0.0) -> Store:
    """Connect and measure Redis's clock. `blocking_s` is the longest blocking read this connection will be used for."""
    client = Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=ANSWER_S + blocking_s,
        socket_connect_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[],
        health_check_interval=15,
        protocol=2,
    )
    store = Store(client, RedisClock(0.0))
    try:
        store.clock = await _measured(client)
    except Unavailable:
        await client.aclose()
        raise
    return store


async def _measured(client: "Redis") -> RedisClock:
    try:
        before = time.monotonic()
        seconds, micros = await client.time()
    except (RedisError, OSError, TimeoutError) as error:
        raise _unreachable(error) from error
    after = time.monotonic()
    return RedisClock(float(seconds) + float(micros) / 1e6 - (before + after) / 2, measured_s=after)


async def make_durable(store: Store) -> bool:
    """Make Redis confirm a write only when it is on disk; return whether that had to be set.

    Raises Unavailable where Redis does not let us.
    """
    wanted = {"appendonly": "yes", "appendfsync": "always"}
    try:
        found = await store.client.config_get("append*")
        changed = {name: value for name, value in wanted.items() if found.get(name) != value}
        for name, value in changed.items():
            await store.client.config_set(name, value)
        # What Redis confirms while it writes its first file is not safe yet.
        async with asyncio.timeout(_FIRST_FILE_S):
            while await _writes_its_first_file(store):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.01)
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(
            "Redis must run with 'appendonly yes' and 'appendfsync always', and does not let us set that: "
            f"{type(error).__name__}. Add both lines to its configuration."
        ) from error
    return bool(changed)


async def _writes_its_first_file(store: Store) -> bool:
    told = await store.client.info("persistence")
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


def _unreachable(error: BaseException) -> Unavailable:
    return Unavailable(f"Redis cannot be reached ({type(error).__name__}). Nothing was accepted; try again in a moment.")
