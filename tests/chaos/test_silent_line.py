"""The agent is there and says nothing: its process hangs, or its voice does. Nobody listens to nothing for long."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from modules.call_queue_manager import connect
from modules.call_queue_manager.records import Records
from modules.fleet import Fleet, Plan
from modules.fleet.process import ended
from tests.callers import Caller, caller_of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

DESK, TALKER, NEVER_ANSWERS = "+12025550100", "+12025550112", "+12025550104"
SILENT_LINE_MS = 10_000
WaitUntil = Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]
# Speaks as flite does until the file is there; then a sentence in the agent's voice never comes.
VOICE = """#!/bin/sh
case "$*" in *"-voice rms"*) [ -e "{mark}" ] && exec sleep 600;; esac
exec "{flite}" "$@"
"""


@pytest.fixture
def mute(tmp_path: Path) -> Path:
    """A file; while it exists, the agent's speech synthesis hangs."""
    flite = shutil.which("flite")
    if flite is None:
        pytest.skip("flite is missing; ./start_scripts/test.sh gets it")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "flite"
    program.write_text(VOICE.format(mark=tmp_path / "mute", flite=flite))
    program.chmod(0o755)
    return tmp_path / "mute"


@pytest.fixture
async def caller(mute: Path) -> AsyncIterator[Caller]:
    env = {"CALLS_PER_SECOND": "4", "PATH": f"{mute.parent / 'bin'}:{os.environ['PATH']}"}
    async with Fleet(Plan(env=env)) as fleet:
        caller = caller_of(fleet)
        yield caller
        await caller.http.aclose()


async def test_a_frozen_agent_is_hung_up_on_and_rings_nobody_when_it_wakes(caller: Caller, wait_until: WaitUntil) -> None:
    """Two of my agents froze, one talking, one ringing: both lines were cut, and waking up they did no more harm."""
    talking, ringing = await caller.place(TALKER), await caller.place(NEVER_ANSWERS)
    await caller.state_is(talking, "in_progress")
    await caller.state_is(ringing, "ringing")
    jobs = [await process_of(caller, call_id) for call_id in (talking, ringing)]
    for job in jobs:
        os.kill(job, signal.SIGSTOP)
    cut = [await caller.hung_up(call_id, within_s=20) for call_id in (talking, ringing)]
    outcomes = [(await caller.end_of(call_id))["outcome"] for call_id in (talking, ringing)]
    for job in jobs:
        os.kill(job, signal.SIGCONT)

    async def gone() -> bool:
        return all(ended(job) for job in jobs)

    await wait_until(gone, 30)
    assert outcomes == ["agent_failed", "indeterminate"]
    assert cut[0]["longest_silence_ms"] <= SILENT_LINE_MS
    assert len(await caller.dials()) == 2


async def test_an_agent_that_cannot_speak_hangs_up(caller: Caller, mute: Path) -> None:
    """Somebody picked up and my agent's voice did not come: they were not kept waiting, and the call says that we failed."""
    mute.touch()  # noqa: ASYNC240 - a test's own folder
    call_id = await caller.place(DESK)
    call = await caller.end_of(call_id)
    assert (call["outcome"], call["reason"]) == ("agent_failed", "The agent fell silent.")
    dial = await caller.hung_up(call_id)
    assert dial["ended_by"] == "caller"
    assert dial["longest_silence_ms"] <= SILENT_LINE_MS


async def process_of(caller: Caller, call_id: str) -> int:
    """Return the id of the process in which a call's agent runs."""
    store = await connect(caller.fleet.settings.redis_url)
    call = await Records(store, lease_s=7, retention_s=60).load(call_id)
    await store.close()
    return int((call.worker_id or "").rpartition(":")[2])
