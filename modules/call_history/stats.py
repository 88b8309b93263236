"""Comparing personalities and the arms of splits: counts, shares and measurements over the calls that a filter finds.

Everything is computed by the database in one consistent view, by the same statements on SQLite and Postgres. Medians are the
usual ones: the middle value, or the mean of the two middle ones.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, Subquery, and_, case, cast, distinct, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modules.call_history.database import History
from modules.call_history.model import Comparison, Filters, Share, Spread
from modules.call_history.search import conditions
from modules.call_history.tables import calls, turns
from modules.calls import Direction, Outcome, State

_WHO = (calls.c.personality, calls.c.arm)
_ENDED = calls.c.state == State.ENDED.value
_RUNG = and_(_ENDED, or_(calls.c.dials > 0, calls.c.direction == Direction.INBOUND.value))
_ANSWERED = and_(_ENDED, calls.c.answered_at.is_not(None))
_Z = 1.959964  # the normal distribution's 97.5 % point: a 95 % interval
_Group = tuple[str, str]
_NOTHING = Spread(0, None, None, None)


class Stats:
    """Questions about many calls at once. Raises Unavailable where the database cannot answer."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def compare(self, filters: Filters) -> tuple[Comparison, ...]:
        """Return one row for each personality and arm that has a call matching `filters`, by name. Raises InvalidField."""
        wanted = conditions(filters)
        async with self._history.read() as connection:
            outcomes = await _outcomes(connection, wanted)
            talk = await _spread(connection, _talk(wanted))
            said = await _spread(connection, _turns(wanted))
            latency = await _spread(connection, _latencies(wanted))
            counts = (await connection.execute(_counts(wanted))).all()
        return tuple(
            Comparison(
                personality=row.personality, arm=row.arm, calls=row.calls, ended=row.ended, versions=row.versions,
                outcomes=outcomes.get((row.personality, row.arm), {}),
                answered=share(row.answered, row.rung), completed=share(row.completed, row.answered),
                talk_s=talk.get((row.personality, row.arm), _NOTHING), turns=said.get((row.personality, row.arm), _NOTHING),
                latency_ms=latency.get((row.personality, row.arm), _NOTHING),
            )
            for row in counts
        )  # fmt: skip


def share(count: int, of: int) -> Share:
    """Return a share with its Wilson score interval, which holds for small samples and for shares near 0 and 1 as well."""
    if not of:
        return Share(count, of, None, None, None)
    found, slack = count / of, _Z**2 / of
    middle = (found + slack / 2) / (1 + slack)
    half = _Z / (1 + slack) * (found * (1 - found) / of + slack / (4 * of)) ** 0.5
    return Share(count, of, round(found, 4), round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4))


def _counts(wanted: list[ColumnElement[bool]]) -> Select[Any]:
    version = func.nullif(calls.c.record["personality_hash"].as_string(), "")
    return (
        select(
            *_WHO,
            func.count().label("calls"),
            _how_many(_ENDED).label("ended"),
            _how_many(or_(_RUNG, _ANSWERED)).label("rung"),
            _how_many(_ANSWERED).label("answered"),
            _how_many(and_(_ANSWERED, calls.c.outcome == Outcome.COMPLETED.value)).label("completed"),
            func.count(distinct(version)).label("versions"),
        )
        .where(*wanted)
        .group_by(*_WHO)
        .order_by(*_WHO)
    )


async def _outcomes(connection: AsyncConnection, wanted: list[ColumnElement[bool]]) -> Mapping[_Group, dict[str, int]]:
    query = select(*_WHO, calls.c.outcome, func.count().label("calls")).where(*wanted, _ENDED, calls.c.outcome.is_not(None))
    query = query.group_by(*_WHO, calls.c.outcome).order_by(func.count().desc(), calls.c.outcome)
    found: dict[_Group, dict[str, int]] = {}
    for row in (await connection.execute(query)).all():
        found.setdefault((row.personality, row.arm), {})[row.outcome] = row.calls
    return found


def _talk(wanted: list[ColumnElement[bool]]) -> Select[Any]:
    return select(*_WHO, calls.c.duration_s.label("value")).where(*wanted, _ANSWERED, calls.c.duration_s.is_not(None))


def _turns(wanted: list[ColumnElement[bool]]) -> Select[Any]:
    """How many utterances each answered call had, those without any too."""
    said = select(turns.c.call_id, func.count().label("said")).group_by(turns.c.call_id).subquery()
    joined = calls.outerjoin(said, said.c.call_id == calls.c.call_id)
    return select(*_WHO, func.coalesce(said.c.said, 0).label("value")).select_from(joined).where(*wanted, _ANSWERED)


def _latencies(wanted: list[ColumnElement[bool]]) -> Select[Any]:
    joined = calls.join(turns, turns.c.call_id == calls.c.call_id)
    measured = (_ANSWERED, turns.c.latency_ms.is_not(None))
    return select(*_WHO, turns.c.latency_ms.label("value")).select_from(joined).where(*wanted, *measured)


async def _spread(connection: AsyncConnection, values: Select[Any]) -> dict[_Group, Spread]:
    found = (await connection.execute(_spreads(values.subquery()))).all()
    return {(row.personality, row.arm): Spread(row.count, *_rounded(row.mean, row.median, row.p95)) for row in found}


def _spreads(values: Subquery) -> Select[Any]:
    who = (values.c.personality, values.c.arm)
    value = cast(values.c.value, Float)
    placed = select(
        *who,
        value.label("value"),
        func.row_number().over(partition_by=who, order_by=value).label("place"),
        func.count().over(partition_by=who).label("of"),
    ).subquery()
    place, of = placed.c.place, placed.c.of
    middle = and_(2 * place >= of, 2 * place <= of + 2)
    return select(
        placed.c.personality,
        placed.c.arm,
        func.count().label("count"),
        func.avg(placed.c.value).label("mean"),
        func.avg(case((middle, placed.c.value))).label("median"),
        func.min(case((20 * place >= 19 * of, placed.c.value))).label("p95"),
    ).group_by(placed.c.personality, placed.c.arm)


def _rounded(*values: float) -> list[float]:
    return [round(float(value), 3) for value in values]


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
