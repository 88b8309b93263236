"""The way in that `doctor --loop` makes for one call, on a real livekit-server: whom it lets in, and that it goes away again."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import api

from config import Settings
from modules.call_queue_manager import Store
from modules.command_line.doctor_parts import subject_of
from modules.doctor.loop import loop, over_a_trunk_of_its_own, way_round
from modules.doctor.loop_call import Happening, Record
from modules.sip_management.loop import close_loop, loop_name, open_loop
from modules.sip_management.shelves import Noun, Thing, everything
from modules.sip_management.trunks import LOOP_FROM
from tests.contracts.trunks.steps import apply, did, the_only

pytestmark = pytest.mark.livekit

NUMBER = "+12025550190"


async def names(lkapi: api.LiveKitAPI) -> list[str]:
    stored: list[Thing] = [thing for things in (await everything(lkapi)).values() for thing in things]
    return sorted(thing.name for thing in stored)


async def test_it_lets_in_this_machine_only(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """One number, one caller, from livekit-sip's own machine, to the personality that is meant."""
    assert did(await open_loop(mine, lkapi, store, NUMBER, "loop_answerer")) == ["create inbound-trunk", "create dispatch-rule"]
    trunk, rule = await the_only(lkapi, Noun.INBOUND), await the_only(lkapi, Noun.RULE)
    assert isinstance(trunk, api.SIPInboundTrunkInfo) and isinstance(rule, api.SIPDispatchRuleInfo)
    assert (list(trunk.numbers), list(trunk.allowed_numbers)) == ([NUMBER], [LOOP_FROM])
    assert list(trunk.allowed_addresses) == ["127.0.0.1/32"]
    assert list(rule.trunk_ids) == [trunk.sip_trunk_id]
    assert json.loads(rule.room_config.agents[0].metadata)["personality"] == "loop_answerer"
    assert trunk.name == rule.name == loop_name(mine)


async def test_it_leaves_the_configured_ways_alone_and_they_it(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """`trunks ensure` while the doctor calls removes nothing of the call's, and clearing up removes nothing else."""
    await apply(lkapi, store, mine)
    before = await names(lkapi)
    await open_loop(mine, lkapi, store, NUMBER, "loop_answerer")
    assert set(did(await apply(lkapi, store, mine))) == {"keep inbound-trunk", "keep dispatch-rule"}
    assert did(await close_loop(mine, lkapi, store)) == ["delete dispatch-rule", "delete inbound-trunk"]
    assert await names(lkapi) == before


async def test_what_a_killed_run_left_is_used_and_removed(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """The next run finds it by its name, and nothing is there twice."""
    await open_loop(mine, lkapi, store, NUMBER, "loop_answerer")
    assert did(await open_loop(mine, lkapi, store, NUMBER, "another")) == ["keep inbound-trunk", "update dispatch-rule"]
    await close_loop(mine, lkapi, store)
    assert await names(lkapi) == []


class Api:
    """A fleet's API whose call rings for ever."""

    def __init__(self) -> None:
        self.ringing = asyncio.Event()
        self.taken_back: list[str] = []

    async def place(self, body: Record) -> Record:
        return {"would": "dial", "call_id": "outbound-1", "created_at": "2026-01-01T00:00:00Z"}

    async def follow(self, call_id: str) -> AsyncIterator[Happening]:
        self.ringing.set()
        await asyncio.Event().wait()
        raise AssertionError
        yield

    async def cancel(self, call_id: str, reason: str = "") -> Record:
        self.taken_back.append(call_id)
        return {}

    async def personalities(self) -> Record:
        return {"personalities": [{"id": "loop_caller"}, {"id": "loop_answerer"}]}

    async def call(self, call_id: str) -> Record:
        raise AssertionError("nobody asks what became of a call that was taken back")

    async def calls(self, **filters: Any) -> Record:
        raise AssertionError

    async def transcript(self, call_id: str) -> list[Record]:
        raise AssertionError


async def test_who_is_stopped_midway_leaves_nothing(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Ctrl-C while it rings: the call is taken back, the trunk and the rule are gone, and I am told so."""
    fleet, told = Api(), list[str]()
    looping = asyncio.create_task(over_a_trunk_of_its_own(mine, store, lkapi, fleet, way_round(mine), told.append))
    await fleet.ringing.wait()
    assert await names(lkapi) == [loop_name(mine)] * 2
    looping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looping
    assert (fleet.taken_back, await names(lkapi), told[-1]) == (["outbound-1"], [], "trunk and rule are removed")


async def test_a_number_that_somebody_holds_is_not_called(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Another trunk takes calls to the looped number: not proven with livekit-server's own words; nothing is placed or left."""
    others = api.SIPInboundTrunkInfo(name="theirs", numbers=[NUMBER], allowed_numbers=[LOOP_FROM])
    await lkapi.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=others))
    fleet = Api()
    [line] = await over_a_trunk_of_its_own(mine, store, lkapi, fleet, way_round(mine), print)
    assert line.finding.colour.value == "not proven" and "refuses the inbound-trunk" in line.finding.why
    assert (fleet.ringing.is_set(), await names(lkapi)) == (False, ["theirs"])


async def test_without_livekit_sip_it_proves_nothing(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Only the simulated network is here: one line that says so and what to set, and nothing is stored or placed."""
    fleet = Api()
    async with subject_of(mine) as subject:
        [line] = await loop(subject, store, lkapi, fleet, way_round(mine), print)
    assert line.finding.colour.value == "not proven"
    assert "the phone network is simulated, and --loop proves only a real one" in line.finding.why
    assert "LIVEKIT_SIP_BIN" in line.finding.fix
    assert (fleet.ringing.is_set(), await names(lkapi)) == (False, [])
