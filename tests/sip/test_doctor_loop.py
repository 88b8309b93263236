"""`./voicefleet doctor --loop` on a fleet with a real livekit-sip: what it measures, and that it leaves nothing behind."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from modules.sip_management.loop import loop_name
from modules.sip_management.shelves import everything
from tests.one_fleet.test_doctor import doctor
from tests.sip.conftest import LIBRARY, Wire

pytestmark = [pytest.mark.fleet, pytest.mark.sip, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="session")]

ROUND = ("loop_call", "loop_there", "loop_back", "loop_round_trip", "loop_removed")


async def looped(wire: Wire, *words: str) -> dict[str, dict[str, Any]]:
    """Type the command; return its lines by name. Nothing is red."""
    code, out = await doctor(wire.fleet, "--loop", *words, "--json")
    found = {line["name"]: line for line in json.loads(out)["checks"]}
    assert (code, "red" in {line["colour"] for line in found.values()}) == (0, False), found
    return found


async def stored(wire: Wire) -> list[str]:
    return sorted(thing.name for things in (await everything(wire.lkapi)).values() for thing in things)


async def placed(wire: Wire) -> list[str]:
    answer = await wire.caller.http.get("/v1/calls", params={"limit": 200})
    return [call["call_id"] for call in answer.raise_for_status().json()["calls"]]


@asynccontextmanager
async def started(wire: Wire, until: str) -> AsyncIterator[tuple[Process, str]]:
    """A doctor that has got so far, with what it told on the way; it is gone afterwards."""
    command = (sys.executable, "-m", "modules", "doctor", "--loop", "--api-url", wire.fleet.api_url)
    running = await asyncio.create_subprocess_exec(*command, env=dict(wire.fleet.env), cwd=wire.folder, stderr=PIPE, stdout=PIPE)
    assert running.stderr
    told = ""
    try:
        async with asyncio.timeout(150):
            while until not in told:
                line = await running.stderr.readline()
                assert line, told
                told += line.decode()
        yield running, told
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def test_two_agents_hear_each_other_and_nothing_is_left(wire: Wire) -> None:
    """The doctor before was killed in the middle; this one calls, measures both directions, and clears up after both."""
    before = await stored(wire)
    async with started(wire, "made for this call") as (running, _):
        running.kill()
        await running.wait()
    assert await stored(wire) == sorted([*before, loop_name(wire.fleet.settings), loop_name(wire.fleet.settings)])
    found = await looped(wire)
    assert tuple(found) == ROUND
    assert {found[name]["colour"] for name in ("loop_call", "loop_removed")} == {"green"}
    for way in ("loop_there", "loop_back"):
        assert " words understood. First after " in found[way]["why"]
    assert await stored(wire) == before


async def test_ctrl_c_takes_the_call_back(wire: Wire) -> None:
    """I stop it while the agents talk: exit code 130, the call has ended as canceled, trunk and rule are gone."""
    before = await stored(wire)
    async with started(wire, "answered") as (running, told):
        running.send_signal(signal.SIGINT)
        await running.communicate()
        assert running.returncode == 130
    assert await stored(wire) == before
    call_id = next(word for word in told.split() if word.startswith("outbound-"))
    assert (await wire.caller.end_of(call_id))["outcome"] == "canceled"


async def test_the_same_over_a_trunk_of_mine(wire: Wire) -> None:
    """--trunk and --number: out over my carrier, in at my number, to the personality that answers there."""
    found = await looped(wire, "--trunk", "loop", "--number", LIBRARY)
    assert tuple(found) == ROUND[:4]
    assert found["loop_call"]["colour"] == "green"
    assert "Speech arrived" in found["loop_there"]["why"] and "Speech arrived" in found["loop_back"]["why"]


async def test_nobody_else_is_rung(wire: Wire) -> None:
    """A number that no personality of mine answers is wrong use: nothing is dialled."""
    before = await placed(wire)
    assert (await doctor(wire.fleet, "--loop", "--trunk", "loop", "--number", "+12025550199"))[0] == 2
    assert await placed(wire) == before
