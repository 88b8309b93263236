"""Killed, doubled, cut off, poisoned: the recorder goes on where it was, and nothing is lost or written twice."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text

from modules.call_history import Filters, History, Recorder, Search, open_history, place
from modules.call_history.projection import event_key
from modules.call_history.tables import events, set_aside, turns
from modules.call_queue_manager import Store, connect, keys, latest_id, read_after
from tests.sql.conftest import catch_up, on_postgres
from tests.sql.phones import Phones

pytestmark = pytest.mark.sql
Waits = Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]


async def _count(history: History, table: str) -> int:
    async with history.read() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def _complete(history: History, store: Store, calls: int) -> None:
    """Check that SQL holds every event of the stream exactly as often as it should: once."""
    stream = await read_after(store, "0", count=100_000)
    said = [event for event in stream if event.type == "call.turn"]
    async with history.read() as connection:
        kept = (await connection.execute(select(events.c.event_key).order_by(events.c.event_key))).scalars().all()
        spoken = (await connection.execute(select(func.count()).select_from(turns))).scalar_one()
    assert len(kept) == len(stream) - len(said) and len(set(kept)) == len(kept)
    assert spoken == len(said)
    assert await _count(history, "calls") == calls and await _count(history, "set_aside") == 0
    ended = await Search(history).page(Filters(), limit=200)
    assert {call.state for call in ended.calls} == {"ended"}


async def test_killed_between_events_it_goes_on_where_it_was(
    phones: Phones, store: Store, redis_url: str, history: History, database_url: str, wait_until: Waits
) -> None:
    """When the recording process is killed again and again in the middle of its work, no call and no word is missing."""
    command = [sys.executable, "-m", "tests.sql.recording_process", redis_url, database_url]
    made = 0
    for _ in range(4):
        process = await asyncio.create_subprocess_exec(*command)
        try:
            before = await place(history)
            made += await _talk(phones, 10)

            async def moved(before: str = before) -> bool:
                return await place(history) != before

            await wait_until(moved, 30)
            made += await _talk(phones, 7)  # it is right behind when it dies
        finally:
            process.kill()
            await process.wait()
    await catch_up(Recorder(store, history), store, history)
    await _complete(history, store, made)


async def _talk(phones: Phones, calls: int) -> int:
    for _ in range(calls):
        await phones.whole("Hello.", "Who is it?", "An AI assistant.")
    return calls


async def test_two_recorders_share_one_stream(
    phones: Phones, store: Store, redis_url: str, history: History, database_url: str, wait_until: Waits
) -> None:
    """When two API processes record at once, each stretch of the stream is written by one of them, in order."""
    await _keep_an_eye_on_the_checkpoint(history)
    stop = asyncio.Event()

    async def one() -> None:
        own_store, own_history = await connect(redis_url, blocking_s=1), await open_history(database_url)
        await Recorder(own_store, own_history).run(stop)
        await own_history.close()
        await own_store.close()

    async def done() -> bool:
        return await place(history) == await latest_id(store)

    async with asyncio.TaskGroup() as recorders:
        recorders.create_task(one(), name="first recorder")
        recorders.create_task(one(), name="second recorder")
        for _ in range(60):
            await phones.whole("Hello.", "Who is it?")
        await wait_until(done, 30)
        stop.set()
    await _complete(history, store, 60)
    async with history.read() as connection:
        steps = (await connection.execute(text("SELECT left_at, reached FROM seen ORDER BY id"))).all()
    assert all(event_key(step.left_at) < event_key(step.reached) for step in steps)
    assert len(steps) > 1


async def _keep_an_eye_on_the_checkpoint(history: History) -> None:
    """Let the database itself write down every move of the checkpoint."""
    async with history.write() as connection:
        if connection.dialect.name == "sqlite":
            statements = [
                "CREATE TABLE seen (id INTEGER PRIMARY KEY, left_at TEXT, reached TEXT)",
                "CREATE TRIGGER eye AFTER UPDATE ON checkpoints BEGIN"
                " INSERT INTO seen (left_at, reached) VALUES (old.position, new.position); END",
            ]
        else:
            statements = [
                "CREATE TABLE seen (id SERIAL PRIMARY KEY, left_at TEXT, reached TEXT)",
                "CREATE FUNCTION eye() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " INSERT INTO seen (left_at, reached) VALUES (old.position, new.position); RETURN new; END $$",
                "CREATE TRIGGER eye AFTER UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION eye()",
            ]
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def test_the_database_may_be_away_for_a_while(
    phones: Phones, store: Store, redis_url: str, history: History, database_url: str, wait_until: Waits
) -> None:
    """When the database stops answering, calls go on, and are all recorded when it is back."""
    stop = asyncio.Event()
    impatient = await open_history(database_url, wait_s=0.1)
    listening = await connect(redis_url, blocking_s=1)
    refused = asyncio.Event()

    class Watched(Recorder):
        async def step(self) -> int:
            try:
                return await super().step()
            except Exception:
                refused.set()
                raise

    async def done() -> bool:
        return await place(history) == await latest_id(store)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Watched(listening, impatient).run(stop), name="recorder")
        await phones.whole("Hello.")
        await wait_until(done, 10)
        async with _away(database_url):
            await phones.whole("Is anybody there?")
            await refused.wait()
            await phones.whole("Hello?")
        await wait_until(done, 20)
        stop.set()
    await impatient.close()
    await listening.close()
    await _complete(history, store, 3)


@asynccontextmanager
async def _away(database_url: str) -> AsyncIterator[None]:
    """Make the database refuse: Postgres by its owner's command, SQLite by somebody who holds the file."""
    if database_url.startswith("sqlite"):
        holder = await open_history(database_url)
        async with holder.write():
            yield
        await holder.close()
        return
    name = make_url(database_url).database
    await on_postgres(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await on_postgres(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    yield
    await on_postgres(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def test_redis_may_be_away_for_a_while(
    phones: Phones, store: Store, redis_url: str, history: History, wait_until: Waits
) -> None:
    """When Redis drops every connection, recording goes on by itself once it answers again."""
    stop = asyncio.Event()
    listening = await connect(redis_url, blocking_s=1)

    async def done() -> bool:
        return await place(history) == await latest_id(store)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Recorder(listening, history).run(stop), name="recorder")
        await phones.whole("Hello.")
        await wait_until(done, 10)
        for _ in range(3):
            await store.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            await phones.whole("Hello again.")
        await wait_until(done, 20)
        stop.set()
    await listening.close()
    await _complete(history, store, 4)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"data": "{broken", "type": "call.turn"}, id="not JSON"),
        pytest.param({"data": "{}", "type": "call.turn"}, id="a turn without words"),
        pytest.param({"data": "[]", "type": "call.ended"}, id="no record"),
        pytest.param({"data": '{"version": 3}', "type": "call.ended"}, id="a record of nothing"),
        pytest.param({"data": "{}", "type": "call.note", "at": "yesterday"}, id="no time"),
        pytest.param({"data": "{}", "type": "call.note", "at": "2026-11-21T00:00:00"}, id="a time without a zone"),
        pytest.param({"data": "{}", "type": "x" * 500, "call_id": "y" * 500}, id="longer than any of ours"),
        pytest.param(
            {
                "data": '{"index": 99999999999999999999, "speaker": "agent", "text": "", "start_s": 0, "end_s": 0}',
                "type": "call.turn",
            },
            id="a number no column holds",
        ),
    ],
)
async def test_a_poisonous_event_is_set_aside(
    phones: Phones, store: Store, history: History, database_url: str, entry: dict[str, str]
) -> None:
    """An event nobody can read is kept aside for me to look at; the calls before and after it are recorded."""
    before = await phones.whole("Hello.")
    fields = {"call_id": before.call_id, "at": "2026-11-21T00:00:00+00:00"} | entry
    poison = await store.call("XADD", keys.EVENTS, "*", *(part for pair in fields.items() for part in pair))
    after = await phones.whole("Hello again.")
    await catch_up(Recorder(store, history), store, history)
    for call in (before, after):
        assert await Search(history).call(call.call_id) == call
        assert len(await Search(history).transcript(call.call_id)) == 1
    async with history.read() as connection:
        kept = (await connection.execute(select(set_aside))).all()
    lenient = database_url.startswith("sqlite") and len(entry["type"]) > 100
    assert [row.event_id for row in kept] == ([] if lenient else [poison])  # SQLite holds texts of any length
    assert lenient or json.loads(kept[0].raw)


async def test_recording_starts_with_what_happened_before_it(
    phones: Phones, store: Store, history: History, tmp_path: Path
) -> None:
    """Calls made while nothing recorded are in the history as soon as something does."""
    for _ in range(3):
        await phones.whole("Hello.")
    await catch_up(Recorder(store, history), store, history)
    await _complete(history, store, 3)


async def test_events_that_redis_dropped_are_not_passed_over_in_silence(
    phones: Phones, store: Store, history: History
) -> None:
    """When recording was off for longer than Redis remembers, I am told between which moments something may be missing."""
    await phones.whole("Hello.")
    await catch_up(Recorder(store, history), store, history)
    reached = await place(history)
    await phones.whole("Nobody writes this down.")
    await store.call("XTRIM", keys.EVENTS, "MAXLEN", 2)
    oldest = (await read_after(store, "0"))[0].id
    await catch_up(Recorder(store, history), store, history)
    await catch_up(Recorder(store, history), store, history)
    async with history.read() as connection:
        kept = (await connection.execute(select(set_aside))).all()
    assert [(row.event_id, row.type) for row in kept] == [(f"{reached}..{oldest}", "gap")]
