"""What the agent has to tell the record, written in the order in which it happened, however long Redis is away meanwhile.

The one thing that is not written here is `dialing`: that must be on disk before the dial request leaves (phone_line.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from modules.call_queue_manager import Fenced, Held, Records
from modules.calls import Report
from modules.calls.errors import IllegalTransition, NotFound, Unavailable
from modules.metrics_logger import get_logger

log = get_logger("voice_agent")

_AGAIN_S = 0.3


class Scribe:
    """Writes one call's story. `run` does the writing; the other methods never wait."""

    def __init__(self, records: Records, held: Held) -> None:
        self._records = records
        self._held = held
        self._pages: asyncio.Queue[Callable[[], Awaitable[object]]] = asyncio.Queue()

    def report(self, report: Report, *, release: bool | None = None) -> None:
        """Move the call's state on."""
        call_id, token = self._held.call.call_id, self._held.token
        self._pages.put_nowait(lambda: self._records.report(call_id, report, token=token, release=release))

    def release(self) -> None:
        """Give the call's slot back."""
        self._pages.put_nowait(lambda: self._records.release(self._held.call.call_id, self._held.token))

    def note(self, event_type: str, data: dict[str, Any]) -> None:
        """Tell something that changes no state."""
        self._pages.put_nowait(lambda: self._records.note(self._held, event_type, data))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            page = await self._pages.get()
            try:
                await self._write(page)
            finally:
                self._pages.task_done()

    async def _write(self, page: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await page()
                return
            except Unavailable:
                await asyncio.sleep(_AGAIN_S)
            except (Fenced, NotFound, IllegalTransition) as error:
                log.info("scribe.refused", call_id=self._held.call.call_id, reason=error.code)
                return
            except Exception:
                # One page that cannot be written must not keep the call's end from being written after it.
                log.exception("scribe.stumbled", call_id=self._held.call.call_id)
                return

    async def finish(self, within_s: float) -> bool:
        """Wait until everything is written; False when time ran out first."""
        try:
            async with asyncio.timeout(within_s):
                await self._pages.join()
        except TimeoutError:
            log.error("scribe.unwritten", call_id=self._held.call.call_id, pages=self._pages.qsize())
            return False
        return True
