"""`doctor` on a whole fleet that is well, on one that is not, and on a call that the carrier refused."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from typing import Any

import pytest

from modules.call_queue_manager import Workers, connect
from modules.call_queue_manager.workers import ALIVE_S
from modules.fleet import WORKER, Fleet
from tests.callers import Caller

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="session")]

FORBIDDEN = "+12025550109"


async def doctor(fleet: Fleet, *words: str, **env: str) -> tuple[int, str]:
    """Type the command as the fleet's operator would; return its exit code and what it printed."""
    command = (sys.executable, "-m", "modules", "doctor", *words, "--api-url", fleet.api_url)
    process = await asyncio.create_subprocess_exec(*command, env=dict(fleet.env) | env, cwd=fleet.data_dir, stdout=PIPE)
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def colours(fleet: Fleet, *words: str, **env: str) -> dict[str, Any]:
    _, out = await doctor(fleet, *words, "--json", **env)
    return {found["name"]: found["colour"] for found in json.loads(out)["checks"]}


async def nobody_beats(fleet: Fleet) -> None:
    """Wait until the last heartbeat of a dead worker counts no more."""
    store = await connect(fleet.settings.redis_url)
    try:
        async with asyncio.timeout(2 * ALIVE_S):
            while await Workers(store).alive():  # noqa: ASYNC110 - it lies in Redis
                await asyncio.sleep(0.1)
    finally:
        await store.close()


async def test_a_fleet_that_is_well_is_found_well(fleet: Fleet) -> None:
    """All 22 are looked at. What belongs to a real carrier is not proven rather than guessed; nothing is red."""
    found = await colours(fleet)
    assert len(found) == 22
    assert {name: found[name] for name in ("ports", "keys", "clock", "workers")} == dict.fromkeys(
        ("ports", "keys", "clock", "workers"), "green"
    )
    assert found["agent_comes"] in ("green", "amber")  # how quick depends on the machine
    assert found["sip_service"] == found["geo_permission"] == "not proven"
    assert "red" not in found.values()


async def test_a_wrong_secret_and_a_missing_worker_are_red(fleet: Fleet) -> None:
    """Exit code 1, and each in one line with what to do."""
    wrong = await doctor(fleet, "--only", "keys", LIVEKIT_API_SECRET="x" * 40)
    assert wrong == (1, " bad  5 LiveKit's key and secret fit: livekit-server refuses our key or secret.\n"
                        "        do: Give livekit-server, livekit-sip and Voicefleet the same LIVEKIT_API_KEY and "
                        "LIVEKIT_API_SECRET.\n")  # fmt: skip
    await fleet.halt(WORKER, hard=True)
    try:
        await nobody_beats(fleet)
        assert await colours(fleet, "--only", "workers", "--only", "agent_comes") == {"workers": "red", "agent_comes": "red"}
    finally:
        await fleet.resume(WORKER)


async def test_a_trunk_without_a_sip_service_is_red(fleet: Fleet) -> None:
    """I configured my carrier and forgot livekit-sip: "no response from servers", in words."""
    found = await colours(fleet, "--only", "sip_service", SIP_TRUNK_HOSTNAME="mine.example", SIP_FROM_NUMBER="+12025550100")
    assert found == {"sip_service": "red"}


async def test_a_refused_call_is_explained(fleet: Fleet, caller: Caller) -> None:
    """403: I read what to open, in the API and on the command line, and not the callee's number."""
    call_id = await caller.place(FORBIDDEN)
    ended = await caller.end_of(call_id)
    assert "may not call +1: open its geo permissions" in ended["next_step"]
    _, out = await doctor(fleet, "--call", call_id)
    assert ended["next_step"] in out
    assert "12 The account may call this country" in out and FORBIDDEN not in out
