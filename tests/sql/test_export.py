"""Conversations as files: complete, private, written when the call has ended."""

import asyncio
import json
import shutil
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from modules.call_history import History, Recorder, Search
from modules.call_history.export import Exporter
from modules.call_history.tables import calls
from modules.call_queue_manager import Store
from modules.calls import Call
from tests.sql.conftest import catch_up
from tests.sql.phones import NUMBER, Phones

pytestmark = pytest.mark.sql
Waits = Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


def _files(logs: Path) -> list[Path]:
    return sorted(path for path in logs.rglob("*") if path.is_file())


def _take_the_place_of(logs: Path) -> None:
    logs.write_text("a file where the folder should be", encoding="utf-8")


def _make_room_for(logs: Path) -> None:
    logs.unlink()


async def _due(history: History) -> int:
    async with history.read() as connection:
        return len((await connection.execute(select(calls).where(calls.c.export_due.is_not(None)))).all())


async def test_a_conversation_is_written_as_json_and_as_text(
    phones: Phones, store: Store, history: History, search: Search, logs: Path
) -> None:
    """When a call is over I find its conversation in the folder of its day, for programs and for people."""
    call = await phones.whole("Hello, an AI assistant.", "What\nis it?", "The price.", caller_name="Ada")
    await catch_up(Recorder(store, history, logs_dir=logs), store, history)
    assert await Exporter(history, logs).write_due() == 1
    folder = logs / f"{call.created_at:%Y-%m-%d}"
    assert _files(logs) == [folder / f"{call.call_id}.json", folder / f"{call.call_id}.txt"]

    content = json.loads((folder / f"{call.call_id}.json").read_text(encoding="utf-8"))
    assert Call.from_json(content["call"]) == call
    assert [turn["text"] for turn in content["transcript"]] == ["Hello, an AI assistant.", "What\nis it?", "The price."]
    assert content["attempts"][0]["outcome"] == "completed"

    text = (folder / f"{call.call_id}.txt").read_text(encoding="utf-8")
    assert text.splitlines()[-3:] == [
        "00:00.0  agent:   Hello, an AI assistant.",
        "00:02.0  callee:  What is it?",
        "00:04.0  agent:   The price.",
    ]
    assert NUMBER not in text and "+1202*****00" in text and "completed" in text


async def test_nobody_else_on_the_machine_can_read_them(phones: Phones, store: Store, history: History, logs: Path) -> None:
    """The files belong to the fleet's user alone."""
    await phones.whole("Hello.")
    await catch_up(Recorder(store, history, logs_dir=logs), store, history)
    await Exporter(history, logs).write_due()
    assert {stat.S_IMODE(path.stat().st_mode) for path in _files(logs)} == {0o600}


async def test_each_is_written_once(phones: Phones, store: Store, history: History, logs: Path) -> None:
    """A file I moved away or changed is not written again behind my back."""
    await phones.whole("Hello.")
    await catch_up(Recorder(store, history, logs_dir=logs), store, history)
    exporter = Exporter(history, logs)
    await exporter.write_due()
    shutil.rmtree(logs)
    assert await exporter.write_due() == 0 and await _due(history) == 0
    assert _files(logs) == []


async def test_words_reported_after_the_end_are_in_the_file(
    phones: Phones, store: Store, history: History, logs: Path
) -> None:
    """The last words belong to the conversation even when they were reported after the hang-up."""
    await phones.ask()
    held = await phones.answer(await phones.take())
    await phones.say(held, 0, "Hello.")
    await phones.hang_up(held)
    recorder = Recorder(store, history, logs_dir=logs)
    await catch_up(recorder, store, history)
    await Exporter(history, logs).write_due()
    await phones.say(held, 1, "Goodbye then.")
    await catch_up(recorder, store, history)
    assert await Exporter(history, logs).write_due() == 1
    assert "Goodbye then." in (_files(logs)[1]).read_text(encoding="utf-8")


async def test_switched_off_nothing_is_written(phones: Phones, store: Store, history: History, logs: Path) -> None:
    """With EXPORT_CONVERSATIONS=false no file appears, and none is made up for later."""
    await phones.whole("Hello.")
    await catch_up(Recorder(store, history), store, history)
    assert await _due(history) == 0
    assert await Exporter(history, logs).write_due() == 0 and _files(logs) == []


async def test_a_full_disk_does_not_stop_recording(
    phones: Phones, store: Store, history: History, search: Search, logs: Path, wait_until: Waits
) -> None:
    """When the folder cannot be written, calls are still recorded, and the files follow when it can."""
    _take_the_place_of(logs)
    stop = asyncio.Event()
    recorder = Recorder(store, history, logs_dir=logs)

    async def recorded() -> bool:
        return await _due(history) == 2

    async def exported() -> bool:
        return len(_files(logs)) == 6 and await _due(history) == 0

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(recorder.run(stop), name="recorder")
        await phones.whole("Hello.")
        await phones.whole("Hello again.")
        await wait_until(recorded, 20)
        _make_room_for(logs)
        await phones.whole("And again.")
        await wait_until(exported, 20)
        stop.set()


async def test_an_id_that_is_not_ours_never_becomes_a_file(
    phones: Phones, store: Store, history: History, logs: Path, tmp_path: Path
) -> None:
    """No record can make the fleet write outside its folder."""
    call = await phones.whole("Hello.")
    await catch_up(Recorder(store, history, logs_dir=logs), store, history)
    async with history.write() as connection:
        await connection.execute(update(calls).where(calls.c.call_id == call.call_id).values(call_id="../../escaped"))
    assert await Exporter(history, logs).write_due() == 1
    assert not [path for path in _files(tmp_path.parent) if "escaped" in path.name]
    assert await _due(history) == 0


async def test_nobody_can_speak_a_line_into_the_file(
    phones: Phones, store: Store, history: History, logs: Path
) -> None:
    """Words with line breaks or control signs stay within their own line."""
    await phones.whole("Fine.\r\n00:09.9  agent:  I agree \x1b[2J\u2028to all", caller_name="Ada\ncall: other")
    await catch_up(Recorder(store, history, logs_dir=logs), store, history)
    await Exporter(history, logs).write_due()
    lines = _files(logs)[1].read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "00:00.0  agent:   Fine. 00:09.9 agent: I agree [2J to all"
