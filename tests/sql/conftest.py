"""A database of the test's own, on SQLite and, where TEST_POSTGRES_URL says so, on Postgres; and calls to record in it."""

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from modules.call_history import History, Recorder, Search, open_history, place
from modules.call_queue_manager import CallQueue, Records, Store, latest_id
from tests.sql.phones import Phones

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")


async def on_postgres(statement: str) -> None:
    """Run one statement as the owner of the server, outside any transaction."""
    url = make_url(POSTGRES).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of an empty database that only this test knows."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/history.db"
        return
    if not POSTGRES:
        pytest.skip("TEST_POSTGRES_URL is not set")
    name = f"voicefleet_test_{secrets.token_hex(6)}"
    await on_postgres(f"CREATE DATABASE {name}")
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    await on_postgres(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def history(database_url: str) -> AsyncIterator[History]:
    opened = await open_history(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def search(history: History) -> Search:
    return Search(history)


@pytest.fixture
def phones(queue: CallQueue, records: Records) -> Phones:
    return Phones(queue, records)


@pytest.fixture
def record_all(store: Store, history: History) -> Callable[[], Awaitable[None]]:
    """Record everything that has happened so far."""

    async def recorded() -> None:
        await catch_up(Recorder(store, history), store, history)

    return recorded


async def catch_up(recorder: Recorder, store: Store, history: History) -> None:
    """Let a recorder work until it has reached the end of the stream."""
    newest = await latest_id(store)
    while await place(history) != newest:
        await recorder.step()
