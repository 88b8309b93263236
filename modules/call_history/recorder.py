"""From the event stream to SQL, each event once: rows and the place reached are written in one transaction.

The place is compared and set, so recorders side by side never write the same stretch twice and never skip one: whoever
comes second reads the new place and goes on from there. What an event means is in projection.py.
"""

import asyncio
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from modules.call_history.database import History
from modules.call_history.export import Exporter
from modules.call_history.projection import rows, storable
from modules.call_history.tables import checkpoints, set_aside
from modules.call_history.writing import write_rows
from modules.call_queue_manager import Store, StreamEvent, keys, read_after
from modules.calls.errors import Unavailable
from modules.metrics_logger import get_logger

log = get_logger("call_history")
STREAM = "events"
START = "0"
_BATCH = 200
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
# What read_after raises over an entry that no program of ours wrote.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


class Recorder:
    """Follows the event stream for as long as it runs. `store` is its own connection, opened with `blocking_s=1`.

    With `logs_dir`, conversations are also written there as files when their call has ended.
    """

    def __init__(self, store: Store, history: History, *, logs_dir: Path | None = None) -> None:
        self._store = store
        self._history = history
        self._exporter = Exporter(history, logs_dir) if logs_dir else None
        self._position: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Record until `stop` is set; wait, and lose nothing, while Redis or the database is away."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(stop), name="history.record")
            if self._exporter:
                group.create_task(self._exporter.run(stop), name="history.export")

    async def step(self) -> int:
        """Record what has come, or wait a second for something to come; return how many events. Raises Unavailable."""
        if self._position is None:
            self._position = await place(self._history)
            await self._look_for_a_gap(self._position)
        events = await self._read(self._position)
        if events:
            await self._record(self._position, events)
            if self._exporter:
                self._exporter.wake.set()
        return len(events)

    async def _follow(self, stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            try:
                await self.step()
                failures = 0
            except Exception as error:  # whatever it is, the stream stays where it is and is tried again
                failures += 1
                told = {"failures": failures, "error": type(error).__name__}
                if isinstance(error, Unavailable):
                    log.warning("history.waiting", **told, why=error.message)
                else:
                    log.exception("history.failed", **told)
                await _pause(stop, failures)
        if self._exporter:
            self._exporter.wake.set()

    async def _look_for_a_gap(self, position: str) -> None:
        """Leave a note where Redis no longer has the last recorded event: what came right after it may be gone as well."""
        if position == START or await self._store.call("XRANGE", keys.EVENTS, position, position):
            return
        oldest = await self._store.call("XRANGE", keys.EVENTS, "-", "+", "COUNT", 1)
        if oldest:
            between = f"{position}..{oldest[0][0]}"
            log.error("history.gap", between=between)
            row = _kept(between, "", "gap", "{}", "Redis dropped the last recorded event; events between may be missing")
            async with self._history.write() as connection:
                await connection.execute(self._history.insert(set_aside).values(row).on_conflict_do_nothing())

    async def _read(self, after: str) -> list[StreamEvent]:
        """Read on; where an entry cannot be read at all, read up to it, then set it aside."""
        try:
            return await read_after(self._store, after, count=_BATCH, block=True)
        except _UNREADABLE:
            pass
        try:
            return await read_after(self._store, after, count=1, block=True)
        except _UNREADABLE as error:
            found = await self._store.call("XREAD", "COUNT", 1, "STREAMS", keys.EVENTS, after)
            entry_id, fields = found[0][1][0]
            await self._set_aside(after, entry_id, json.dumps(fields), error)
            return []

    async def _record(self, after: str, events: list[StreamEvent]) -> None:
        """Write the events; where they cannot be stored, write each alone and set aside the one that is at fault."""
        try:
            await self._commit(after, events)
        except Unavailable:
            raise
        except Exception as error:
            if len(events) == 1:
                event = events[0]
                raw = json.dumps({"at": event.at.isoformat(), "data": event.data})
                await self._set_aside(after, event.id, raw, error, call_id=event.call_id, event_type=event.type)
                return
            for event in events:
                if self._position is None:
                    return
                await self._record(self._position, [event])

    async def _commit(self, after: str, events: list[StreamEvent]) -> None:
        batch = [rows(event) for event in events]
        async with self._history.write() as connection:
            first = await _advance(connection, after, events[-1].id)
            if first:
                await write_rows(self._history, connection, batch, exporting=self._exporter is not None)
        self._position = events[-1].id if first else None

    async def _set_aside(
        self, after: str, entry_id: str, raw: str, error: Exception, *, call_id: str = "", event_type: str = ""
    ) -> None:
        log.error("history.set_aside", event_id=entry_id, call_id=call_id, type=event_type, error=type(error).__name__)
        row = _kept(entry_id, call_id, event_type, raw, f"{type(error).__name__}: {error}")
        async with self._history.write() as connection:
            first = await _advance(connection, after, entry_id)
            if first:
                await connection.execute(self._history.insert(set_aside).values(row).on_conflict_do_nothing())
        self._position = entry_id if first else None


def _kept(event_id: str, call_id: str, event_type: str, raw: str, error: str) -> dict[str, Any]:
    texts = {"event_id": event_id, "call_id": call_id, "type": event_type, "raw": raw, "error": error}
    return {name: storable(text) for name, text in texts.items()} | {"at": datetime.now(UTC)}


async def place(history: History) -> str:
    """Return the id of the last recorded event, "0" before the first. Raises Unavailable."""
    async with history.read() as connection:
        query = select(checkpoints.c.position).where(checkpoints.c.name == STREAM)
        return str((await connection.execute(query)).scalar_one())


async def _advance(connection: AsyncConnection, after: str, reached: str) -> bool:
    """Move the place from `after` to `reached`; return False where another recorder has moved it."""
    here = (checkpoints.c.name == STREAM) & (checkpoints.c.position == after)
    moved = await connection.execute(update(checkpoints).where(here).values(position=reached))
    return moved.rowcount == 1


async def _pause(stop: asyncio.Event, failures: int) -> None:
    longest_s = min(_FIRST_PAUSE_S * 2 ** min(failures, 10), _LONGEST_PAUSE_S)
    try:
        async with asyncio.timeout(longest_s * random.uniform(0.5, 1)):
            await stop.wait()
    except TimeoutError:
        return
