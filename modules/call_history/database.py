"""The connection to SQL: opened once, migrated under a lock, closed at the end. What is in the tables is not known here.

Everything that means "the database cannot answer now" leaves as Unavailable; what means "this data cannot be stored" leaves
as SQLAlchemy raised it, so that the recorder can tell a stopped database from a poisonous event.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from modules.calls.errors import InvalidField, Unavailable

_MIGRATIONS = Path(__file__).parent / "migrations"
_TRIES = 50
# SQLSTATE classes of values that cannot be stored: cardinality, data, integrity, program limit. No other value would help.
_DATA_FAULTS = ("21", "22", "23", "54")
_ADVISORY_LOCK = 0x766F6963


class History:
    """The database. Built by open_history, passed as an argument, closed in reverse."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view. Raises Unavailable where the database cannot answer."""
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _told(error) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed when the block ends well. Raises Unavailable where the database cannot answer."""
        try:
            async with self._engine.execution_options(for_writing=True).begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _told(error) from error

    def insert(self, table: Table) -> "postgresql.Insert | sqlite.Insert":
        """An INSERT that knows ON CONFLICT, in this database's dialect."""
        return sqlite.insert(table) if self._engine.dialect.name == "sqlite" else postgresql.insert(table)

    async def ping(self) -> None:
        """Return when the database answers. Raises Unavailable."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()


async def open_history(database_url: str, *, wait_s: float = 15.0) -> History:
    """Open `sqlite:///path` or `postgresql://…`, make what is missing, and bring the tables up to date.

    Several processes may do this at once. `wait_s` is how long a busy or silent database is waited for.
    Raises InvalidField for another kind of URL, Unavailable when nothing answers.
    """
    url = _url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = await _open_sqlite(url, wait_s)
    else:
        options = {"timeout": wait_s, "command_timeout": wait_s}
        engine = create_async_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5, connect_args=options)
    history = History(engine)
    try:
        async with history.write() as connection:
            if url.get_backend_name() != "sqlite":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            await connection.run_sync(_migrate)
    except BaseException:
        await history.close()
        raise
    return history


def _url(database_url: str) -> URL:
    try:
        url = make_url(database_url)
    except ArgumentError:
        url = None
    backend = url.get_backend_name() if url else ""
    if url is None or backend not in ("sqlite", "postgresql", "postgres"):
        raise InvalidField("DATABASE_URL reads sqlite:///path or postgresql://user:password@host/name.", field="DATABASE_URL")
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise InvalidField("DATABASE_URL needs a file: sqlite:///data/voicefleet.db.", field="DATABASE_URL")
        return url.set(drivername="sqlite+aiosqlite")
    url = url.set(drivername="postgresql+asyncpg")
    # libpq's name for it is what people and hosting companies write; asyncpg calls it ssl.
    if "sslmode" in url.query:
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": str(url.query["sslmode"])})
    return url


async def _open_sqlite(url: URL, wait_s: float) -> AsyncEngine:
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"The folder {path.parent} for the history database cannot be made: {error.strerror}.") from error
    engine = create_async_engine(url, connect_args={"timeout": wait_s})
    event.listen(engine.sync_engine, "connect", _on_connect)
    event.listen(engine.sync_engine, "begin", _begin)
    try:
        await _first_connection(engine, wait_s)
    except BaseException:
        await engine.dispose()
        raise
    return engine


async def _first_connection(engine: AsyncEngine, wait_s: float) -> None:
    """Connect once. Switching a new file to write-ahead logging fails at once while another process does the same."""
    for attempt in range(_TRIES):
        try:
            async with engine.connect():
                return
        except (SQLAlchemyError, OSError) as error:
            if attempt == _TRIES - 1:
                raise _told(error) from error
            await asyncio.sleep(wait_s / _TRIES)


def _on_connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where _begin says, not where the driver guesses
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers and one writer at once
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that will write takes the lock first: one that reads and then wants to write fails when it comes second.
    writing = connection.get_execution_options().get("for_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _told(error: Exception) -> Exception:
    """What a caller should hear: Unavailable, unless the fault lies in the data itself."""
    if isinstance(error, SQLAlchemyError) and _is_data_fault(error):
        return error
    return Unavailable(f"The history database cannot be reached ({type(error).__name__}). Try again in a moment.")


def _is_data_fault(error: SQLAlchemyError) -> bool:
    """Would the same data fail again on a healthy database?"""
    if not isinstance(error, DBAPIError):
        return isinstance(error, StatementError)
    cause: Any = getattr(error.orig, "__cause__", None)
    state = str(getattr(error.orig, "sqlstate", None) or getattr(cause, "sqlstate", None) or "")
    if state:
        return state.startswith(_DATA_FAULTS)
    return isinstance(cause, ValueError) or isinstance(error, DataError | IntegrityError)
