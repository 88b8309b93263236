"""Putting rows into the tables so that a repeat, or an older version that comes late, changes nothing."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from modules.call_history.database import History
from modules.call_history.projection import Row, Rows
from modules.call_history.tables import attempts, calls, events, turns
from modules.calls import State

# Which column says that a row is newer than the one in the table.
_NEWER: dict[Table, str] = {calls: "version", attempts: "version", turns: "event_key"}


async def write_rows(history: History, connection: AsyncConnection, batch: list[Rows], *, exporting: bool) -> None:
    """Write everything in `batch` within the caller's transaction; mark ended calls for export when `exporting`."""
    if exporting:
        batch = [_due(rows) for rows in batch]
    for table, found in (
        (calls, _latest(calls, (rows.call for rows in batch))),
        (attempts, _latest(attempts, (rows.attempt for rows in batch))),
        (turns, _latest(turns, (rows.turn for rows in batch))),
    ):
        if found:
            await connection.execute(_upsert(history, table), found)
    if timeline := [rows.event for rows in batch if rows.event is not None]:
        await connection.execute(history.insert(events).on_conflict_do_nothing(), timeline)
    if exporting:
        await _words_after_the_end(connection, [rows.turn for rows in batch if rows.turn is not None])


def _due(rows: Rows) -> Rows:
    if rows.call is None or rows.event is None or rows.call["state"] != State.ENDED.value:
        return rows
    return Rows(rows.call | {"export_due": rows.event["event_key"]}, rows.attempt, rows.turn, rows.event)


def _latest(table: Table, found: Iterable[Row | None]) -> list[Row]:
    """The newest row for each primary key."""
    identity = [column.name for column in table.primary_key]
    newest: dict[tuple[Any, ...], Row] = {}
    for row in found:
        if row is not None:
            key = tuple(row[name] for name in identity)
            if key not in newest or newest[key][_NEWER[table]] < row[_NEWER[table]]:
                newest[key] = row
    return list(newest.values())


def _upsert(history: History, table: Table) -> Any:
    statement = history.insert(table)
    identity = [column.name for column in table.primary_key]
    newer = _NEWER[table]
    return statement.on_conflict_do_update(
        index_elements=identity,
        set_={column.name: statement.excluded[column.name] for column in table.c if column.name not in identity},
        where=table.c[newer] < statement.excluded[newer],
    )


async def _words_after_the_end(connection: AsyncConnection, said: list[Row]) -> None:
    """A turn that is reported after the call's end makes the exported conversation incomplete: write it again."""
    late = {turn["call_id"]: {"of_call": turn["call_id"], "due": turn["event_key"]} for turn in said}
    if late:
        ended = (calls.c.call_id == bindparam("of_call")) & (calls.c.state == State.ENDED.value)
        await connection.execute(update(calls).where(ended).values(export_due=bindparam("due")), list(late.values()))
