"""Whole calls over real SIP: who ends them and how, keys, strangers, and two of our own agents on one line."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.one_fleet.test_doctor import colours
from tests.sip.conftest import LIBRARY, OURS, Wire
from tests.sip.sipp import SCENES, sipp

pytestmark = [pytest.mark.fleet, pytest.mark.sip, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="session")]

SLOW_S = 150
"""A machine with two slow cores may take so long for a call that is over in seconds."""


async def test_the_doctor_finds_livekit_sip(wire: Wire) -> None:
    assert await colours(wire.fleet, "--only", "sip_service") == {"sip_service": "green"}


async def test_a_phone_that_rings_stops_when_the_call_is_taken_back(wire: Wire) -> None:
    """I cancelled while it rang: CANCEL went out, and the call ended as canceled."""
    async with sipp(SCENES / "ring.xml", wire.folder, wire.ports["ring"]) as phone:
        call_id = await wire.place("ring")
        await phone.sees("INVITE", SLOW_S)
        answer = await wire.caller.http.post(f"/v1/calls/{call_id}/cancel", json={"reason": "changed my mind"})
        assert answer.status_code == 200, answer.text
        assert (await wire.caller.end_of(call_id))["outcome"] == "canceled"
        assert await phone.done() == 0
        assert phone.seen() == ["INVITE", "CANCEL"]


async def test_a_phone_that_nobody_answers(wire: Wire) -> None:
    """It rang for twelve seconds, CANCEL went out, and the call ended as not answered."""
    async with sipp(SCENES / "ring.xml", wire.folder, wire.ports["ring"]) as phone:
        call = await wire.caller.end_of(await wire.place("ring"), SLOW_S)
        assert (call["outcome"], call["answered_at"]) == ("no_answer", None)
        assert await phone.done() == 0
        assert phone.seen() == ["INVITE", "CANCEL"]


async def test_they_hang_up(wire: Wire) -> None:
    """They answered, heard an AI introduce itself, and hung up after three seconds: completed."""
    async with sipp(SCENES / "leave.xml", wire.folder, wire.ports["leave"]) as phone:
        call_id = await wire.place("leave")
        call = await wire.caller.end_of(call_id, SLOW_S)
        assert await phone.done() == 0
        assert phone.seen() == ["INVITE", "LEFT"]
    assert (call["outcome"], call["reason"]) == ("completed", "The callee hung up.")
    assert (await wire.caller.turns(call_id))[0]["text"] == "Hello, I am an AI assistant."


async def test_we_hang_up(wire: Wire) -> None:
    """I took a call back while they were on the line: BYE went out at once."""
    async with sipp(SCENES / "stay.xml", wire.folder, wire.ports["stay"]) as phone:
        call_id = await wire.place("stay")
        await wire.caller.state_is(call_id, "in_progress", SLOW_S)
        await wire.caller.http.post(f"/v1/calls/{call_id}/cancel", json={})
        await phone.sees("BYE", 10)
        assert (await wire.caller.end_of(call_id))["outcome"] == "canceled"
        assert await phone.done() == 0


async def test_two_of_our_agents_talk_to_each_other(wire: Wire) -> None:
    """The reader called the library: two records of one call, and each heard what the other said, and which keys it pressed."""
    known = {call["call_id"] for call in await wire.came_in()}
    out_id = await wire.place("loop", LIBRARY)
    out = await wire.caller.end_of(out_id, 2 * SLOW_S)
    async with asyncio.timeout(30):
        came: list[dict[str, Any]] = []
        while not came or came[0]["state"] != "ended":
            await asyncio.sleep(0.2)
            came = [call for call in await wire.came_in() if call["call_id"] not in known]
    (came_in,) = came
    assert (came_in["personality"], came_in["from_number"], came_in["to_number"]) == ("library", OURS, LIBRARY)
    assert came_in["trunk"] == "loop"
    assert (out["outcome"], came_in["outcome"]) == ("completed", "completed")
    for call_id, said, heard in ((out_id, "agent", "callee"), (came_in["call_id"], "callee", "agent")):
        turns = await wire.caller.turns(call_id)
        words = {who: " ".join(turn["text"] for turn in turns if turn["speaker"] == who).lower() for who in (said, heard)}
        assert "library open" in words[said] and "nine until five" in words[heard], turns
        assert "AI" in next(turn["text"] for turn in turns if turn["speaker"] == "agent")
        assert {(turn["speaker"], turn["keys"]) for turn in turns if turn["keys"]} == {(said, "1"), (heard, "42#")}, turns


async def test_strangers_reach_nobody(wire: Wire) -> None:
    """Fifty INVITEs for a number that is not ours, and fifty for ours from an address that is not known: no room, no agent."""
    before = len(await wire.came_in())
    for address, number in (("127.0.0.1", "+12025550198"), ("127.0.0.2", LIBRARY)):
        more = ("-s", number, f"127.0.0.1:{wire.ports['livekit-sip']}", "-r", "50")
        port = wire.ports["stranger"]
        async with sipp(SCENES / "stranger.xml", wire.folder, port, calls=50, address=address, more=more) as strangers:
            most = 0
            while strangers.process.returncode is None:
                most = max(most, await wire.rooms())
                await asyncio.sleep(0.1)
            assert most == 0
            # It rings, which is all that livekit-sip tells somebody whom no trunk knows.
            assert Counter(strangers.seen()) - Counter({"180": 50}) == {"no answer": 50}
    assert len(await wire.came_in()) == before
