"""kill -9, one part at a time, in the middle of twenty calls. Counted at the carrier: nobody is rung twice, nothing is lost,
nobody is left on a silent line."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import psutil
import pytest
import pytest_asyncio

from modules.fleet import API, ORCHESTRATOR, WORKER, Fleet
from tests.callers import caller_of
from tests.fleets import running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="module")]

SHORT, BUSY, DECLINES, INVALID, HANGS_UP = (f"+120255501{last}" for last in ("11", "03", "05", "06", "07"))
CALLS = [*[SHORT] * 3, *[BUSY, SHORT, HANGS_UP, DECLINES, SHORT, HANGS_UP, INVALID, SHORT, BUSY] * 2][:20]
"""Calls of every kind: some talk, others are over as soon as they ring."""
SILENT_LINE = timedelta(seconds=10)
ENV = {"MAX_CONCURRENT_CALLS": "6", "CALLS_PER_SECOND": "4"}
FINE = {"completed", "busy", "declined", "invalid_number", "agent_failed", "indeterminate", "infrastructure"}
Fault = Callable[[Fleet], Awaitable[None]]


async def kill_part(fleet: Fleet, name: str) -> None:
    await fleet.kill(name)
    await fleet.ready(name)


async def kill_one_job(fleet: Fleet) -> None:
    """SIGKILL one process in which a call runs: the busiest descendant of the worker that is not its fork server."""
    busy: dict[int, float] = {}
    for child in psutil.Process(fleet.part(WORKER).pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # calls end, and their processes with them, while we look
            if not child.children():
                busy[child.pid] = child.cpu_times().user
    with contextlib.suppress(ProcessLookupError):
        os.kill(max(busy, key=lambda pid: busy[pid]), signal.SIGKILL)


FAULTS: dict[str, Fault] = {
    "orchestrator": lambda fleet: kill_part(fleet, ORCHESTRATOR),
    "worker": lambda fleet: kill_part(fleet, WORKER),
    "job": kill_one_job,
    "api": lambda fleet: kill_part(fleet, API),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    async with running(env=ENV) as fleet:
        yield fleet


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_killed_part_rings_nobody_twice_and_loses_nothing(fleet: Fleet, fault: str) -> None:
    """A part died in the middle of my calls. Each of them ended, none was dialled twice, no line stayed open and silent."""
    caller = caller_of(fleet)
    placed = [await caller.place(number, personality="short_notice") for number in CALLS]
    await caller.state_is(placed[2], "in_progress")
    await asyncio.sleep(random.uniform(0, 3))
    struck = datetime.now().astimezone()
    await FAULTS[fault](fleet)
    ended = await asyncio.gather(*(caller.end_of(call_id, within_s=200) for call_id in placed))
    dials = [dial for dial in await caller.dials() if dial["call_id"] in placed]
    the_carrier_saw_each_attempt_once(dials)
    assert {call["outcome"] for call in ended} <= FINE
    no_line_stayed_silent(dials, struck)
    await caller.http.aclose()


def the_carrier_saw_each_attempt_once(dials: list[dict[str, Any]]) -> None:
    attempts = [(dial["call_id"], dial["attempt"]) for dial in dials]
    assert len(attempts) == len(set(attempts)), "one attempt was dialled twice"
    answered = [dial["call_id"] for dial in dials if dial["answered_at"]]
    assert len(answered) == len(set(answered)), "somebody who had answered was rung again"


def no_line_stayed_silent(dials: list[dict[str, Any]], struck: datetime) -> None:
    """Whoever was on the phone when the part died has heard a voice or been hung up on within ten seconds."""
    for dial in dials:
        assert dial["ended_at"], "a phone was never hung up"
        if dial["answered_at"] and datetime.fromisoformat(dial["ended_at"]) > struck:
            assert timedelta(milliseconds=dial["longest_silence_ms"] or 0) <= SILENT_LINE
