"""The database itself: made when missing, brought up to date by whoever comes first, honest about what it cannot do."""

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from modules.call_history import Filters, History, Search, open_history
from modules.call_history.tables import metadata
from modules.calls.errors import InvalidField, Unavailable

pytestmark = pytest.mark.sql


async def test_the_migrations_make_exactly_the_tables_the_program_uses(history: History) -> None:
    """A fresh database and the program never disagree about a column or an index."""

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata))

    async with history.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_several_processes_may_start_at_once(database_url: str) -> None:
    """When I start three processes on an empty database, each finds it ready."""
    code = (
        "import asyncio, sys\n"
        "from modules.call_history import open_history\n"
        "async def main():\n"
        "    history = await open_history(sys.argv[1])\n"
        "    await history.ping()\n"
        "    await history.close()\n"
        "asyncio.run(main())\n"
    )
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", code, database_url) for _ in range(3)]
    assert [await process.wait() for process in started] == [0, 0, 0]


async def test_several_may_open_it_in_one_process(database_url: str) -> None:
    """Parts of one process may each open the history at the same time."""
    opened = await asyncio.gather(*(open_history(database_url) for _ in range(5)))
    for history in opened:
        assert (await Search(history).page(Filters())).calls == ()
        await history.close()


async def test_opening_again_keeps_what_is_there(database_url: str) -> None:
    """A restart loses nothing."""
    first = await open_history(database_url)
    async with first.write() as connection:
        await connection.execute(text("UPDATE checkpoints SET position = '7-0'"))
    await first.close()
    second = await open_history(database_url)
    async with second.read() as connection:
        assert (await connection.execute(text("SELECT position FROM checkpoints"))).scalars().all() == ["7-0"]
    await second.close()


async def test_a_failed_transaction_leaves_nothing(history: History) -> None:
    """What is written together is there together or not at all."""
    with pytest.raises(RuntimeError):
        async with history.write() as connection:
            await connection.execute(text("UPDATE checkpoints SET position = '7-0'"))
            raise RuntimeError
    async with history.read() as connection:
        assert (await connection.execute(text("SELECT position FROM checkpoints"))).scalars().all() == ["0"]


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://somewhere/db", "sqlite://", "sqlite:///:memory:"])
async def test_another_kind_of_database_is_refused_by_name(url: str) -> None:
    """A DATABASE_URL that cannot work is refused at once, and told how it should read."""
    with pytest.raises(InvalidField) as refused:
        await open_history(url)
    assert refused.value.field == "DATABASE_URL" and ":///" in refused.value.message


async def test_a_database_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    """When nothing listens, or the path cannot be, I am told that the history is away and nothing else breaks."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    for url in ("postgresql://nobody:secret@127.0.0.1:1/nothing", f"sqlite:///{tmp_path}/file/history.db"):
        with pytest.raises(Unavailable) as told:
            await open_history(url, wait_s=0.5)
        assert "secret" not in told.value.message
