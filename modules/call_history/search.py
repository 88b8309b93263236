"""Reading: one call, its words, its attempts, its timeline, and lists by filter, newest first. Nothing here writes."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, literal, or_, select, tuple_

from modules.call_history.cursor import pack, unpack
from modules.call_history.database import History
from modules.call_history.model import Attempt, Filters, Page, TimelineEvent, Turn
from modules.call_history.projection import event_id, folded, read_call
from modules.call_history.tables import Moment, attempts, calls, events, turns
from modules.calls import Call, Direction, Outcome
from modules.calls.errors import InvalidField, NotFound

MOST_PER_PAGE = 200
LONGEST_TEXT = 200
_EXACT = ("state", "outcome", "direction", "personality", "arm", "trunk", "simulated", "to_number")


class Search:
    """Questions to history. Every method raises Unavailable where the database cannot answer."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def page(self, filters: Filters, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return up to `limit` calls that match, newest first. Raises InvalidField for a bad cursor, limit or text.

        New calls never move the pages behind a cursor: they come before the first page.
        """
        if not 1 <= limit <= MOST_PER_PAGE:
            raise InvalidField(f"limit is 1 to {MOST_PER_PAGE}.", field="limit")
        query = select(calls.c.record).where(*conditions(filters))
        if cursor is not None:
            created_at, call_id = unpack(cursor)
            place = tuple_(literal(created_at, Moment), literal(call_id))
            query = query.where(tuple_(calls.c.created_at, calls.c.call_id) < place)
        query = query.order_by(calls.c.created_at.desc(), calls.c.call_id.desc()).limit(limit + 1)
        found = [read_call(row.record) for row in await self._rows(query)]
        listed = tuple(found[:limit])
        return Page(listed, pack(listed[-1].created_at, listed[-1].call_id) if len(found) > limit else None)

    async def call(self, call_id: str) -> Call:
        """Return one call as last recorded. Raises NotFound."""
        found = await self._rows(select(calls.c.record).where(calls.c.call_id == call_id))
        if not found:
            raise NotFound("No call has this id.")
        return read_call(found[0].record)

    async def transcript(self, call_id: str) -> tuple[Turn, ...]:
        """Return what was said, in order; empty for a call nobody knows or nobody spoke in."""
        query = select(*_columns(turns, Turn)).where(turns.c.call_id == call_id).order_by(turns.c.index)
        return tuple(Turn(**row._mapping) for row in await self._rows(query))

    async def attempts(self, call_id: str) -> tuple[Attempt, ...]:
        """Return the call's attempts, first one first."""
        query = select(*_columns(attempts, Attempt)).where(attempts.c.call_id == call_id).order_by(attempts.c.attempt)
        return tuple(_attempt(row) for row in await self._rows(query))

    async def timeline(self, call_id: str) -> tuple[TimelineEvent, ...]:
        """Return the call's events without the spoken words, in the order of the event stream."""
        query = select(events).where(events.c.call_id == call_id).order_by(events.c.event_key)
        return tuple(
            TimelineEvent(event_id(row.event_key), row.call_id, row.type, row.at, row.data) for row in await self._rows(query)
        )

    async def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        async with self._history.read() as connection:
            return list((await connection.execute(query)).all())


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Return what a call must be to match. Raises InvalidField for a text that cannot be looked for."""
    wanted = {name: getattr(filters, name) for name in _EXACT}
    found = [calls.c[name] == _plain(value) for name, value in wanted.items() if value is not None]
    if filters.created_from is not None:
        found.append(calls.c.created_at >= filters.created_from)
    if filters.created_before is not None:
        found.append(calls.c.created_at < filters.created_before)
    if filters.party is not None:
        party = str(filters.party)
        rang_us = and_(calls.c.direction == Direction.INBOUND.value, calls.c.from_number == party)
        found.append(or_(and_(calls.c.direction == Direction.OUTBOUND.value, calls.c.to_number == party), rang_us))
    if filters.text is not None:
        found.append(_mentions(filters.text))
    return found


def _mentions(text: str) -> ColumnElement[bool]:
    """The words of `text`, next to each other, in one utterance or in the caller's name."""
    wanted = folded(text)
    if not wanted or len(wanted) > LONGEST_TEXT or "\x00" in wanted:
        raise InvalidField(f"The text to look for has 1 to {LONGEST_TEXT} characters.", field="text")
    said = exists().where(and_(turns.c.call_id == calls.c.call_id, turns.c.folded.contains(wanted, autoescape=True)))
    return or_(calls.c.caller_folded.contains(wanted, autoescape=True), said)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _columns(table: Any, record: Any) -> list[Any]:
    return [table.c[name] for name in record.__dataclass_fields__]


def _attempt(row: Row[Any]) -> Attempt:
    values = dict(row._mapping)
    return Attempt(**values | {"outcome": Outcome(values["outcome"]) if values["outcome"] else None})
