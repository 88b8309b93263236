"""One at a time, across processes and machines: a lock that its holder renews and that ends by itself when the holder dies."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from redis.exceptions import LockError, LockNotOwnedError, RedisError

from modules.call_queue_manager.connection import Store
from modules.calls.errors import Unavailable

LIFE_S = 30.0
WAIT_S = 60.0
_ASK_AGAIN_S = 0.05


@asynccontextmanager
async def exclusive(
    store: Store, key: str, *, wait_s: float = WAIT_S, life_s: float = LIFE_S
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Wait until nobody else holds `key`, and hold it. What is yielded renews it, and raises Unavailable where it was lost.

    Call that before each step that must not be done twice: a holder that was stopped for `life_s` learns there that another
    has taken over. Raises Unavailable where Redis cannot be reached or the lock is not free within `wait_s`.
    """
    lock = store.client.lock(key, timeout=life_s, sleep=_ASK_AGAIN_S, blocking_timeout=wait_s)
    try:
        free = await lock.acquire()
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(f"Redis cannot be reached ({type(error).__name__}). Nothing was changed.") from error
    if not free:
        raise Unavailable(f"Somebody else has been at it for {wait_s:g} s. Try again in a moment.")

    async def renew() -> None:
        try:
            await lock.extend(life_s, replace_ttl=True)
        except (LockError, RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"The lock was lost ({type(error).__name__}); what remains was left undone. Try again.") from error

    try:
        yield renew
    finally:
        with suppress(LockNotOwnedError, RedisError, OSError, TimeoutError):  # it ends by itself
            await lock.release()
