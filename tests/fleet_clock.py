"""Time that passes when a test says so, by Redis's own clock as the fleet measures it; and two ways to move calls."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from modules.call_queue_manager import Held, Store
from modules.call_queue_manager.connection import RedisClock
from modules.calls import Call

Enqueue = Callable[..., Awaitable[Call]]
Claim = Callable[..., Awaitable[Held | None]]


class Clock:
    """The fleet's clock, in a test's hand."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> datetime:
        """What the fleet takes for now."""
        return datetime.fromtimestamp(self._store.clock.now_ms() / 1000, UTC)

    def passes(self, **how_long: float) -> None:
        """Let time pass at once: `clock.passes(seconds=8)`."""
        self._store.clock = RedisClock(self._store.clock.offset_s + timedelta(**how_long).total_seconds())
