"""Is a part ready? Asked of the part itself, over the wire it serves. Every question answers within a second or two."""

import asyncio
from urllib.parse import urlsplit

import httpx2

from modules.call_queue_manager import Workers, connect, keys
from modules.calls.errors import Unavailable
from modules.fleet.part import Ready

_ANSWER_S = 2.0


def address(url: str) -> tuple[str, int]:
    """Return the host and port that a URL names; the usual port where it names none."""
    parts = urlsplit(url)
    usual = {"https": 443, "wss": 443, "redis": 6379, "rediss": 6379, "http": 80, "ws": 80}
    return parts.hostname or "127.0.0.1", parts.port or usual.get(parts.scheme, 80)


async def accepts(url: str) -> bool:
    """Return whether somebody listens there."""
    host, port = address(url)
    try:
        async with asyncio.timeout(_ANSWER_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return True
    return True


async def answers(url: str) -> bool:
    """Return whether an HTTP GET is answered with success."""
    try:
        async with httpx2.AsyncClient(timeout=_ANSWER_S, trust_env=False) as client:
            return (await client.get(url)).is_success
    except httpx2.HTTPError:
        return False


async def redis_answers(url: str) -> bool:
    """Return whether a Redis speaks to us there."""
    try:
        store = await connect(url)
    except Unavailable:
        return False
    await store.close()
    return True


async def orchestrator_sweeps(redis_url: str) -> bool:
    """Return whether some orchestrator has looked for lost calls within the last three seconds."""
    try:
        store = await connect(redis_url)
        try:
            last_ms = await store.call("HGET", keys.REAPER, "last_ms")
            return last_ms is not None and store.clock.now_ms() - int(last_ms) < 3000
        finally:
            await store.close()
    except Unavailable:
        return False


async def slots(redis_url: str) -> int:
    """Return how many calls the living workers can hold together; 0 when nobody can say."""
    try:
        store = await connect(redis_url)
        try:
            return sum(worker.slots for worker in await Workers(store).alive())
        finally:
            await store.close()
    except Unavailable:
        return 0


def by_http(url: str) -> Ready:
    return lambda: answers(url)


def by_tcp(url: str) -> Ready:
    return lambda: accepts(url)


def by_redis(url: str) -> Ready:
    return lambda: redis_answers(url)


def by_sweeps(redis_url: str) -> Ready:
    return lambda: orchestrator_sweeps(redis_url)


def by_worker(health_url: str, redis_url: str, calls: int) -> Ready:
    """Ready once it is healthy and the fleet can hold `calls` with it."""

    async def ready() -> bool:
        return await answers(health_url) and await slots(redis_url) >= calls

    return ready
