"""The carrier's turn: never more dial requests in any second than allowed, in the order of the queue, however many ask."""

import asyncio
import math
import secrets
import time

from modules.call_queue_manager import keys
from modules.call_queue_manager.connection import Store

# A worker that was granted a turn and then died blocks it no longer than this.
UNCONFIRMED_S = 5.0
# A call whose agent is late lets the calls behind it pass after this long.
PATIENCE_S = 3.0
# Up to this rate requests leave one by one, which keeps their order; a request needs some 0.07 s to arrive.
IN_ORDER_PER_S = 10
_LONGEST_PAUSE_S = 0.25
_SOON_MS = 15


class Pacing:
    """One trunk's dial requests per second. 0.5 means one in two seconds; 2.7 counts as 2."""

    def __init__(self, store: Store, trunk: str, calls_per_second: float) -> None:
        self._store = store
        self._key = keys.pace(trunk)
        self._limit = max(1, int(calls_per_second))
        self._window_ms = math.ceil(1000 / calls_per_second) if calls_per_second < 1 else 1000
        self._on_their_way = 1 if calls_per_second <= IN_ORDER_PER_S else self._limit

    async def turn(self, call_id: str) -> str:
        """Wait until this call's dial request may leave; return the ticket to confirm when it has."""
        ticket = secrets.token_hex(8)
        impatient = time.monotonic() + PATIENCE_S
        while True:
            wait_ms = await self._pace(ticket, "", call_id, patient=time.monotonic() < impatient)
            if not wait_ms:
                return ticket
            if wait_ms > _SOON_MS:
                impatient = time.monotonic() + PATIENCE_S  # everybody waits for the carrier; nobody is late yet
            await asyncio.sleep(min(wait_ms / 1000, _LONGEST_PAUSE_S))

    async def left(self, ticket: str) -> None:
        """Say that the request has been taken by the phone side; its second starts now."""
        await self._pace(ticket, "left")

    async def _pace(self, ticket: str, what: str, call_id: str = "", *, patient: bool = False) -> int:
        args = [
            self._limit, self._window_ms, ticket, int(UNCONFIRMED_S * 1000), what,
            call_id, "1" if patient else "0", self._on_their_way, _SOON_MS,
        ]  # fmt: skip
        return int(await self._store.run("pace", [self._key, keys.PLACING], args))
